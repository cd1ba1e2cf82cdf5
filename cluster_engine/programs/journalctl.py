"""journalctl: the log of a machine, of all units or some; -f goes on as it grows.

    journalctl -u kubelet -n 20 --no-pager
    journalctl -u kubelet -f
    journalctl --since "10 min ago" -o cat

Modelled on systemd 252. Left out: of the kernel's ring all but the processes that it ended, catalogues, cursors, other
fields than a line's own, priorities but for errors (-p err).
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.log_forms import formed, is_trouble
from cluster_engine.programs.text import globs
from cluster_engine.world.hardware import KERNEL_LOG
from cluster_engine.world.system_log import Line

LINES = 10
"""How many are shown before following, and of -n without a number."""
FORMATS = ("short", "short-precise", "short-iso", "short-iso-precise", "short-full", "cat", "json", "json-pretty")
_WITH_VALUE = {
    "-u": "unit", "--unit": "unit", "-n": "lines", "--lines": "lines", "-o": "output", "--output": "output",
    "-S": "since", "--since": "since", "-U": "until", "--until": "until", "-t": "identifier",
    "--identifier": "identifier", "-p": "priority", "--priority": "priority", "-b": "boot", "--boot": "boot",
}  # fmt: skip
_OPTIONAL = frozenset({"lines", "boot"})
_BARE = {
    "-f": "follow", "--follow": "follow", "-r": "reverse", "--reverse": "reverse", "-e": "end", "--pager-end": "end",
    "-k": "kernel", "--dmesg": "kernel", "-q": "quiet", "--quiet": "quiet", "--no-pager": "", "-a": "", "--all": "",
    "-x": "", "--catalog": "", "-l": "", "--full": "", "--no-full": "", "--utc": "", "-m": "", "--no-hostname": "bare",
    "--list-boots": "boots", "--no-tail": "all",
}  # fmt: skip
_AGO = r"([0-9]{1,9})\s*(s|sec|seconds?|m|min|minutes?|h|hours?|hr|d|days?|w|weeks?)\b"
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_NUMBER = re.compile(r"\+?[0-9]{1,9}|all")


class JournalError(Exception):
    """A command line that makes no sense; the text is the real one's."""


class Wanted(msgspec.Struct):
    """What a command line asks for."""

    units: list[str] = msgspec.field(default_factory=list)
    identifiers: list[str] = msgspec.field(default_factory=list)
    lines: int | None = None
    output: str = "short"
    since: datetime | None = None
    until: datetime | None = None
    boot: int | None = None
    flags: set[str] = msgspec.field(default_factory=set)

    def takes(self, line: Line) -> bool:
        """Return whether a line is one of them."""
        if "kernel" in self.flags and line.unit != KERNEL_LOG:
            return False
        if self.units and not any(globs.matches(unit, line.unit) for unit in self.units):
            return False
        if self.identifiers and line.by not in self.identifiers:
            return False
        if "errors" in self.flags and not is_trouble(line):
            return False
        if self.boot is not None and line.boot != self.boot:
            return False
        return not (self.since and line.at < self.since) and not (self.until and line.at > self.until)


async def journalctl(invocation: Invocation) -> int:
    """Run journalctl."""
    machine = invocation.process.host.machine
    try:
        wanted = _read(list(invocation.argv[1:]), invocation.process.now(), machine.boots)
    except JournalError as problem:
        invocation.err(f"{problem}\n")
        return 1
    log = machine.log
    if "boots" in wanted.flags:
        return _list_boots(invocation, log.lines())
    found = [line for line in log.lines() if wanted.takes(line)]
    last = log.lines()[-1].number if log.lines() else 0
    if wanted.lines is not None:
        found = found[-wanted.lines :] if wanted.lines else []
    if "reverse" in wanted.flags:
        found.reverse()
    if not found and "quiet" not in wanted.flags and "follow" not in wanted.flags:
        invocation.out("-- No entries --\n")
    boot = 0
    for line in found:
        if boot not in (0, line.boot) and wanted.output.startswith("short"):
            invocation.out(f"-- Boot {boot_id(machine.name, line.boot)} --\n")
        boot = line.boot
        invocation.out(_shown(line, machine.name, wanted))
        await invocation.drain()
    while "follow" in wanted.flags:
        await log.change()
        for line in log.lines(after=last):
            last = line.number
            if wanted.takes(line):
                invocation.out(_shown(line, machine.name, wanted))
        await invocation.drain()
    return 0


def boot_id(machine: str, boot: int) -> str:
    """Return the 32 digits by which a boot is known."""
    return f"{sum(ord(one) * 31**at for at, one in enumerate(machine)) % 16**12:012x}{'0' * 12}{boot:08x}"


def _list_boots(invocation: Invocation, lines: Sequence[Line]) -> int:
    machine = invocation.process.host.machine
    invocation.out("IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY\n")
    for boot in sorted({line.boot for line in lines}):
        of_boot = [line for line in lines if line.boot == boot]
        first, last = (f"{line.at:%a %Y-%m-%d %H:%M:%S} UTC" for line in (of_boot[0], of_boot[-1]))
        invocation.out(f"{boot - machine.boots:>3} {boot_id(machine.name, boot)} {first} {last}\n")
    return 0


# -- one line ----------------------------------------------------------------------------------------------------------


