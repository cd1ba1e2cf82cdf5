"""Options as GNU getopt_long reads them, and its complaints.

    read_options("grep", ["-in", "nginx", "f"], "in", {"ignore-case": "i"})     [("i", ""), ("n", "")], ["nginx", "f"]
    read_options("grep", ["-Q"], "in", {})                                      OptionError: grep: invalid option -- 'Q'

A long option stands for its letter, one that ends with "=" takes a value; one that stands for "" is read and ignored.
"""

import getopt
from collections.abc import Mapping, Sequence


class OptionError(ValueError):
    """An option that is none, or lacks its value; the text is getopt's, with the program's name."""


def read_options(
    program: str, words: Sequence[str], short: str, long: Mapping[str, str], *, in_order: bool = False
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the options, each a letter and a value, and the arguments. OptionError.

    `in_order`: options end where the arguments begin, as with a "+" in `short`.
    """
    reader = getopt.getopt if in_order else getopt.gnu_getopt
    try:
        found, arguments = reader(list(words), short, list(long))
    except getopt.GetoptError as problem:
        raise OptionError(f"{program}: {_words(problem)}") from None
    options = []
    for name, value in found:
        word = name.removeprefix("--") if name.startswith("--") else ""
        options.append((long.get(word, long.get(f"{word}=", "")) if word else name[1], value))
    return options, arguments


def _words(problem: getopt.GetoptError) -> str:
    option = problem.opt
    if len(option) == 1:
        if "requires" in problem.msg:
            return f"option requires an argument -- '{option}'"
        return f"invalid option -- '{option}'"
    if "requires" in problem.msg:
        return f"option '--{option}' requires an argument"
    return f"unrecognized option '--{option}'"
