"""man: short pages about what can be typed, as data (`pages.toml`), and the --help of programs without their own.

    man base64          name, usage, the flags that it has here, an example
    base64 --help       the same, as usage

Modelled on the layout of man-db's pages. What a page does not name, the program does not have.
"""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from cluster_engine.programs.invocation import Invocation

NO_ENTRY = 16
WIDTH = 78


@functools.cache
def pages() -> Mapping[str, Mapping[str, Any]]:
    """Return the pages by name."""
    found: Mapping[str, Mapping[str, Any]] = tomllib.loads(
        resources.files(__package__).joinpath("pages.toml").read_text("utf-8")
    )
    return found


async def man(invocation: Invocation) -> int:
    """Run man."""
    names = [word for word in invocation.argv[1:] if not word.startswith("-") and not word.isdigit()]
    if not names:
        invocation.err("What manual page do you want?\nFor example, try 'man kubectl'.\n")
        return 1
    code = 0
    for name in names:
        page = pages().get(name)
        if page is None:
            invocation.err(f"No manual entry for {name}\n")
            code = NO_ENTRY
        else:
            invocation.out(_page(name, page))
    return code


def _page(name: str, page: Mapping[str, Any]) -> str:
    title = f"{name.upper()}(1)"
    heading = f"{title}{'User Commands':^{WIDTH - 2 * len(title)}}{title}".rstrip()
    parts = [f"{heading}\n\nNAME\n       {name} - {page['summary']}\n", _section("SYNOPSIS", page["usage"])]
    if page.get("options"):
        parts.append(_section("OPTIONS", page["options"]))
    return "\n".join([*parts, _section("EXAMPLE", page["example"])])


def _section(title: str, text: str) -> str:
    return f"{title}\n" + "".join(f"       {line}\n" for line in text.strip().splitlines())


async def usage(invocation: Invocation) -> int:
    """Print the usage of the program that was called."""
    page = pages()[invocation.argv[0]]
    options = "".join(f"  {line}\n" for line in page.get("options", "").strip().splitlines())
    first, *others = page["usage"].strip().splitlines()
    more = "".join(f"  or:  {line}\n" for line in others)
    summary = page["summary"][0].upper() + page["summary"][1:]
    invocation.out(f"Usage: {first}\n{more}{summary}.\n" + (f"\n{options}" if options else ""))
    return 0
