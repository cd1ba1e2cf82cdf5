"""systemctl: the services of a machine, as the supervisor keeps them running.

    systemctl status kubelet        how it is, and its last ten lines
    systemctl stop kubelet          SIGTERM; it stays down until it is started
    systemctl restart containerd

On a worker kubelet and containerd are services as in reality. What kubeadm runs as pods (etcd, kube-apiserver, …) are
processes of the host here, and their descriptions say so. Modelled on systemd 252. Left out: memory, CPU and tasks of
a unit, enabling and masking (nothing boots from unit files), other units than services.
"""

from collections.abc import Sequence
from datetime import datetime

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.log_forms import formed
from cluster_engine.programs.text import globs
from cluster_engine.world import unit_files
from cluster_engine.world.process import Host
from cluster_engine.world.supervisor import RESTART_SECONDS, Unit, how_it_ended

STATUS_LINES = 10
NOT_RUNNING, NO_SUCH_UNIT, NOT_FOUND = 3, 4, 5
SUB = {"active": "running", "activating": "auto-restart", "failed": "failed", "inactive": "dead"}
DOT = {"active": "●", "activating": "●", "failed": "×", "inactive": "○"}
LEGEND = """
LOAD   = Reflects whether the unit definition was properly loaded.
ACTIVE = The high-level unit activation state, i.e. generalization of SUB.
SUB    = The low-level unit activation state, values depend on unit type.
"""
VERBS = frozenset({
    "status", "start", "stop", "restart", "try-restart", "reload", "kill", "is-active", "is-enabled", "is-failed",
    "list-units", "list-unit-files", "cat", "show", "daemon-reload", "reset-failed", "enable", "disable",
})  # fmt: skip


async def systemctl(invocation: Invocation) -> int:
    """Run systemctl."""
    options = [word for word in invocation.argv[1:] if word.startswith("-")]
    words = [word for word in invocation.argv[1:] if not word.startswith("-")]
    verb, names = (words[0], words[1:]) if words else ("list-units", [])
    if options and options[0] in ("-p", "-s", "-n") and len(options[0]) == 2 and names:
        names = [name for name in names if name != _value_after(invocation.argv, options[0])]
    machine = invocation.process.host.machine
    if verb not in VERBS:
        invocation.err(f"Unknown command verb {verb}.\n")
        return 1
    if verb in ("list-units", "list-unit-files"):
        return _list(invocation, machine, names, options, files=verb == "list-unit-files")
    if verb in ("daemon-reload", "reset-failed"):
        return 0
    if not names:
        return _overall(invocation, machine) if verb == "status" else _too_few(invocation)
    code = 0
    for name in _matching(machine, names):
        code = await _one(invocation, machine, verb, name, options) or code
        await invocation.drain()
    return code


def _value_after(argv: Sequence[str], option: str) -> str:
    at = list(argv).index(option) + 1
    return argv[at] if at < len(argv) else ""


def _too_few(invocation: Invocation) -> int:
    invocation.err("Too few arguments.\n")
    return 1


def _matching(machine: Host, names: Sequence[str]) -> list[str]:
    """Return the units that are meant: their names, or patterns."""
    found = []
    for name in names:
        bare = name.removesuffix(".service")
        matched = [unit for unit in machine.units if globs.matches(bare, unit)] if set(bare) & set("*?[") else []
        found += matched or [bare]
    return found


async def _one(invocation: Invocation, machine: Host, verb: str, name: str, options: Sequence[str]) -> int:
    unit: Unit | None = machine.units.get(name)
    if unit is None:
        return _unknown(invocation, verb, name)
    match verb:
        case "status":
            return _status(invocation, machine, unit)
        case "start":
            unit.start()
        case "stop":
            await unit.stop()
        case "restart" | "try-restart":
            if verb == "restart" or unit.state == "active":
                await unit.stop()
                unit.start()
        case "kill":
            killed = any(option in ("--signal=9", "--signal=KILL", "--signal=SIGKILL", "-s9") for option in options)
            unit.signal(9 if killed or {"9", "KILL", "SIGKILL"} & set(invocation.argv) else 15)
        case "reload":
            invocation.err(
                f"Failed to reload {name}.service: Job type reload is not applicable for unit {name}.service.\n"
            )
            return 1
        case "is-active" | "is-failed":
            if "-q" not in options and "--quiet" not in options:
                invocation.out(f"{unit.state}\n")
            wanted = "active" if verb == "is-active" else "failed"
            return 0 if unit.state == wanted else NOT_RUNNING if verb == "is-active" else 1
        case "is-enabled":
            invocation.out("static\n" if unit.program.is_static_pod else "enabled\n")
        case "enable" | "disable":
            invocation.err(f"Failed to {verb} unit: units are made with the machine here, and stay as they are.\n")
            return 1
        case "cat":
            invocation.out(_file(unit, machine))
        case "show":
            _show(invocation, unit, options)
    return 0


