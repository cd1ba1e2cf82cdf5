"""uniq, rev, nl, tac, comm: lines compared, turned round, numbered. Modelled on coreutils 9.1 and util-linux 2.38.

sort | uniq -c | sort -rn
"""

from cluster_engine.programs.invocation import Held, Invocation
from cluster_engine.programs.text.matching import raw
from cluster_engine.programs.text.reading import Complaint, Files, complain, read, say, text_of


async def uniq(invocation: Invocation) -> int:
    """Run uniq: -c counts, -d repeated ones only, -u others only, -i without regard to case, -f and -s skip, -w."""
    long = ["count", "repeated", "unique", "ignore-case", "skip-fields=", "skip-chars=", "check-chars="]
    try:
        options = read(invocation, "cduif:s:w:", long)
        numbers = {}
        for names, what in (("-f|--skip-fields", "invalid number of fields to skip"),
                            ("-s|--skip-chars", "invalid number of bytes to skip"),
                            ("-w|--check-chars", "invalid number of bytes to compare")):  # fmt: skip
            text = options.value(names, "0" if names[1] != "w" else "1000000000")
            if not (text.isascii() and text.isdigit() and len(text) < 12):
                raise Complaint(f"{text}: {what}")
            numbers[names[1]] = int(text)
        if len(options.operands) > 2:
            raise Complaint(f"extra operand '{options.operands[2]}'", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    written: list[str] = []
    out = options.operands[1:]

    def put(line: str, count: int) -> None:
        if ("-d|--repeated" in options and count < 2) or ("-u|--unique" in options and count > 1):
            return
        text = f"{count:>7} {line}\n" if "-c|--count" in options else f"{line}\n"
        if out:
            written.append(text)
        else:
            say(invocation, text)

    def key(line: str) -> str:
        for _ in range(min(numbers["f"], len(line))):
            line = line.lstrip(" \t").lstrip("".join(set(line) - {" ", "\t"}))
        line = line[numbers["s"] :][: numbers["w"]]
        return line.lower() if "-i|--ignore-case" in options else line

    source = Files(invocation, options.operands[:1])
    last: str | None = None
    count = 0
    async for line, _ in source.lines():
        if last is not None and key(line) == key(last):
            count += 1
            continue
        if last is not None:
            put(last, count)
            await invocation.drain()
        last, count = line, 1
    if last is not None:
        put(last, count)
    if out:
        try:
            invocation.files.write(invocation.absolute(out[0]), raw("".join(written)))
        except OSError as error:
            invocation.err(f"uniq: {out[0]}: {error.strerror}\n")
            return 1
    return source.code


async def rev(invocation: Invocation) -> int:
    """Run rev."""
    source = Files(invocation, [word for word in invocation.argv[1:] if not word.startswith("-")])
    async for line, is_ended in source.lines():
        say(invocation, line[::-1] + ("\n" if is_ended else ""))
        await invocation.drain()
    return source.code


async def tac(invocation: Invocation) -> int:
    """Run tac."""
    source, held = Files(invocation, invocation.argv[1:]), Held()
    found = []
    async for line, is_ended in source.lines():
        held.take(line)
        found.append(line + ("\n" if is_ended else ""))
    say(invocation, "".join(reversed(found)))
    return source.code


async def nl(invocation: Invocation) -> int:
    """Run nl: -b a numbers empty lines too, -w is the number's width, -s what follows it, -v where it begins."""
    try:
        options = read(invocation, "b:w:s:v:i:n:", ["body-numbering=", "number-width=", "number-separator="])
        width, begin = options.value("-w|--number-width", "6"), options.value("-v", "1")
        if not (width.isascii() and width.isdigit() and 0 < int(width[:6]) < 1000):
            problem = ": Numerical result out of range" if width.isdigit() else ""
            raise Complaint(f"invalid line number field width: '{width}'{problem}")
        if not begin.lstrip("-").isdigit() or len(begin) > 12:
            raise Complaint(f"invalid starting line number: '{begin}'")
    except Complaint as complaint:
        return complain(invocation, complaint)
    number, style = int(begin), options.value("-b|--body-numbering", "t")
    mark = options.value("-s|--number-separator", "\t")
    source = Files(invocation, options.operands)
    async for line, _ in source.lines():
        if style == "a" or (style == "t" and line):
            say(invocation, f"{number:>{int(width)}}{mark}{line}\n")
            number += 1
        else:
            say(invocation, f"{'':>{int(width)}}{' ' * len(mark)}{line}\n")
        await invocation.drain()
    return source.code


async def comm(invocation: Invocation) -> int:
    """Run comm: lines of the first file alone, of the second alone, of both; -1 -2 -3 leave a column out."""
    try:
        options = read(invocation, "123")
        if len(options.operands) < 2:
            text = f"missing operand after '{options.operands[-1]}'" if options.operands else "missing operand"
            raise Complaint(text, hint=True)
        sides = []
        for path in options.operands[:2]:
            try:
                sides.append(text_of(await invocation.all(path)).splitlines())
            except OSError as error:
                raise Complaint(f"{path}: {error.strerror}") from error
    except Complaint as complaint:
        return complain(invocation, complaint)
    left, right = sides
    a = b = 0
    alone = False
    while a < len(left) or b < len(right):
        if b >= len(right) or (a < len(left) and left[a] < right[b]):
            which, line, a = "1", left[a], a + 1
        elif a >= len(left) or right[b] < left[a]:
            which, line, b = "2", right[b], b + 1
        else:
            which, line, a, b = "3", left[a], a + 1, b + 1
        alone |= which != "3"
        if f"-{which}" not in options:
            before = sum(f"-{one}" not in options for one in "123"[: int(which) - 1])
            say(invocation, "\t" * before + line + "\n")
            await invocation.drain()
    unsorted = [number for number, side in enumerate(sides, 1) if side != sorted(side)] if alone else []
    invocation.err("".join(f"comm: file {number} is not in sorted order\n" for number in unsorted))
    return complain(invocation, Complaint("input is not in sorted order")) if unsorted else 0
