"""rm: deleting files, directories with -r. Modelled on coreutils.

Directories exist by having something in them, and everything is root's (`world/files.py`).
"""

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import is_directory


async def rm(invocation: Invocation) -> int:
    """Run rm: -r deletes directories too, -f says nothing of what is not there."""
    words = invocation.argv[1:]
    flags = "".join(word[1:] for word in words if word.startswith("-"))
    code = 0
    for path in words:
        if path.startswith("-"):
            continue
        full = invocation.absolute(path) if path else ""
        is_folder = is_directory(invocation.files, full)
        try:
            invocation.files.remove(full)
        except FileNotFoundError:
            if is_folder and set(flags) & {"r", "R"} and full != "/":
                _remove_below(invocation, full)
            elif is_folder or "f" not in flags:
                why = "Is a directory" if is_folder else "No such file or directory"
                invocation.err(f"rm: cannot remove '{path}': {why}\n")
                code = 1
    return code


def _remove_below(invocation: Invocation, directory: str) -> None:
    for name in invocation.files.listdir(directory) if invocation.files.exists(directory) else []:
        path = f"{directory}/{name}"
        try:
            invocation.files.remove(path)
        except FileNotFoundError:
            _remove_below(invocation, path)
