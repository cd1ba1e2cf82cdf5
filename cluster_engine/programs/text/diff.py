"""diff: how one file is made into another, by the fewest lines. Modelled on diffutils 3.8.

    diff a b          2c2 / < old / --- / > new
    diff -u a b       @@ -1,3 +1,3 @@

Myers' algorithm (An O(ND) Difference Algorithm, 1986) up to DIFFERENCES_MAX; files further apart are told as replaced
from the first difference to the last. Left out: directories, side by side, contexts of -c.
"""

from collections.abc import Sequence

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.text.reading import Complaint, complain, read, say, text_of

DIFFERENCES_MAX = 1000
CONTEXT = 3
TROUBLE = 2
Change = tuple[int, int, int, int]
"""Lines a … b of the first file become c … d of the second."""


def changes(first: Sequence[str], second: Sequence[str]) -> list[Change]:
    """Return what is different, in order."""
    begin = 0
    while begin < min(len(first), len(second)) and first[begin] == second[begin]:
        begin += 1
    end = 0
    while end < min(len(first), len(second)) - begin and first[-1 - end] == second[-1 - end]:
        end += 1
    inner = _script(first[begin : len(first) - end], second[begin : len(second) - end])
    return [(a + begin, b + begin, c + begin, d + begin) for a, b, c, d in inner]


def _script(first: Sequence[str], second: Sequence[str]) -> list[Change]:
    n, m = len(first), len(second)
    if not n or not m:
        return [(0, n, 0, m)] if n or m else []
    furthest, history = {1: 0}, list[dict[int, int]]()
    for distance in range(min(n + m, DIFFERENCES_MAX) + 1):
        history.append(dict(furthest))
        for k in range(-distance, distance + 1, 2):
            down = k == -distance or (k != distance and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            y = x - k
            while x < n and y < m and first[x] == second[y]:
                x, y = x + 1, y + 1
            furthest[k] = x
            if x >= n and y >= m:
                return _joined(_traced(history, n, m))
    return [(0, n, 0, m)]


def _traced(history: Sequence[dict[int, int]], x: int, y: int) -> list[tuple[int, int, bool]]:
    """Walk back; give each step as where it was and whether it deletes."""
    steps = []
    for distance in range(len(history) - 1, 0, -1):
        furthest, k = history[distance], x - y
        down = k == -distance or (k != distance and furthest[k - 1] < furthest[k + 1])
        before = k + 1 if down else k - 1
        x = furthest[before]
        y = x - before
        steps.append((x, y, not down))
    return steps[::-1]


def _joined(steps: Sequence[tuple[int, int, bool]]) -> list[Change]:
    found: list[Change] = []
    for x, y, deletes in steps:
        a, b, c, d = found[-1] if found else (-1, -1, -1, -1)
        if not (b == x and d == y):
            a, b, c, d = x, x, y, y
            found.append((a, b, c, d))
        found[-1] = (a, b + deletes, c, d + (not deletes))
    return found


async def diff(invocation: Invocation) -> int:
    """Run diff: -u with lines around, -q whether at all, -w and -i without blanks and case."""
    long = [
        "unified",
        "brief",
        "ignore-case",
        "ignore-all-space",
        "ignore-space-change",
        "label=",
        "report-identical-files",
    ]
    try:
        options = read(invocation, "uU:qiwbsN", long, code=TROUBLE)
        if len(options.operands) < 2:
            after = f" after '{options.operands[-1]}'" if options.operands else " after 'diff'"
            raise Complaint(f"missing operand{after}", TROUBLE, hint=True)
        if len(options.operands) > 2:
            raise Complaint(f"extra operand '{options.operands[2]}'", TROUBLE, hint=True)
        texts = []
        for path in options.operands:
            try:
                texts.append(text_of(await invocation.all(path)))
            except OSError as error:
                raise Complaint(f"{path}: {error.strerror}", TROUBLE) from error
    except Complaint as complaint:
        complain(invocation, Complaint(str(complaint), TROUBLE))
        invocation.err("diff: Try 'diff --help' for more information.\n" if complaint.hint else "")
        return TROUBLE
    sides = [text.split("\n") for text in texts]
    lines = [side[:-1] if not side[-1] else [*side[:-1], f"{side[-1]}\n\\ No newline at end of file"] for side in sides]

    def key(line: str) -> str:
        line = "".join(line.split()) if "-w|--ignore-all-space" in options else line
        line = " ".join(line.split()) if "-b|--ignore-space-change" in options else line
        return line.lower() if "-i|--ignore-case" in options else line

    found = changes([key(line) for line in lines[0]], [key(line) for line in lines[1]])
    names = options.operands
    if not found:
        if "-s|--report-identical-files" in options:
            say(invocation, f"Files {names[0]} and {names[1]} are identical\n")
        return 0
    if "-q|--brief" in options:
        say(invocation, f"Files {names[0]} and {names[1]} differ\n")
        return 1
    width = options.value("-U", str(CONTEXT))
    if "-u|-U|--unified" in options:
        _unified(invocation, lines, found, names, int(width) if width.isdigit() and len(width) < 6 else CONTEXT)
    else:
        _normal(invocation, lines, found)
    return 1


def _normal(invocation: Invocation, lines: Sequence[Sequence[str]], found: Sequence[Change]) -> None:
    def span(begin: int, end: int) -> str:
        return f"{begin + 1}" if end - begin == 1 else f"{begin + 1},{end}" if end > begin else str(begin)

    for a, b, c, d in found:
        letter = "a" if a == b else "d" if c == d else "c"
        told = [f"{span(a, b)}{letter}{span(c, d)}", *(f"< {line}" for line in lines[0][a:b])]
        told += ["---"] if letter == "c" else []
        told += [f"> {line}" for line in lines[1][c:d]]
        say(invocation, "\n".join(told) + "\n")


def _unified(
    invocation: Invocation, lines: Sequence[Sequence[str]], found: Sequence[Change], names: Sequence[str], width: int
) -> None:
    stamp = f"{invocation.process.now():%Y-%m-%d %H:%M:%S.%f}000 +0000"
    say(invocation, f"--- {names[0]}\t{stamp}\n+++ {names[1]}\t{stamp}\n")
    hunks: list[list[Change]] = []
    for change in found:
        if hunks and change[0] - hunks[-1][-1][1] <= 2 * width:
            hunks[-1].append(change)
        else:
            hunks.append([change])
    for hunk in hunks:
        before = min(width, hunk[0][0])
        a, c = hunk[0][0] - before, hunk[0][2] - before
        after = min(width, len(lines[0]) - hunk[-1][1])
        b, d = hunk[-1][1] + after, hunk[-1][3] + after
        told, at = [f"@@ -{_range(a, b)} +{_range(c, d)} @@"], a
        for first, last, new, end in hunk:
            told += [f" {line}" for line in lines[0][at:first]] + [f"-{line}" for line in lines[0][first:last]]
            told += [f"+{line}" for line in lines[1][new:end]]
            at = last
        told += [f" {line}" for line in lines[0][at:b]]
        say(invocation, "\n".join(told) + "\n")


def _range(begin: int, end: int) -> str:
    return f"{begin + 1}" if end - begin == 1 else f"{begin + (end > begin)},{end - begin}"
