"""rm: deleting files, directories with -r. Modelled on coreutils.

Everything is root's (`world/files.py`).
"""

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import is_directory
from cluster_engine.world.files import FileSystem


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
                remove_tree(invocation.files, full)
            elif is_folder or "f" not in flags:
                why = "Is a directory" if is_folder else "No such file or directory"
                invocation.err(f"rm: cannot remove '{path}': {why}\n")
                code = 1
    return code


def remove_tree(files: FileSystem, directory: str) -> None:
    """Delete a directory and all that is in it."""
    for name in files.listdir(directory) if files.exists(directory) else []:
        path = f"{directory.rstrip('/')}/{name}"
        try:
            files.remove(path)
        except FileNotFoundError:
            remove_tree(files, path)
    files.remove_directory(directory)
