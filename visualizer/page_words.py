"""The page's words as it loads them: one JSON document a language, made of `cluster_engine/words/<language>/*.toml`.
The cards of faults are a second one, `fault_cards.<language>.json`, which is fetched when somebody opens a card.

What one object of a resource is called, which no language says otherwise, stands in it too: `kind.pods` is "Pod".

Written beside the page's other static files, so that they are served, compressed and revalidated as those are; made
again when a text has changed. They are not in the repository.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster_engine.words.languages import document, languages
from cluster_engine.words.sentences import KINDS
from visualizer import fault_cards


def page_document(language: str) -> dict[str, str]:
    """Return all that the page says in a language, by key."""
    return {**{f"kind.{plural}": name for plural, name in KINDS.items()}, **document(language)}


def write_words(folder: Path) -> None:
    """Write the documents of every language, where they are missing or say something else."""
    folder.mkdir(exist_ok=True)
    for language in languages():
        _write(folder / f"{language}.json", page_document(language))
        _write(folder / f"fault_cards.{language}.json", fault_cards.page_document(language))


def _write(target: Path, document: Mapping[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, delete=False) as fresh:
        fresh.write(text)
    Path(fresh.name).chmod(0o644)
    os.replace(fresh.name, target)  # noqa: PTH105
