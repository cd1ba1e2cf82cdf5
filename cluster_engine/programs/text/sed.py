r"""sed: lines edited by a script.

    sed -n '/error/p'      sed 's/^ *//; s/a\(.\)/\1a/g'      sed -i 's/replicas: 1/replicas: 3/' web.yaml

Each line is put into the pattern space and the script runs over it. What a script may do in all is bounded (STEPS_MAX,
SPACE_BYTES_MAX). Modelled on GNU sed 4.9; its grammar stands in `sed_script`.
"""

from collections.abc import Sequence
from typing import Any

from cluster_engine.programs.invocation import Invocation, MemoryExhaustedError
from cluster_engine.programs.text.matching import Effort, Pattern, SpentError, raw
from cluster_engine.programs.text.reading import Complaint, complain, ended_lines, read, text_of
from cluster_engine.programs.text.sed_script import Address, Command, Parser, ScriptError

STEPS_MAX = 1_000_000
SPACE_BYTES_MAX = 1024 * 1024
USAGE = "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n"


class _Quit(Exception):  # noqa: N818
    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class Sed:
    """One run: the script, and its pattern and hold spaces."""

    def __init__(self, commands: Sequence[Command], *, quiet: bool) -> None:
        self._commands = commands
        self._quiet = quiet
        self._steps = STEPS_MAX
        self.number = 0
        self._hold = b""
        self._last: Pattern | None = None
        self.out: list[bytes] = []
        self._lines: list[tuple[bytes, bool]] = []
        self._at = 0
        self._more = self._ended = False

    def run(self, lines: list[tuple[bytes, bool]], *, more: bool) -> int | None:
        """Edit the lines; `more` where others follow. Give the exit code of `q`, else None. SpentError."""
        self._lines, self._at, self._more = lines, 0, more
        while self._at < len(lines):
            try:
                self._cycle(self._next())
            except _Quit as end:
                return end.code
        return None

    def _next(self) -> bytes:
        line, self._ended = self._lines[self._at]
        self._at += 1
        self.number += 1
        return line

    @property
    def _is_last(self) -> bool:
        return self._at >= len(self._lines) and not self._more

    def _print(self, space: bytes) -> None:
        self.out.append(space + (b"\n" if self._ended or not self._is_last else b""))

    def _cycle(self, space: bytes) -> None:  # noqa: PLR0915 - one case a command
        """Run the script over one line."""
        appended: list[bytes] = []
        substituted, at, prints = False, 0, not self._quiet
        commands = self._commands
        while at < len(commands):
            command = commands[at]
            at += 1
            self._steps -= 1
            if self._steps < 0:
                raise SpentError(f"a script may take {STEPS_MAX} steps: no more of it is run")
            if self._selects(command, space) is command.negated:
                at = command.target if command.name == "{" else at
                continue
            match command.name:
                case "s":
                    space, has = self._substitute(command, space)
                    substituted |= has
                    if has and "p" in command.flags:
                        self._print(space)
                case "p":
                    self._print(space)
                case "P":
                    self.out.append(space.partition(b"\n")[0] + b"\n")
                case "d":
                    prints = False
                    break
                case "D":
                    if b"\n" not in space:
                        prints = False
                        break
                    space, at = space.partition(b"\n")[2], 0
                case "q" | "Q":
                    if command.name == "q" and prints:
                        self._print(space)
                    self.out += appended if command.name == "q" else []
                    raise _Quit(command.number)
                case "=":
                    self.out.append(b"%d\n" % self.number)
                case "a":
                    appended.append(_encoded(command.text) + b"\n")
                case "i":
                    self.out.append(_encoded(command.text) + b"\n")
                case "c":
                    if command.negated or command.last is None or not command.active:
                        self.out.append(_encoded(command.text) + b"\n")
                    prints = False
                    break
                case "n" | "N":
                    if self._at >= len(self._lines):
                        if command.name == "N" and not prints:
                            break
                        if prints:
                            self._print(space)
                        self.out += appended
                        raise _Quit(0)
                    if command.name == "n":
                        if prints:
                            self._print(space)
                        self.out += appended
                        appended = []
                        space = self._next()
                    else:
                        space += b"\n" + self._next()
                case "g":
                    space = self._hold
                case "G":
                    space += b"\n" + self._hold
                case "h":
                    self._hold = space
                case "H":
                    self._hold += b"\n" + space
                case "x":
                    space, self._hold = self._hold, space
                case "y":
                    table = str.maketrans(command.text, str(command.replacement[0]))
                    space = _encoded(text_of(space).translate(table))
                case "b":
                    at = command.target
                case "t" | "T":
                    if substituted is (command.name == "t"):
                        at = command.target
                    substituted = False
            if len(space) > SPACE_BYTES_MAX or len(self._hold) > SPACE_BYTES_MAX:
                raise MemoryExhaustedError
        if prints:
            self._print(space)
        self.out += appended

    # -- addresses -----------------------------------------------------------------------------------------------------

    def _selects(self, command: Command, space: bytes) -> bool:
        first, last = command.first, command.last
        if first is None:
            return True
        if last is None:
            return self._is_at(first, space)
        if command.active:
            return self._goes_on(command, last, space)
        zero = first.number == 0 and not first.step
        if not (self._is_at(first, space) or (zero and self.number == 1)):
            return False
        if last.offset is not None:
            command.ends_at = self.number + last.offset
        elif last.number is not None and last.number >= 0:
            command.ends_at = last.number
        else:
            command.ends_at = 0
            command.active = not (last.number == -1 and self._is_last)
            if zero and last.pattern is not None and self._matches(last, space):
                command.active = False
            return True
        command.active = command.ends_at > self.number
        return True

    def _goes_on(self, command: Command, last: Address, space: bytes) -> bool:
        if last.pattern is not None:
            command.active = not self._matches(last, space)
        elif last.number == -1:
            command.active = not self._is_last
        else:
            if self.number > command.ends_at:
                command.active = False
                return self._is_at(command.first, space) if command.first is not None else True
            command.active = self.number < command.ends_at
        return True

    def _is_at(self, address: Address, space: bytes) -> bool:
        if address.number == -1:
            return self._is_last
        if address.number is not None:
            if address.step:
                return self.number >= address.number and (self.number - address.number) % address.step == 0
            return self.number == address.number
        return self._matches(address, space)

    def _matches(self, address: Address, space: bytes) -> bool:
        pattern = address.pattern or self._last
        if pattern is None:
            raise ScriptError("-e expression #1, char 0: no previous regular expression")
        self._last = pattern
        return pattern.search(space) is not None

    # -- s -------------------------------------------------------------------------------------------------------------

    def _substitute(self, command: Command, space: bytes) -> tuple[bytes, bool]:
        pattern = command.pattern or self._last
        if pattern is None:
            raise ScriptError("-e expression #1, char 0: no previous regular expression")
        self._last = pattern
        told: list[bytes] = []
        at, count, kept, matched_to = 0, 0, 0, -1
        while at <= len(space) and (match := pattern.search(space, at)):
            self._steps -= 1
            if self._steps < 0:
                raise SpentError(f"a script may take {STEPS_MAX} steps: no more of it is run")
            begin, end = match.span()
            if begin == end == matched_to:  # an empty match right behind another is none
                at = end + 1
                continue
            count += 1
            at, matched_to = end + (begin == end), end
            if count >= command.number:
                told += [space[kept:begin], _replaced(command.replacement, match)]
                kept = end
                if "g" not in command.flags:
                    break
        if not told:
            return space, False
        return b"".join([*told, space[kept:]]), True


