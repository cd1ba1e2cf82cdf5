r"""curl's -K: a file whose lines are options, as on the command line or with their long names alone.

    # who asks                                      a comment
    url = "https://10.0.0.1:6443/livez"             --url https://10.0.0.1:6443/livez
    -k                                              -k
    header: "Accept: application/json"              --header "Accept: application/json"

A value in quotes may have \t, \n, \r, \v, \\ and \"; one without ends with the first blank. Modelled on
src/tool_parsecfg.c.
"""

ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "v": "\v"}
BLANKS = " \t"


def lines_of(text: str) -> list[tuple[int, str, str | None]]:
    """Return the options of a file: the number of the line, the option as it is named there, and its value, if any."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        end = next((at for at, letter in enumerate(stripped) if letter in f"{BLANKS}=:"), len(stripped))
        is_dashed = stripped.startswith("-")
        if is_dashed:
            end = next((at for at, letter in enumerate(stripped) if letter in BLANKS), len(stripped))
        option, rest = stripped[:end], stripped[end:].lstrip(BLANKS if is_dashed else f"{BLANKS}=:")
        found.append((number, option if is_dashed else f"--{option}", _value(rest)))
    return found


def _value(rest: str) -> str | None:
    if not rest or rest.startswith("#"):
        return None
    if not rest.startswith('"'):
        return rest.split(maxsplit=1)[0]
    letters: list[str] = []
    left = iter(rest[1:])
    for letter in left:
        if letter == '"':
            break
        if letter == "\\":
            escaped = next(left, "")
            letters.append(ESCAPES.get(escaped, escaped))
        else:
            letters.append(letter)
    return "".join(letters)