def _unknown(invocation: Invocation, verb: str, name: str) -> int:
    full = name if "." in name else f"{name}.service"
    match verb:
        case "status":
            invocation.err(f"Unit {full} could not be found.\n")
            return NO_SUCH_UNIT
        case "is-active" | "is-failed":
            invocation.out("inactive\n")
            return NO_SUCH_UNIT if verb == "is-active" else 1
        case "is-enabled":
            invocation.err(f"Failed to get unit file state for {full}: No such file or directory\n")
            return 1
        case "cat":
            invocation.err(f"No files found for {full}.\n")
            return 1
        case "show":
            invocation.out(f"Id={full}\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nMainPID=0\n")
            return 0
    action = "restart" if verb == "try-restart" else verb
    loaded = "not loaded" if verb in ("stop", "kill") else "not found"
    invocation.err(f"Failed to {action} {full}: Unit {full} {loaded}.\n")
    return NOT_FOUND


# -- status ------------------------------------------------------------------------------------------------------------


def _status(invocation: Invocation, machine: Host, unit: Unit) -> int:
    state, process, now = unit.state, unit.process, invocation.process.now()
    since = f"since {unit.changed:%a %Y-%m-%d %H:%M:%S} UTC; {ago(now, unit.changed)}"
    result = "" if process is None or process.exit_code is None else _result(process.exit_code)
    how = f"{SUB[state]}) (Result: {result}" if state == "activating" and result else SUB[state]
    if state == "failed":
        how = f"Result: {result}"
    text = f"{DOT[state]} {unit.title}\n     Loaded: {_loaded(unit)}\n     Active: {state} ({how}) {since}\n"
    if state == "inactive":
        text += f"   Duration: {span(unit.began, unit.changed)}\n"
    if process is not None:
        command = " ".join(process.argv)
        if process.is_alive:
            text += (
                f"   Main PID: {process.pid} ({process.name})\n     CGroup: /system.slice/{unit.program.name}.service\n"
            )
            text += f"             └─{process.pid} {command}\n"
        else:
            ended = how_it_ended(process.exit_code or 0)
            text += f"    Process: {process.pid} ExecStart={command} ({ended})\n   Main PID: {process.pid} ({ended})\n"
    lines = machine.log.lines({unit.program.name})[-STATUS_LINES:]
    text += "\n" if lines else ""
    for line in lines:
        text += f"{line.at:%b %d %H:%M:%S} {machine.name} {line.by}[{line.pid}]: {formed(line)}\n"
    invocation.out(text)
    return 0 if state == "active" else NOT_RUNNING


def _result(code: int) -> str:
    return "success" if code in (0, 143) else "signal" if code > 128 else "exit-code"


def _loaded(unit: Unit) -> str:
    if unit.program.is_static_pod:
        return "loaded (generated)"
    return f"loaded (/lib/systemd/system/{unit.program.name}.service; enabled; preset: enabled)"


def ago(now: datetime, then: datetime) -> str:
    """Write how long ago something was, as systemd does: "5min ago", "2h 3min ago"."""
    return f"{span(then, now)} ago"


def span(begin: datetime, end: datetime) -> str:
    """Write a span of time as systemd does, its two largest parts."""
    rest = max(0, int((end - begin).total_seconds()))
    parts = []
    for name, seconds in (("month", 2_629_800), ("week", 604_800), ("day", 86_400), ("h", 3600), ("min", 60)):
        count, rest = divmod(rest, seconds)
        if count:
            plural = name if len(name) < 4 else f" {name}{'s' if count > 1 else ''}"
            parts.append(f"{count}{plural}")
    if len(parts) < 2 and (rest or not parts):
        parts.append(f"{rest}s")
    return " ".join(parts[:2])


def _overall(invocation: Invocation, machine: Host) -> int:
    failed = sum(unit.state == "failed" for unit in machine.units.values())
    state = "degraded" if failed else "running"
    invocation.out(
        f"● {machine.name}\n    State: {state}\n    Units: {len(machine.units)} loaded (incl. loaded aliases)\n"
        f"     Jobs: 0 queued\n   Failed: {failed} units\n"
    )
    return 0