def _replaced(parts: Sequence[str | int], match: Any) -> bytes:
    """Make what stands in place of a match."""
    plain = not any(isinstance(part, str) and part.startswith("\0") for part in parts)
    if plain:
        return b"".join(match[part] or b"" if isinstance(part, int) else _encoded(part) for part in parts)
    told, case, once = "", "", ""
    for part in parts:
        if isinstance(part, str) and part.startswith("\0"):
            mark = part[1]
            case, once = (case, mark) if mark in "lu" else ("" if mark == "E" else mark, once)
            continue
        text = text_of(match[part] or b"") if isinstance(part, int) else part
        text = text.upper() if case == "U" else text.lower() if case == "L" else text
        if once and text:
            text = (text[0].upper() if once == "u" else text[0].lower()) + text[1:]
            once = ""
        told += text
    return _encoded(told)


def _encoded(text: str) -> bytes:
    return raw(text)


async def sed(invocation: Invocation) -> int:
    """Run sed."""
    words = ["-i" + word[10:].removeprefix("=") if word.startswith("--in-place") else word for word in invocation.argv]
    in_place = [word for word in words[1:] if word.startswith("-i")]
    invocation.argv = [word for word in words if word not in in_place]
    try:
        options = read(invocation, "ne:f:Ersuz", ["quiet", "silent", "expression=", "file=", "regexp-extended",
                                                 "separate", "null-data", "posix", "debug"])  # fmt: skip
        operands = list(options.operands)
        parser = Parser(Effort(), extended="-E|-r|--regexp-extended" in options)
        scripts = 0
        for name, value in options.pairs:
            if name in ("-e", "--expression"):
                scripts += 1
                parser.read(value, f"-e expression #{scripts}")
            elif name in ("-f", "--file"):
                scripts += 1
                parser.read(text_of(invocation.files.read(invocation.absolute(value))), f"file {value}")
        if not scripts:
            if not operands:
                invocation.err(USAGE)
                return 1
            parser.read(operands.pop(0), "-e expression #1")
        commands = parser.end()
    except Complaint as complaint:
        return complain(invocation, complaint)
    except OSError as error:
        return complain(invocation, Complaint(f"couldn't open file {error.filename}: {error.strerror}"))
    except ScriptError as problem:
        return complain(invocation, Complaint(str(problem)))
    run = Sed(commands, quiet="-n|--quiet|--silent" in options)
    try:
        return await _edit(invocation, run, operands or ["-"], in_place[-1][2:] if in_place else None)
    except (SpentError, ScriptError) as spent:
        return complain(invocation, Complaint(str(spent), 4))


async def _edit(invocation: Invocation, run: Sed, paths: Sequence[str], suffix: str | None) -> int:
    """Edit file by file; `suffix` None writes to standard output, else into the files."""
    code, sources = 0, list[tuple[str, list[tuple[bytes, bool]]]]()
    for path in paths:
        try:
            sources.append((path, [(_encoded(line), ended) async for line, ended in ended_lines(invocation, path)]))
        except OSError as error:
            invocation.err(f"sed: can't read {path}: {error.strerror}\n" if not isinstance(error, IsADirectoryError)
                           else f"sed: couldn't edit {path}: not a regular file\n")  # fmt: skip
            code = 2
    for at, (path, lines) in enumerate(sources):
        if suffix is not None:
            run.number = 0
        ended = run.run(lines, more=suffix is None and any(rest for _, rest in sources[at + 1 :]))
        if suffix is None:
            for piece in run.out:
                invocation.out(piece)
                await invocation.drain()
        else:
            full = invocation.absolute(path)
            if suffix:
                invocation.files.write(f"{full}{suffix}", invocation.files.read(full))
            invocation.files.write(full, b"".join(run.out))
        run.out = []
        if ended is not None:
            return ended
    return code
