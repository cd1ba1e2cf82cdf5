"""curl -F: a form's fields as multipart/form-data (RFC 7578).

    -F a=1 -F 'f=@x.txt;type=text/plain' -F 't=<notes'       a field, a file, and a field with a file's content

Modelled on src/tool_formparse.c and lib/mime.c. Left out: several files in one field, nested parts, headers, encoders.
"""

from collections.abc import Awaitable, Callable
from random import Random

import msgspec

from cluster_engine.programs.curl.errors import UsageError

FIELDS_MAX = 1000
TYPES = {
    "gif": "image/gif", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "svg": "image/svg+xml",
    "txt": "text/plain", "htm": "text/html", "html": "text/html", "pdf": "application/pdf", "xml": "application/xml",
}  # fmt: skip
Read = Callable[[str], Awaitable[bytes]]


class Field(msgspec.Struct, frozen=True):
    """One field as it was typed: `source` is "" (a text), "@" (a file) or "<" (a file's content as a text)."""

    name: str
    source: str
    value: str
    type: str = ""
    filename: str = ""


def field_of(word: str, text: str, *, is_plain: bool) -> Field:
    """Read what an option says; UsageError. `is_plain`: --form-string, in which nothing has a meaning."""
    name, equals, rest = text.partition("=")
    if not equals:
        raise UsageError(f"option {word}: is badly used here")
    if is_plain:
        return Field(name, "", rest)
    source = rest[:1] if rest[:1] in ("@", "<") else ""
    value, *settings = rest[len(source) :].split(";")
    told = dict(one.strip().partition("=")[::2] for one in settings)
    return Field(name, source, value.strip('"') if source else value, told.get("type", ""), told.get("filename", ""))


async def body_of(fields: list[Field], read: Read, rng: Random) -> tuple[bytes, str]:
    """Return the body of a form, and its Content-Type. OSError where a file cannot be read."""
    boundary = f"{'-' * 24}{rng.getrandbits(64):016x}"
    parts: list[bytes] = []
    for field in fields[:FIELDS_MAX]:
        data = await read(field.value) if field.source else field.value.encode("utf-8", "surrogateescape")
        head = f'Content-Disposition: form-data; name="{_quoted(field.name)}"'
        kind = field.type
        filename = field.filename or (field.value.rpartition("/")[2] if field.source == "@" else "")
        if filename:
            head += f'; filename="{_quoted(filename)}"'
        if not kind and field.source == "@":
            kind = TYPES.get(filename.rpartition(".")[2].lower(), "application/octet-stream")
        head += f"\r\nContent-Type: {kind}" if kind else ""
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode("utf-8", "surrogateescape") + data + b"\r\n")
    end = f"--{boundary}--\r\n".encode()
    return b"".join([*parts, end]), f"multipart/form-data; boundary={boundary}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
