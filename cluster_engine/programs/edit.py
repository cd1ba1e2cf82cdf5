"""edit: a file in the page's own editor, and what is said to those who look for vi.

    edit web.yaml      the page opens a pane with the file's text; Save writes it, Cancel leaves the file as it is

What cannot be written is told in the pane, which stays open. Left out: several files, files that are not text.
"""

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.keyboard import EDITED_CHARACTERS_MAX, NoEditorError
from cluster_engine.programs.keyboard import edit as ask
from cluster_engine.programs.streams import is_directory, read_file

USAGE = "usage: edit FILE"
NO_EDITOR = "nobody can edit here; the terminal of the page opens a pane for it. `cat > FILE` writes a file, too"
NOT_FOUND = 127


async def edit(invocation: Invocation) -> int:
    """Run edit."""
    words = invocation.argv[1:]
    if len(words) != 1 or words[0].startswith("-"):
        invocation.err(f"{USAGE}\n")
        return 2
    path = invocation.absolute(words[0]) if words[0] else ""
    text = _read(invocation, path)
    if isinstance(text, OSError):
        invocation.err(f"edit: {words[0]}: {text.strerror}\n")
        return 1
    return await _edit(invocation, words[0], path, text)


async def _edit(invocation: Invocation, name: str, path: str, text: str) -> int:
    """Ask again until the text is written or left."""
    problem = ""
    while True:
        try:
            answer = await ask(invocation.streams.stdin, name, text, problem)
        except NoEditorError:
            invocation.err(f"edit: {NO_EDITOR}\n")
            return 1
        if answer is None:
            return 0
        text = answer if not answer or answer.endswith("\n") else f"{answer}\n"
        try:
            invocation.files.write(path, text.encode("utf-8", "replace"))
        except OSError as error:
            problem = f"{name}: {error.strerror}"
        else:
            return 0


def _read(invocation: Invocation, path: str) -> str | OSError:
    """Read a file, "" where it is not there yet."""
    if not path or is_directory(invocation.files, path):
        return OSError(21, "Is a directory" if path else "No such file or directory")
    try:
        data = read_file(invocation.files, path)
    except FileNotFoundError:
        return ""
    if len(data) > EDITED_CHARACTERS_MAX:
        return OSError(27, f"File too large: at most {EDITED_CHARACTERS_MAX} bytes can be edited")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return OSError(22, "Not a text")


async def no_vi(invocation: Invocation) -> int:
    """Say what there is in place of an editor for a screen of characters."""
    invocation.err(f"{invocation.argv[0]}: not here: `edit FILE` opens a file in a pane of the page\n")
    return NOT_FOUND
