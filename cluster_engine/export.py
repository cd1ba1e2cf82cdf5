"""A journal as lines of JSON, for people and their tools: every entry, with its sentence.

journal.subscribe(lines_into(file))      {"seq": 1, …, "sentence": "etcd starts on control-plane"}
"""

from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec

from cluster_engine.words.sentences import sentence


def lines_into(file: BinaryIO, language: str = "en") -> Callable[[dict[str, Any]], None]:
    """Return a subscriber that writes each entry into `file`, which is the caller's to close."""
    encode = msgspec.json.Encoder().encode

    def write(entry: dict[str, Any]) -> None:
        file.write(encode({**entry, "sentence": sentence(entry, language)}) + b"\n")

    return write