def _shown(line: Line, host: str, wanted: Wanted) -> str:
    text = formed(line)
    who = f"{line.by}[{line.pid}]: {text}\n" if line.pid else f"{line.by}: {text}\n"
    where = "" if "bare" in wanted.flags else f"{host} "
    match wanted.output:
        case "cat":
            return f"{text}\n"
        case "json" | "json-pretty":
            told = {
                "__REALTIME_TIMESTAMP": f"{round(line.at.timestamp() * 1e6)}",
                "_BOOT_ID": boot_id(host, line.boot),
                "_HOSTNAME": host,
                "_PID": str(line.pid),
                "_SYSTEMD_UNIT": f"{line.unit}.service",
                "SYSLOG_IDENTIFIER": line.by,
                "PRIORITY": "3" if is_trouble(line) else "6",
                "MESSAGE": text,
            }
            return json.dumps(told, ensure_ascii=False, indent="\t" if wanted.output == "json-pretty" else None) + "\n"
        case "short-precise":
            return f"{line.at:%b %d %H:%M:%S.%f} {where}{who}"
        case "short-iso":
            return f"{line.at:%Y-%m-%dT%H:%M:%S}+0000 {where}{who}"
        case "short-iso-precise":
            return f"{line.at:%Y-%m-%dT%H:%M:%S.%f}+0000 {where}{who}"
        case "short-full":
            return f"{line.at:%a %Y-%m-%d %H:%M:%S} UTC {where}{who}"
    return f"{line.at:%b %d %H:%M:%S} {where}{who}"


# -- the command line --------------------------------------------------------------------------------------------------


def _read(words: list[str], now: datetime, boot: int) -> Wanted:
    wanted = Wanted()
    words = [part for word in words for part in _separated(word)]
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if name in _BARE and not equals:
            wanted.flags.add(_BARE[name])
            continue
        if name not in _WITH_VALUE:
            raise JournalError(_unknown(word))
        meaning = _WITH_VALUE[name]
        if not equals:
            takes = words and not (meaning in _OPTIONAL and not _is_value(meaning, words[0]))
            if not takes and meaning not in _OPTIONAL:
                dashes = "" if name.startswith("--") else f" -- '{name[1:]}'"
                told = f"option '{name}' requires an argument" if not dashes else f"option requires an argument{dashes}"
                raise JournalError(f"journalctl: {told}")
            value = words.pop(0) if takes else ""
        _put(wanted, meaning, value, now, boot)
    if "follow" in wanted.flags or "end" in wanted.flags:
        default = LINES if "follow" in wanted.flags else 1000
        wanted.lines = None if "all" in wanted.flags else default if wanted.lines is None else wanted.lines
    return wanted


def _separated(word: str) -> list[str]:
    """Take letters that stand together apart: -fu, -n5."""
    if not word.startswith("-") or word.startswith("--") or len(word) <= 2:
        return [word]
    found, rest = [], word[1:]
    while rest:
        letter, rest = f"-{rest[0]}", rest[1:]
        found.append(letter)
        if letter in _WITH_VALUE:
            return [*found, rest] if rest else found
    return found


def _is_value(meaning: str, word: str) -> bool:
    return _NUMBER.fullmatch(word) is not None or (meaning == "boot" and re.fullmatch(r"-[0-9]{1,6}", word) is not None)


def _put(wanted: Wanted, meaning: str, value: str, now: datetime, boot: int) -> None:
    match meaning:
        case "unit":
            wanted.units.append(value.removesuffix(".service"))
        case "identifier":
            wanted.identifiers.append(value)
        case "lines":
            if value and _NUMBER.fullmatch(value) is None:
                raise JournalError(f"Failed to parse lines '{value}'")
            wanted.lines = None if value == "all" else int(value or LINES)
        case "output":
            if value not in FORMATS:
                raise JournalError(f"Unknown output format '{value}'.")
            wanted.output = value
        case "since":
            wanted.since = moment(value, now)
        case "until":
            wanted.until = moment(value, now)
        case "boot":
            number = int(value or 0)
            wanted.boot = boot + number if number <= 0 else number
        case "priority":
            wanted.flags |= {"errors"} if value in ("0", "1", "2", "3", "emerg", "alert", "crit", "err") else set()


def moment(text: str, now: datetime) -> datetime:
    """Read a moment: "2026-01-01 10:00", "10:00", today, "10 min ago", -1h. JournalError."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if text in named:
        return named[text]
    import re2  # it takes 3 MiB, which a cluster in which nobody asks so need not pay

    parts = re2.findall(_AGO, text)
    rest = re2.sub(_AGO, "", text).strip()
    if parts and rest in ("ago", "-"):
        seconds = sum(int(number) * _UNIT_SECONDS[unit[0]] for number, unit in parts)
        return max(now - timedelta(seconds=min(seconds, 10**9)), datetime(1970, 1, 1, tzinfo=UTC))
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M"):
        try:
            found = datetime.strptime(text.removesuffix(" UTC"), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return found if form.startswith("%Y") else midnight.replace(hour=found.hour, minute=found.minute,
                                                                    second=found.second)  # fmt: skip
    raise JournalError(f"Failed to parse timestamp: {text}")


def _unknown(word: str) -> str:
    if word.startswith("--"):
        return f"journalctl: unrecognized option '{word.partition('=')[0]}'"
    if word.startswith("-"):
        return f"journalctl: invalid option -- '{word[1:2]}'"
    return f"Failed to add match '{word}': Invalid argument"
