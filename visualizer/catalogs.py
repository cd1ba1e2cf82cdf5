"""Translations: `.po` text in the repository, `.mo` beside it made when it is missing or older.

Django reads `.mo` files, which GNU msgfmt writes; a fresh machine does not have it, and the format is a page long. This
knows of a `.po` file what ours use: messages, plurals, contexts, strings over several lines; fuzzy ones are left out.
"""

import ast
import os
import struct
import tempfile
from pathlib import Path

MAGIC = 0x950412DE


def parse(text: str) -> dict[str, str]:
    """Read a `.po` file: what `.mo` calls the key (context, id, plural) to the translation(s)."""
    catalog: dict[str, str] = {}
    for block in text.split("\n\n"):
        fields = _fields(block)
        if "msgid" not in fields or ", fuzzy" in block:
            continue
        plurals = [fields[name] for name in sorted(fields) if name.startswith("msgstr")]
        if not all(plurals):
            continue  # not translated yet: the English one is shown
        key = fields["msgid"] + ("\0" + fields["msgid_plural"] if "msgid_plural" in fields else "")
        catalog[(fields["msgctxt"] + "\4" if "msgctxt" in fields else "") + key] = "\0".join(plurals)
    return catalog


def _fields(block: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        keyword, _, rest = line.partition(" ") if line.startswith("msg") else (name, "", line)
        if keyword != name:
            name, fields[keyword] = keyword, ""
        if name and rest.startswith('"'):
            fields[name] += ast.literal_eval(rest)
    return fields


def packed(catalog: dict[str, str]) -> bytes:
    """Write a `.mo` file: header, table of keys, table of translations, then the strings."""
    keys = sorted(key.encode() for key in catalog)
    values = [catalog[key.decode()].encode() for key in keys]
    start = 28 + 16 * len(keys)
    tables = b""
    strings = b""
    for text in [*keys, *values]:
        tables += struct.pack("<II", len(text), start + len(strings))
        strings += text + b"\0"
    header = struct.pack("<7I", MAGIC, 0, len(keys), 28, 28 + 8 * len(keys), 0, 0)
    return header + tables + strings


def compile_catalogs(folder: Path) -> None:
    """Make every `.mo` below a folder that is missing or older than its `.po`."""
    for source in folder.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as fresh:
            fresh.write(packed(parse(source.read_text(encoding="utf-8"))))
        Path(fresh.name).chmod(0o644)
        os.replace(fresh.name, target)  # noqa: PTH105
