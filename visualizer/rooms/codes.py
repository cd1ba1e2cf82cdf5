"""Join codes, and the addresses and pictures that carry them.

A code is seven characters of an alphabet without look-alikes (no 0 O, 1 I L, 5 S, 2 Z, 8 B, U V): 23^7, more than
three thousand million. With a limit (code_limits.py) nobody finds an open room by trying. It is read aloud and
typed by hand, so small letters, spaces and hyphens do not matter: `normal("acd-efgh") == "ACDEFGH"`.
"""

import io
import secrets

import segno
from django.utils.safestring import SafeString, mark_safe

ALPHABET = "ACDEFGHJKMNPQRTWXY34679"
LENGTH = 7


def new_code() -> str:
    """A code that cannot be guessed."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normal(typed: str) -> str:
    """What somebody typed, as codes are written."""
    return "".join(typed[:64].split()).replace("-", "").upper()


def is_code(code: str) -> bool:
    """Whether it could be one at all."""
    return len(code) == LENGTH and set(code) <= set(ALPHABET)


def qr_svg(address: str, label: str) -> SafeString:
    """An address as an inline <svg>: black on white whatever the theme, so that cameras read it."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, nl=False, omitsize=True, border=4,
        dark="#000", light="#fff", svgclass="qr", lineclass=None, title=label,
    )  # fmt: skip
    # segno escapes the title; the address itself is only in the modules
    return mark_safe(out.getvalue().decode().replace("<svg ", '<svg role="img" ', 1))
