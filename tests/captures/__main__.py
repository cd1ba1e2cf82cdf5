"""`make captures`: the real tshark reads what every run has sent, and says what the journal says.

python -m tests.captures                                     every lesson, as it ought to go, and a run on bad links
python -m tests.captures mutual-tls --keep DIRECTORY         one, and its capture, for Wireshark
"""

import argparse
import os
import shutil
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "visualizer.settings")

from tests.captures.playing import BAD_LINKS, run
from visualizer.lessons.check import chosen


def main(arguments: list[str]) -> int:
    """Run what was asked for; exit code 1 when anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.captures", description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help=f"mutual-tls, …, or {BAD_LINKS} (default all)")
    parser.add_argument("--keep", type=Path, help="a folder that gets each capture")
    options = parser.parse_args(arguments)
    if shutil.which("tshark") is None:
        parser.error("there is no tshark here")
    try:
        lessons = [name for name in options.lessons if name != BAD_LINKS]
        paths = list(chosen(lessons)) if lessons or not options.lessons else []
    except LookupError as problem:
        parser.error(problem.args[0])
    if BAD_LINKS in options.lessons or not options.lessons:
        paths.append(BAD_LINKS)
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    differing = 0
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as folder:
        for path in paths:
            played = run(path, Path(folder))
            problems = played.problems()
            print(played, *problems, sep="\n  ", flush=True)
            differing += bool(problems)
    print(f"{len(paths)} runs, {differing} with differences")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
