"""The frame of a run in one HTML file: the page without a run, as one text, and the places in it where a run goes.

Whoever has the page's files makes it (`visualizer/one_file.py`); it lies beside this module and is not in the
repository. Needs nothing but the standard library, for it is made while nothing else is installed yet.
"""

from pathlib import Path

FRAME = Path(__file__).parent / "page.html"
INSERT = "<!-- the recording -->"
"""Stands twice: there go the entries, then bytes and bodies, for which the page does not wait."""
NOT_BUILT = "the page has not been built: python -m visualizer.one_file, after node vendor.mjs"


def frame(language: str) -> tuple[bytes, bytes, bytes]:
    """Return the page without a run in its three parts. ValueError where it has not been built."""
    try:
        text = FRAME.read_text("utf-8")
    except FileNotFoundError:
        raise ValueError(NOT_BUILT) from None
    before, opening, after = text.replace('<html lang="en">', f'<html lang="{language}">', 1).split(INSERT)
    return before.encode(), opening.encode(), after.encode()
