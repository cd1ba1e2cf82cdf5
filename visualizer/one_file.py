"""The frame of a run in one HTML file: the page itself, its modules and styles, made into one text when they are built.

    modules      each with its imports rewritten to names ("glassplane:log.js"), in the order of their imports, so that
                 `static/js/recording/opening.js` can make a blob of each and put addresses in the names' places
    styles       one element; scripts and styles are named in the file's policy by their hashes, and nothing else may
                 run or be fetched, so that the file needs no network and cannot use one
    INSERT       where `cluster_engine.export.html` puts the run, a recording of which the file is then

What no recording shows (rooms, incidents, the state at the cursor, which a running cluster answers) is left out. Made
from the page's files by `python -m visualizer.one_file`, by the build (`hatch_build.py`) and by a server that starts,
and lies where the engine looks for it. Needs nothing but the standard library.
"""

import base64
import gzip
import hashlib
import json
import os
import re
import tempfile
from pathlib import Path

from cluster_engine.export.frame import FRAME, INSERT

STATIC = Path(__file__).parent.parent / "static"
START = "main.js"
ABSENT = ("rooms/", "incidents/", "state/")
STYLES = ("glass", "playground", "diagram", "panels", "lesson", "faults", "recording")
VENDORED = {
    "preact": "preact.js",
    "preact/hooks": "preact-hooks.js",
    "@preact/signals": "signals.js",
    "@preact/signals-core": "signals-core.js",
}
"""As `templates/_importmap.html` names them."""
IMPORT = re.compile(r"""\b(from|import|import\()\s*"([^"\s]+)\"""")


def framed(static: Path = STATIC) -> str:
    """Return the frame. OSError where a file of the page is missing; ValueError where modules import in a circle."""
    texts = _in_order(static)
    modules = _packed(json.dumps([[name, text] for name, text in texts.items()], ensure_ascii=False).encode())
    theme, opening = ((static / "js" / path).read_text() for path in ("theme.js", "recording/opening.js"))
    style = "\n".join((static / "css" / f"{name}.css").read_text() for name in STYLES)
    icon = base64.b64encode((static / "icon.svg").read_bytes()).decode()
    licences = (static / "vendor" / "LICENSES.txt").read_text()
    for text in (theme, opening, style, licences):
        if "</" in text or "<!--" in text:
            raise ValueError("a script or a style of the page would end its own element")
    scripts = " ".join(f"'{_hash(text)}'" for text in (theme, opening))
    policy = (
        f"default-src 'none'; script-src {scripts} blob:; style-src '{_hash(style)}'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Glassplane</title>
<link rel="icon" href="data:image/svg+xml;base64,{icon}">
<script>{theme}</script>
<style>{style}</style>
</head>
<body>
<main id="playground"><p class="waiting">Glassplane …</p>
<noscript><p class="waiting">This file draws a recorded run and needs JavaScript for it.</p></noscript></main>
<script type="text/plain" id="licences">
{licences}</script>
<script type="text/plain" id="modules">{modules}</script>
{INSERT}
<script>{opening}</script>
{INSERT}
</body>
</html>
"""


def write(static: Path = STATIC, target: Path = FRAME) -> None:
    """Write the frame where it is missing or older than the page's files; leave it where those are not all here."""
    sources = [*static.glob("js/**/*"), *static.glob("css/*"), *static.glob("vendor/*"), Path(__file__)]
    if not (static / "vendor" / VENDORED["preact"]).exists() or not os.access(target.parent, os.W_OK):
        return
    if target.exists() and target.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, delete=False) as fresh:
        fresh.write(framed(static))
    Path(fresh.name).chmod(0o644)
    os.replace(fresh.name, target)  # noqa: PTH105


def _in_order(static: Path) -> dict[str, str]:
    """Return the modules by name, each after those that it imports, with names in its imports."""
    texts: dict[str, str] = {}
    begun: set[str] = set()

    def visit(name: str) -> None:
        if name in texts:
            return
        if name in begun:
            raise ValueError(f"{name} imports itself, by way of others")
        begun.add(name)
        folder, path = (static / "vendor", VENDORED[name]) if name in VENDORED else (static / "js", name)
        text = _without_comments((folder / path).read_text())
        for _, wanted in IMPORT.findall(text):
            if (other := _name(wanted, name)) is not None:
                visit(other)
        texts[name] = IMPORT.sub(lambda found: _renamed(found, name), text)

    visit(START)
    return texts


def _without_comments(text: str) -> str:
    """Return a module without its JSDoc, in which imports of types stand."""
    head, *rest = text.split("/**")
    return head + "".join(part.partition("*/")[2] for part in rest)


def _name(wanted: str, importer: str) -> str | None:
    """Return the name of what a module imports; None for what is left out."""
    if wanted in VENDORED:
        return wanted
    name = os.path.normpath(Path(importer).parent / wanted)
    return None if name.startswith(ABSENT) else name


def _renamed(found: re.Match[str], importer: str) -> str:
    name = _name(found[2], importer)
    return found[0] if name is None else f'{found[1]} "glassplane:{name}"'


def _packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


if __name__ == "__main__":
    write()
