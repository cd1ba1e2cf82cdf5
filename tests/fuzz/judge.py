"""Takes cases one after another in a process of its own, and tells of each that is answered wrongly.

Theory of operation. What fuzzing looks for can end the process that looks: a stack overflow in C, a loop that holds the
interpreter, a list of gigabytes. So cases are taken by a child. It says which case it begins; when it dies, that was
the case, and another child goes on behind it. The child bounds itself: RLIMIT_AS above what it has at rest, RLIMIT_CPU
anew for each case. Whatever outlives both, by waiting, is ended by the parent.

    child:  python -m tests.fuzz.judge MODULE TARGET SEED FIRST … ──► {"case": 17} {"case": 17, "finding": "…"}
    parent: judge("yaml", seed=1, seconds=120) -> Verdict(cases=900, findings=[Finding(18, "…")])

What is dear and the same for each case (a cluster at rest) the child makes once; each is then taken in a fork of it.

A case is `random.Random(f"{target}:{seed}:{case}")`, whichever cases came before it.
"""

import faulthandler
import gc
import json
import os
import queue
import random
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MEMORY_BYTES_MAX = 1 << 30
"""What one case may take above what the process has at rest."""
SILENCE_SECONDS_MAX = 300
"""Of real time, on a busy machine."""
FINDINGS_MAX = 20
CASES_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """A case that was answered wrongly."""

    case: int
    what: str


@dataclass(slots=True)
class Verdict:
    """What came of a target."""

    cases: int = 0
    findings: list[Finding] = field(default_factory=list)


def judge(
    target: str,
    *,
    seed: int,
    seconds: float,
    first: int = 0,
    cases: int = CASES_AT_ONCE,
    module: str = "tests.fuzz.targets",
) -> Verdict:
    """Take cases for so many seconds, or so many of them, whichever is less."""
    verdict = Verdict()
    end = time.monotonic() + seconds
    while verdict.cases < cases and (left := end - time.monotonic()) > 0 and len(verdict.findings) < FINDINGS_MAX:
        begin = first + verdict.cases
        last = None
        for told in _child(target, seed, begin, min(cases - verdict.cases, CASES_AT_ONCE), left, module):
            if "finding" in told:
                verdict.findings.append(Finding(told["case"], told["finding"]))
            elif "case" in told:
                last = told["case"]
            elif "died" in told and last is not None:
                verdict.findings.append(Finding(last, told["died"]))
            elif "died" in told:
                raise RuntimeError(told["died"])
        verdict.cases = (begin if last is None else last + 1) - first
    return verdict


def _child(target: str, seed: int, first: int, cases: int, seconds: float, module: str) -> Iterator[dict[str, Any]]:
    words = [sys.executable, "-m", "tests.fuzz.judge", module, target, str(seed), str(first), str(cases), str(seconds)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None and child.stderr is not None
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    errors: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: [*map(lines.put, child.stdout), lines.put(b"")], daemon=True),
        threading.Thread(target=lambda: errors.extend(child.stderr), daemon=True),
    ]
    for thread in threads:
        thread.start()
    died = ""
    try:
        while line := lines.get(timeout=SILENCE_SECONDS_MAX):
            yield json.loads(line)
    except queue.Empty:
        child.kill()
        died = f"nothing was heard for {SILENCE_SECONDS_MAX} s"
    code = child.wait()
    for thread in threads:
        thread.join()
    child.stdout.close()
    child.stderr.close()
    if code:
        ended = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        yield {"died": f"{died or ended}\n{b''.join(errors[-40:]).decode(errors='replace')}"}


# -- in the child ------------------------------------------------------------------------------------------------------


def take(target: Any, name: str, seed: int, case: int, taking: Callable[[Any], None] | None = None) -> str:
    """Take one case (by `taking`, in a fork); say what was wrong with the answer, "" when nothing was."""
    made = target.make(random.Random(f"{name}:{seed}:{case}"))
    began = _cpu_seconds()
    bound = int(_cpu_seconds(resource.RUSAGE_SELF) + 2 * target.cpu_seconds_max) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (bound, resource.RLIM_INFINITY))
    if wrong := _raised(lambda: target.take(made)) if taking is None else _in_a_fork(lambda: taking(made)):
        return wrong
    took = _cpu_seconds() - began
    return f"took {took:.1f} s of CPU" if took > target.cpu_seconds_max else ""


def _cpu_seconds(*whose: int) -> float:
    used = [resource.getrusage(one) for one in whose or (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _raised(taking: Callable[[], None]) -> str:
    try:
        taking()
    except Exception:
        return "".join(traceback.format_exc(limit=-12))[-4000:]
    return ""


def _in_a_fork(taking: Callable[[], None]) -> str:
    """Take a case in a fork of this process, which stays as it is; return what was raised, or how the fork ended."""
    answer, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(answer)
        code = 1
        try:
            os.write(told, _raised(taking).encode("utf-8", "replace"))
            code = 0
        finally:
            os._exit(code)
    os.close(told)
    with os.fdopen(answer, "rb") as pipe:
        raised = pipe.read().decode()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return f"ended by {signal.Signals(-code).name}" if code < 0 else raised or (f"ended with {code}" if code else "")


def _bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    at_rest = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (at_rest + MEMORY_BYTES_MAX, resource.RLIM_INFINITY))


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def main(module: str, name: str, seed: int, first: int, cases: int, seconds: float) -> None:
    """Take cases, and tell."""
    import importlib

    faulthandler.enable()
    target = importlib.import_module(module).TARGETS[name]
    take(target, name, seed, -1)  # loads what is loaded late
    taking = target.prepare() if target.prepare else None
    gc.freeze()  # collecting in a fork leaves shared what is here already
    _bound_memory()
    end = time.monotonic() + seconds
    findings = 0
    for case in range(first, first + cases):
        if time.monotonic() >= end or findings >= FINDINGS_MAX:
            break
        _say(case=case)
        if finding := take(target, name, seed, case, taking):
            _say(case=case, finding=finding)
            findings += 1


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
