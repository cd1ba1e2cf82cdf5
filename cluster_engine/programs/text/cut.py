"""cut, paste and column: parts of lines, lines side by side. Modelled on coreutils 9.1 and util-linux 2.38.

kubectl get pods | cut -d ' ' -f 1          cut -c 1-10          cut -d: -f 1,3-
"""

import re

import msgspec

from cluster_engine.programs.invocation import Held, Invocation
from cluster_engine.programs.text.matching import raw
from cluster_engine.programs.text.reading import Complaint, Files, complain, read, say, text_of

NUMBER_MAX = 10**9
_RANGE = re.compile(r"([0-9]{0,9})(-?)([0-9]{0,9})")


class Wanted(msgspec.Struct, frozen=True):
    """Numbers from 1 on, as ranges."""

    ranges: tuple[tuple[int, int], ...]
    complement: bool

    def __contains__(self, number: int) -> bool:
        return any(low <= number <= high for low, high in self.ranges) is not self.complement


def _wanted(text: str, what: str, *, complement: bool) -> Wanted:
    """Read a list: 1,3-5,7-. Complaint."""
    found = []
    for part in text.replace(" ", ",").split(","):
        match = _RANGE.fullmatch(part)
        if match is None or part == "-":
            raise Complaint("invalid range with no endpoint: -" if part == "-" else
                            f"invalid {'field' if what == 'field' else 'byte or character'} value '{part}'"
                            if what == "field" else f"invalid byte/character position '{part}'", hint=True)  # fmt: skip
        low, dash, high = match.groups()
        begin, end = int(low or 1), int(high or NUMBER_MAX) if dash else int(low or 0)
        if begin == 0 or not part:
            text = "fields are numbered from 1" if what == "field" else "byte/character positions are numbered from 1"
            raise Complaint(text, hint=True)
        if end < begin:
            raise Complaint("invalid decreasing range", hint=True)
        found.append((begin, end))
    return Wanted(tuple(found), complement)


async def cut(invocation: Invocation) -> int:
    """Run cut."""
    long = ["bytes=", "characters=", "fields=", "delimiter=", "only-delimited", "complement", "output-delimiter="]
    try:
        options = read(invocation, "b:c:f:d:sn", long)
        lists = [name for name in ("-b|--bytes", "-c|--characters", "-f|--fields") if name in options]
        if not lists:
            raise Complaint("you must specify a list of bytes, characters, or fields", hint=True)
        if len(lists) > 1:
            raise Complaint("only one type of list may be specified", hint=True)
        what = "field" if lists[0].startswith("-f") else "byte"
        wanted = _wanted(options.value(lists[0]), what, complement="--complement" in options)
        delimiter = options.value("-d|--delimiter", "\t")
        if "-d|--delimiter" in options and what != "field":
            raise Complaint("an input delimiter may be specified only when operating on fields", hint=True)
        if len(raw(delimiter)) > 1:
            raise Complaint("the delimiter must be a single character", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    joined = options.value("--output-delimiter", delimiter if what == "field" else "")
    source = Files(invocation, options.operands)
    async for line, _ in source.lines():
        if what == "field":
            _cut_fields(invocation, line, delimiter or "\0", joined, wanted, silent="-s|--only-delimited" in options)
        else:
            data = raw(line)
            kept = bytes(one for at, one in enumerate(data, 1) if at in wanted)
            invocation.out(kept + b"\n")
        await invocation.drain()
    return source.code


def _cut_fields(
    invocation: Invocation, line: str, delimiter: str, joined: str, wanted: Wanted, *, silent: bool
) -> None:
    if delimiter not in line:
        if not silent:
            say(invocation, f"{line}\n")
        return
    kept = [field for at, field in enumerate(line.split(delimiter), 1) if at in wanted]
    say(invocation, joined.join(kept) + "\n")


async def paste(invocation: Invocation) -> int:
    """Run paste: -d names the delimiters, -s joins the lines of each file."""
    try:
        options = read(invocation, "d:s", ["delimiters=", "serial"])
    except Complaint as complaint:
        return complain(invocation, complaint)
    marks = options.value("-d|--delimiters", "\t").replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "") or "\0"
    marks = "" if marks == "\0" else marks
    columns: list[list[str]] = []
    code = 0
    piped = [text_of(await invocation.all())] if "-" in options.operands or not options.operands else [""]
    names = options.operands or ["-"]
    dashes = names.count("-")
    all_piped = piped[0].splitlines()
    seen = 0
    for path in names:
        if path == "-":
            serial = "-s|--serial" in options
            columns.append(all_piped if serial and seen == 0 else [] if serial else all_piped[seen::dashes])
            seen += 1
            continue
        try:
            columns.append(text_of(await invocation.all(path)).splitlines())
        except OSError as error:
            invocation.err(f"paste: {path}: {error.strerror}\n")
            code = 1
            if "-s|--serial" not in options:
                return code
    rows = (
        columns
        if "-s|--serial" in options
        else [
            [column[at] if at < len(column) else "" for column in columns]
            for at in range(max(map(len, columns), default=0))
        ]
    )
    for row in rows:
        text = "".join(
            cell + (marks[at % len(marks)] if marks and at < len(row) - 1 else "") for at, cell in enumerate(row)
        )
        say(invocation, f"{text}\n")
        await invocation.drain()
    return code


async def column(invocation: Invocation) -> int:
    """Run column -t: words in columns; -s names what separates them, -o what stands between."""
    try:
        options = read(invocation, "ts:o:", ["table", "separator=", "output-separator="])
    except Complaint as complaint:
        return complain(invocation, complaint)
    separator = options.value("-s|--separator")
    between = options.value("-o|--output-separator", "  ")
    source, held = Files(invocation, options.operands), Held()
    rows = []
    async for line, _ in source.lines():
        if line.strip():
            held.take(line)
            rows.append(line.split(separator) if separator else line.split())
    if "-t|--table" not in options:
        say(invocation, "".join(f"{(separator or ' ').join(row)}\n" for row in rows))
        return source.code
    widths = [max(len(row[at]) for row in rows if at < len(row)) for at in range(max(map(len, rows), default=0))]
    for row in rows:
        full = [*row, *[""] * (len(widths) - len(row))]
        cells = [f"{cell:<{widths[at]}}" if at < len(widths) - 1 else cell for at, cell in enumerate(full)]
        say(invocation, between.join(cells) + "\n")
        await invocation.drain()
    return source.code
