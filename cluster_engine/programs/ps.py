"""ps, pgrep, pkill and pidof: the processes of a machine, or of the container that one is in.

    ps aux                    everything, as BSD has it
    ps -ef                    everything, as System V has it
    ps -C kubelet -o pid,args --no-headers
    pgrep -a kube             numbers and command lines of what is called so
    pkill -f 'port=8080'      a signal to what has this in its command line

In a container it is BusyBox's, and shows what runs there, counted from 1.

Process 1 is the machine's init, which is not simulated. Modelled on procps 4.0.2. Left out: shares of the processor
(0.0), threads, trees, other sessions.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from cluster_engine.programs import signals
from cluster_engine.programs.identity import shown
from cluster_engine.programs.invocation import Invocation
from cluster_engine.world.hardware import MEMORY_KIB, held_bytes
from cluster_engine.world.process import SIGTERM, Process

COMMAND_LENGTH = 15
"""What Linux keeps of a program's name (TASK_COMM_LEN - 1)."""


class Row(msgspec.Struct, frozen=True):
    """One process as ps sees it."""

    pid: int
    name: str
    argv: Sequence[str]
    terminal: str
    began: datetime
    uid: int = 0
    user: str = "root"
    is_ps: bool = False
    held_kib: int = 0
    worked_seconds: float = 0.0

    @property
    def command(self) -> str:
        """The command line."""
        return " ".join(self.argv)

    @property
    def state(self) -> str:
        """R for ps itself, S for who sleeps; s: it leads a session, l: it has threads, +: it is in the foreground."""
        if self.is_ps:
            return "R+"
        return "S+" if self.terminal != "?" else "Ss" if self.pid == 1 else "Ssl"


def rows(me: Process) -> list[Row]:
    """Return the processes that can be seen from a host, by their numbers."""
    pids = me.files.pids
    found = [Row(1, pids.name, (pids.init,), "?", booted(me))] if pids.init else []
    for process in me.seen:
        name = process.argv[0].rpartition("/")[2][:COMMAND_LENGTH]
        uid, user = process.user.uid, shown(me.files, process.user.uid)
        found.append(
            Row(
                me.number_of(process), name, process.argv, process.terminal, process.began, uid, user, process is me,
                held_bytes(process) // 1024, process.effort.spent,
            )
        )  # fmt: skip
    return found


def booted(me: Process) -> datetime:
    """Return when the machine of a process was booted, by its clock."""
    return me.now() - timedelta(seconds=me.host.machine.seconds_up)


class Column(msgspec.Struct, frozen=True):
    """A column: its title, its width (negative: to the left), and what is in it."""

    title: str
    width: int
    cell: Callable[[Row, datetime], str]


def _clock(row: Row, now: datetime) -> str:
    """Write when it began: the hour, or before today the day."""
    return f"{row.began:%H:%M}" if row.began.date() == now.date() else f"{row.began:%b%d}"


