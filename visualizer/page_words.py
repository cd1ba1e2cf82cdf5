"""The page's words as it loads them: one JSON document a language, made of `cluster_engine/words/<language>/*.toml`.

What one object of a resource is called, which no language says otherwise, stands in it too: `kind.pods` is "Pod".

Written beside the page's other static files, so that they are served, compressed and revalidated as those are; made
again when a text has changed. They are not in the repository.
"""

import json
import os
import tempfile
from pathlib import Path

from cluster_engine.words.languages import document, languages
from cluster_engine.words.sentences import KINDS


def page_document(language: str) -> dict[str, str]:
    """Return all that the page says in a language, by key."""
    return {**{f"kind.{plural}": name for plural, name in KINDS.items()}, **document(language)}


def write_words(folder: Path) -> None:
    """Write `<language>.json` for every language, where it is missing or says something else."""
    folder.mkdir(exist_ok=True)
    for language in languages():
        target = folder / f"{language}.json"
        text = json.dumps(page_document(language), ensure_ascii=False, separators=(",", ":"))
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as fresh:
            fresh.write(text)
        Path(fresh.name).chmod(0o644)
        os.replace(fresh.name, target)  # noqa: PTH105
