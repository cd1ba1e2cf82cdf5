"""Run the quick tests on each other Python from 3.11 on that is here. `python -m tests.pythons [options of pytest]`

Looked for are pyenv's versions and `python3.X` on the PATH; of each minor version one is taken, and not the one that
runs this, which `make test` is for. Each gets an environment of its own in `.pythons/`, made by `set_up.py`.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
MINOR_MIN = 11
MINORS_LOOKED_FOR = range(MINOR_MIN, 31)


def candidates(environment: dict[str, str]) -> list[Path]:
    """Return the programs that may be a Python, the ones on the PATH first."""
    found = [shutil.which(f"python3.{minor}", path=environment.get("PATH")) for minor in MINORS_LOOKED_FOR]
    pyenv = Path(environment.get("PYENV_ROOT") or Path(environment.get("HOME", "/")) / ".pyenv") / "versions"
    return [Path(one) for one in found if one] + sorted(pyenv.glob("3.*/bin/python3"), reverse=True)


def version_of(python: Path) -> tuple[int, int, int] | None:
    """Ask a program which Python it is; None when it is none (pyenv's shims of versions that are not chosen)."""
    ask = "import sys, ensurepip; print('%d %d %d' % sys.version_info[:3])"
    try:
        said = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    words = re.fullmatch(r"(3) (\d+) (\d+)\n", said)
    return None if words is None else (int(words[1]), int(words[2]), int(words[3]))


def others(environment: dict[str, str]) -> dict[str, Path]:
    """Return the other Pythons by their versions, oldest first, one of each minor version."""
    found: dict[tuple[int, int, int], Path] = {}
    for python in candidates(environment):
        version = version_of(python)
        if version is not None and version[1] >= MINOR_MIN and version[:2] != sys.version_info[:2]:
            found.setdefault(version, python)
    newest = {version[1]: version for version in sorted(found)}
    return {".".join(map(str, version)): found[version] for version in newest.values()}


def run_on(version: str, python: Path, options: list[str]) -> bool:
    """Run the tests on one Python; whether they passed."""
    folder = Path(".pythons") / version
    print(f"Python {version} ({python}):", flush=True)
    set_up = [python, "set_up.py", "python", "--environment", folder]
    tests = [
        folder / "bin" / "python",
        "-m",
        "pytest",
        "-q",
        "-n",
        "4",
        "--dist",
        "worksteal",
        "-p",
        "no:cacheprovider",
        *options,
    ]
    return all(subprocess.run(command, cwd=ROOT, check=False).returncode == 0 for command in (set_up, tests))


def main() -> None:
    """Say which Pythons there are, run the tests on each, and fail if any does."""
    pythons = others(dict(os.environ))
    print(f"Other Pythons here: {', '.join(pythons) or 'none'}.", flush=True)
    failed = [version for version, python in pythons.items() if not run_on(version, python, sys.argv[1:])]
    if failed:
        sys.exit(f"The tests failed on Python {', '.join(failed)}.")


if __name__ == "__main__":
    main()