def _elapsed(row: Row, now: datetime) -> str:
    rest = max(0, int((now - row.began).total_seconds()))
    days, rest = divmod(rest, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    text = f"{minutes:02}:{seconds:02}"
    return f"{days}-{hours:02}:{text}" if days else f"{hours:02}:{text}" if hours else text


def _time(row: Row, _: datetime) -> str:
    minutes, seconds = divmod(int(row.worked_seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


COLUMNS: Mapping[str, Column] = {
    "pid": Column("PID", 7, lambda row, _: str(row.pid)),
    "ppid": Column("PPID", 7, lambda row, _: "0" if row.pid == 1 else "1"),
    "user": Column("USER", -8, lambda row, _: row.user),
    "uid": Column("UID", 5, lambda row, _: str(row.uid)),
    "comm": Column("COMMAND", -15, lambda row, _: row.name),
    "args": Column("COMMAND", -27, lambda row, _: row.command),
    "cmd": Column("CMD", -27, lambda row, _: row.command),
    "stat": Column("STAT", -4, lambda row, _: row.state),
    "s": Column("S", -1, lambda row, _: row.state[0]),
    "tty": Column("TT", -8, lambda row, _: row.terminal),
    "time": Column("TIME", 8, _time),
    "etime": Column("ELAPSED", 11, _elapsed),
    "etimes": Column("ELAPSED", 7, lambda row, now: str(max(0, int((now - row.began).total_seconds())))),
    "start": Column("STARTED", 8, lambda row, now: f"{row.began:%H:%M:%S}" if row.began.date() == now.date()
                    else f"  {row.began:%b %d}"),
    "stime": Column("STIME", 5, _clock),
    "lstart": Column("STARTED", 24, lambda row, _: f"{row.began:%a %b %e %H:%M:%S %Y}"),
    "pcpu": Column("%CPU", 4, lambda _, __: "0.0"),
    "pmem": Column("%MEM", 4, lambda row, _: f"{row.held_kib / MEMORY_KIB * 100:.1f}"),
    "vsz": Column("VSZ", 6, lambda row, _: str(row.held_kib)),
    "rss": Column("RSS", 5, lambda row, _: str(row.held_kib)),
    "ni": Column("NI", 3, lambda _, __: "0"),
    "pri": Column("PRI", 3, lambda _, __: "19"),
    "nlwp": Column("NLWP", 4, lambda _, __: "1"),
    # as the fixed formats have them
    "_user": Column("USER", -8, lambda row, _: row.user),
    "_uid": Column("UID", -8, lambda row, _: row.user),
    "_tty": Column("TTY", -8, lambda row, _: row.terminal),
    "_c": Column("C", 2, lambda _, __: "0"),
    "_bsdtime": Column("TIME", 6, lambda row, _: f"{int(row.worked_seconds) // 60}:{int(row.worked_seconds) % 60:02}"),
    "_start": Column("START", 5, _clock),
    "_cmd": Column("CMD", -27, lambda row, _: row.name),
}  # fmt: skip
SYNONYMS = {"command": "args", "ucmd": "comm", "ucomm": "comm", "state": "s", "tt": "tty", "tname": "tty",
            "%cpu": "pcpu", "%mem": "pmem", "euser": "user", "ruser": "user", "cputime": "time", "nice": "ni",
            "vsize": "vsz", "thcount": "nlwp", "bsdstart": "_start", "start_time": "stime"}  # fmt: skip
BSD = ["_user", "pid", "pcpu", "pmem", "vsz", "rss", "_tty", "stat", "_start", "_bsdtime", "args"]
FULL = ["_uid", "pid", "ppid", "_c", "stime", "_tty", "time", "cmd"]
SHORT = ["pid", "_tty", "time", "_cmd"]
BSD_SHORT = ["pid", "_tty", "stat", "_bsdtime", "args"]


class PsError(Exception):
    """A command line that makes no sense; the text follows "error: "."""


COLUMNS_MIN, WIDE_COLUMNS = 60, 132


class Wanted(msgspec.Struct):
    """What a command line asks for. `titles` replace those of columns."""

    columns: list[str]
    titles: dict[int, str]
    wide: int = 0
    everything: bool = False
    names: frozenset[str] | None = None
    pids: frozenset[str] | None = None
    header: bool = True
    sort: str = ""

    def takes(self, row: Row) -> bool:
        """Return whether a process is one of them."""
        if self.names is not None or self.pids is not None:
            return row.name in (self.names or ()) or str(row.pid) in (self.pids or ())
        return self.everything or row.terminal != "?"


async def ps(invocation: Invocation) -> int:
    """Run ps."""
    now = invocation.process.now()
    try:
        wanted = _read(list(invocation.argv[1:]))
        wanted.everything = wanted.everything or invocation.is_in_container
        found = [row for row in rows(invocation.process) if wanted.takes(row)]
        if wanted.sort:
            _sort(found, wanted.sort, now)
    except PsError as problem:
        invocation.err(f"error: {problem}\n\nUsage:\n ps [options]\n")
        return 1
    width = _width(invocation.columns, wanted.wide)
    if invocation.is_in_container and wanted.columns in (SHORT, BSD_SHORT, BSD, FULL):
        invocation.out("PID   USER     TIME  COMMAND\n")
        clock = COLUMNS["_bsdtime"].cell
        lines = (f"{row.pid:5} {row.user[:8]:<8} {clock(row, now):>5} {row.command}" for row in found)
        invocation.out("".join(f"{line[:width]}\n" for line in lines))
        return 0
    columns = [COLUMNS[name] for name in wanted.columns]
    titles = [wanted.titles.get(at, column.title) for at, column in enumerate(columns)]
    if wanted.header and any(titles):
        invocation.out(_line(titles, columns)[:width] + "\n")
    for row in found:
        invocation.out(_line([column.cell(row, now) for column in columns], columns)[:width] + "\n")
    return 0 if found else 1


def _width(columns: int | None, wide: int) -> int | None:
    """Return where lines are cut: at the end of a row of the terminal, with `w` not before 132, with `ww` nowhere."""
    if columns is None or wide > 1:
        return None
    return max(columns * -(-COLUMNS_MIN // columns), WIDE_COLUMNS if wide else 0)


def _line(cells: Sequence[str], columns: Sequence[Column]) -> str:
    """Lay a line out as procps does: what is too wide takes room from the blanks behind it."""
    text, due = "", 0
    for at, (cell, column) in enumerate(zip(cells, columns, strict=True)):
        width = max(abs(column.width), len(column.title))
        if at == len(cells) - 1 and column.width < 0:
            return text + cell
        over = max(0, len(text) - due)
        padded = f"{cell:>{max(0, width - over)}}" if column.width > 0 else f"{cell:<{max(0, width - over)}}"
        due += width + 1
        text += padded + " "
    return text[:-1]


def _sort(found: list[Row], keys: str, now: datetime) -> None:
    for key in reversed(keys.split(",")):
        name = SYNONYMS.get(key.lstrip("+-"), key.lstrip("+-"))
        if name not in COLUMNS:
            raise PsError("unknown sort specifier")

        def value(row: Row, name: str = name) -> tuple[int, str]:
            cell = COLUMNS[name].cell(row, now)
            return (int(cell), "") if cell.isdigit() else (0, cell)

        found.sort(key=value, reverse=key.startswith("-"))


def _read(words: list[str]) -> Wanted:
    wanted = Wanted([], {})
    default = SHORT
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            if name in ("--no-headers", "--no-heading", "--noheaders", "--noheading", "--no-header"):
                wanted.header = False
            elif name in ("--sort", "--pid", "--format"):
                value = value if equals else _next(words, name)
                _value(wanted, {"--sort": "k", "--pid": "p", "--format": "o"}[name], value)
            elif name not in ("--forest", "--cols", "--columns", "--width", "--headers"):
                raise PsError("unknown gnu long option")
            continue
        if word.isdigit():
            _value(wanted, "p", word)
            continue
        is_bsd = not word.startswith("-")
        letters = word if is_bsd else word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in "oCpuUkqO" and not (is_bsd and letter in "uU"):
                _value(wanted, letter, letters or _next(words, f"-{letter}"))
                letters = ""
            elif is_bsd and letter == "u":
                default = BSD
            elif is_bsd and letter in "axA":
                wanted.everything = wanted.everything or letter in "ax"
                default = BSD_SHORT if default is SHORT else default
            elif letter in "eA" and not is_bsd:
                wanted.everything = True
            elif (letter in "fF" and not is_bsd) or letter in "jl":
                default = FULL
            elif letter == "h":
                wanted.header = False
            elif letter == "w":
                wanted.wide += 1
            elif letter not in "fHLTtrgdaxe":
                raise PsError("unsupported option (BSD syntax)" if is_bsd else "unsupported SysV option")
            elif letter == "x" and not is_bsd:
                raise PsError("must set personality to get -x option")
            elif letter in "ad" and not is_bsd:
                wanted.everything = True
    wanted.columns = wanted.columns or list(default)
    return wanted


def _next(words: list[str], option: str) -> str:
    if not words:
        what = {"-o": "format specification", "-C": "command name", "-p": "process ID"}
        raise PsError(f"{what.get(option, 'list of values')} must follow {option}")
    return words.pop(0)


def _value(wanted: Wanted, letter: str, value: str) -> None:
    parts = frozenset(value.replace(",", " ").split())
    match letter:
        case "C":
            wanted.names = (wanted.names or frozenset()) | {part[:COMMAND_LENGTH] for part in parts}
        case "p" | "q":
            if not all(part.isdigit() for part in parts):
                raise PsError("process ID list syntax error")
            wanted.pids = (wanted.pids or frozenset()) | parts
        case "k":
            wanted.sort = value
        case "u" | "U":
            wanted.everything = bool(parts & {"root", "0"})
            if not wanted.everything:
                wanted.pids = frozenset()
        case _:
            _columns(wanted, value)


def _columns(wanted: Wanted, value: str) -> None:
    """Read `pid,comm=NAME`: what stands behind a = is the last column's title, commas and all."""
    names, equals, title = value.partition("=")
    for name in names.replace(",", " ").split():
        column = SYNONYMS.get(name.lower(), name.lower())
        if column not in COLUMNS:
            raise PsError(f'unknown user-defined format specifier "{name}"')
        wanted.columns.append(column)
    if equals and wanted.columns:
        rest = title if not title.startswith(",") else ""
        wanted.titles[len(wanted.columns) - 1] = rest
        if title.startswith(","):
            _columns(wanted, title[1:])


# -- pgrep, pkill, pidof -----------------------------------------------------------------------------------------------


class _MisuseError(Exception):
    """What pgrep cannot search for; the text follows its name."""


async def pgrep(invocation: Invocation) -> int:
    """Run pgrep: -f looks at the command line, -x at the whole name; -l and -a show it; -c counts."""
    flags, patterns = _flags_apart(invocation.argv[1:])
    try:
        found = _picked(invocation, flags, patterns)
    except _MisuseError as problem:
        invocation.err(f"pgrep: {problem}\n")
        return 2
    if "c" in flags:
        invocation.out(f"{len(found)}\n")
    else:
        for row in found:
            more = f" {row.command}" if "a" in flags else f" {row.name}" if "l" in flags else ""
            invocation.out(f"{row.pid}{more}\n")
    return 0 if found else 1


async def pkill(invocation: Invocation) -> int:
    """Run pkill: signal what pgrep would find; -e says what it has signalled."""
    which, words = _signal_apart(invocation.argv[1:])
    flags, patterns = _flags_apart(words)
    try:
        found = _picked(invocation, flags, patterns)
    except _MisuseError as problem:
        invocation.err(f"pkill: {problem}\n")
        return 2
    code = 0 if found else 1
    for row in found:
        try:
            signals.send(invocation.process.host, invocation.files, str(row.pid), which)
        except signals.SignalError as problem:
            invocation.err(f"pkill: killing pid {row.pid} failed: {str(problem).rpartition(' - ')[2]}\n")
            code = 1
            continue
        invocation.out(f"{row.name} killed (pid {row.pid})\n" if "e" in flags else "")
    return code


def _signal_apart(words: Sequence[str]) -> tuple[int, list[str]]:
    """Return the signal, TERM where none is said, and the other words."""
    for at, word in enumerate(words):
        try:
            if word.startswith("-"):
                return signals.number(word[1:]), [*words[:at], *words[at + 1 :]]
        except signals.SignalError:
            continue  # another option
    return SIGTERM, list(words)


def _flags_apart(words: Sequence[str]) -> tuple[str, list[str]]:
    flags = "".join(word[1:] for word in words if re.fullmatch(r"-[aeflxcniov]+", word))
    return flags, [word for word in words if not word.startswith("-")]


def _picked(invocation: Invocation, flags: str, patterns: list[str]) -> list[Row]:
    """Return the processes, but for the one that asks, whose name or command line fits the pattern. _MisuseError."""
    import re2

    if len(patterns) != 1:
        text = "no matching criteria specified" if not patterns else "only one pattern can be provided"
        raise _MisuseError(f"{text}\nTry `{invocation.argv[0].rpartition('/')[2]} --help' for more information.")
    options = re2.Options()
    options.log_errors, options.case_sensitive = False, "i" not in flags
    try:
        pattern = re2.compile(f"^(?:{patterns[0]})$" if "x" in flags else patterns[0], options)
    except re2.error:
        raise _MisuseError(f"{patterns[0]}: Invalid regular expression") from None
    found = [
        row
        for row in rows(invocation.process)
        if not row.is_ps and bool(pattern.search(row.command if "f" in flags else row.name)) is not ("v" in flags)
    ]
    return found[-1:] if "n" in flags else found[:1] if "o" in flags else found


async def pidof(invocation: Invocation) -> int:
    """Run pidof: the numbers of programs of a name, the newest first."""
    names = {word.rpartition("/")[2] for word in invocation.argv[1:] if not word.startswith("-")}
    found = [row.pid for row in rows(invocation.process) if row.name in names]
    found = sorted(found, reverse=True)[: 1 if "-s" in invocation.argv else None]
    invocation.out(" ".join(map(str, found)) + "\n" if found else "")
    return 0 if found else 1
