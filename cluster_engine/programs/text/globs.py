"""Shell patterns over names, in time linear in the text: `*`, `?`, `[a-z]`, `[!a]`, a backslash before any.

    matches("kube*", "kubelet")     True

By RE2, since a visitor writes the pattern. Modelled on fnmatch(3) without flags: a `*` also matches slashes.
"""

PATTERN_CHARACTERS_MAX = 1000


def matches(pattern: str, name: str) -> bool:
    """Return whether the whole name is matched; a pattern that is too long matches only itself."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        return pattern == name
    import re2  # it takes 3 MiB, which a cluster in which nobody matches need not pay

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(f"(?s){_translated(pattern)}", options).fullmatch(name) is not None
    except re2.error:
        return pattern == name


def _translated(pattern: str) -> str:
    found, at = [], 0
    while at < len(pattern):
        character, at = pattern[at], at + 1
        end = pattern.find("]", at + 1 + (pattern[at : at + 1] == "!"))
        if character == "*":
            found.append(".*")
        elif character == "?":
            found.append(".")
        elif character == "[" and end > 0:
            inside, at = pattern[at:end], end + 1
            negated, inside = ("^", inside[1:]) if inside[0] in "!^" else ("", inside)
            found.append(f"[{negated}{''.join(_in_class(each) for each in inside)}]")
        elif character == "\\" and at < len(pattern):
            found.append(_literal(pattern[at]))
            at += 1
        else:
            found.append(_literal(character))
    return "".join(found)


def _literal(character: str) -> str:
    return character if character.isalnum() or character == "_" else f"\\x{{{ord(character):x}}}"


def _in_class(character: str) -> str:
    return "-" if character == "-" else _literal(character)