# -- lists -------------------------------------------------------------------------------------------------------------


def _list(invocation: Invocation, machine: Host, names: Sequence[str], options: Sequence[str], *, files: bool) -> int:
    shown = {*machine.units} if not names else {*_matching(machine, names)} & {*machine.units}
    units = [machine.units[name] for name in sorted(shown)]
    if files:
        rows = [[f"{one.program.name}.service", "generated" if one.program.is_static_pod else "enabled", "enabled"]
                for one in units]  # fmt: skip
        return _table(invocation, ["UNIT FILE", "STATE", "PRESET"], rows, f"\n{len(rows)} unit files listed.\n", "")
    if "--failed" in options or "--state=failed" in options:
        units = [one for one in units if one.state == "failed"]
    elif "--all" not in options and "-a" not in options and not names:
        units = [one for one in units if one.state != "inactive"]
    rows = [
        [f"{one.program.name}.service", "loaded", one.state, SUB[one.state], one.program.description] for one in units
    ]
    counted = f"{len(rows)} loaded units listed."
    tail = f"{LEGEND}{counted}" + ("" if "--all" in options or "-a" in options else
                                   " Pass --all to see loaded but inactive units, too.")  # fmt: skip
    tail += "\nTo show all installed unit files use 'systemctl list-unit-files'.\n"
    tail = "" if "--no-legend" in options else tail
    marks = "".join("●" if one.state == "failed" else " " for one in units)
    header = [] if "--no-legend" in options else ["UNIT", "LOAD", "ACTIVE", "SUB", "DESCRIPTION"]
    return _table(invocation, header, rows, tail, marks)


def _table(invocation: Invocation, header: list[str], rows: Sequence[list[str]], tail: str, marks: str) -> int:
    lines = [header, *rows] if header else list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)] if lines else []
    leads = (" " + marks if header else marks) if marks else ""
    for at, line in enumerate(lines):
        cells = [f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)]
        lead = f"{leads[at]} " if at < len(leads) else ""
        invocation.out(f"{lead}{' '.join(cells)}".rstrip() + "\n")
    invocation.out(tail)
    return 0


def _file(unit: Unit, machine: Host) -> str:
    program = unit.program
    restart = f"Restart=always\nRestartSec={RESTART_SECONDS:g}\n"
    parts = [
        f"# /lib/systemd/system/{program.name}.service\n[Unit]\nDescription={program.description}\n\n"
        f"[Service]\nExecStart={' '.join(program.argv)}\n{restart}\n[Install]\nWantedBy=multi-user.target\n"
    ]
    own = unit_files.own_files(machine.files, program.name)
    if own and own[0].endswith(".service"):
        parts.clear()
    parts += [f"# {path}\n{machine.files.read(path).decode('utf-8', 'replace')}" for path in own]
    return "\n".join(parts)


def _show(invocation: Invocation, unit: Unit, options: Sequence[str]) -> None:
    process = unit.process
    alive = process is not None and process.is_alive
    values = {
        "Id": f"{unit.program.name}.service",
        "Description": unit.program.description,
        "LoadState": "loaded",
        "ActiveState": unit.state,
        "SubState": SUB[unit.state],
        "UnitFileState": "generated" if unit.program.is_static_pod else "enabled",
        "MainPID": str(process.pid) if process is not None and alive else "0",
        "ExecMainPID": str(process.pid) if process is not None else "0",
        "ExecMainStatus": str((process.exit_code or 0) & 127) if process is not None else "0",
        "Result": "success" if process is None or not process.exit_code else _result(process.exit_code),
        "NRestarts": str(unit.restarts),
        "ActiveEnterTimestamp": f"{unit.began:%a %Y-%m-%d %H:%M:%S} UTC",
        "Restart": "always",
    }
    asked = [option.partition("=")[2] for option in options if option.startswith(("-p=", "--property="))]
    if "-p" in options:
        asked.append(_value_after(invocation.argv, "-p"))
    asked += [option[2:] for option in options if option.startswith("-p") and len(option) > 2 and option[2] != "="]
    wanted = [name for each in asked for name in each.split(",")]
    for name in wanted or values:
        if name in values:
            invocation.out(f"{values[name]}\n" if "--value" in options else f"{name}={values[name]}\n")
