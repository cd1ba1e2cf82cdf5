"""ls and rm: what a directory holds, and deleting files. Modelled on coreutils.

Directories exist by having something in them, and files have neither owner nor mode nor date (`world/process.py`): so
`ls -l` shows sizes only, and rm deletes files, directories with -r.
"""

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import is_directory


async def ls(invocation: Invocation) -> int:
    """Run ls: -a shows names that begin with a dot, -l sizes, -d directories themselves."""
    words = invocation.argv[1:]
    flags = "".join(word[1:] for word in words if word.startswith("-"))
    paths = [word for word in words if not word.startswith("-")]
    code, shown = 0, 0
    for path in paths or ["."]:
        full = invocation.absolute(path)
        is_folder = is_directory(invocation.files, full)
        if not path or not (is_folder or invocation.files.exists(full)):
            invocation.err(f"ls: cannot access '{path}': No such file or directory\n")
            code = 2
            continue
        if not is_folder or "d" in flags:
            _show(invocation, [path], "", flags)
        else:
            title = f"{path}:\n" if len(paths) > 1 else ""
            invocation.out(f"\n{title}" if shown and title else title)
            names = invocation.files.listdir(full) if invocation.files.exists(full) else []
            _show(invocation, [name for name in names if "a" in flags or not name.startswith(".")], full, flags)
        shown += 1
        await invocation.drain()
    return code


def _show(invocation: Invocation, names: list[str], directory: str, flags: str) -> None:
    for name in names:
        invocation.out(f"{_size(invocation, f'{directory}/{name}' if directory else name):>9} {name}\n"
                       if "l" in flags else f"{name}\n")  # fmt: skip


def _size(invocation: Invocation, path: str) -> str:
    try:
        return str(len(invocation.files.read(invocation.absolute(path))))
    except FileNotFoundError:
        return "dir"


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
