"""Which version of what decides how a run goes this is: of the engine, and of the lessons that play on it.

A cluster is brought back by doing its inputs again (`replay.py`). Where it then goes another way, either the engine
that does them is not the one that did them, or two runs of one engine differ, which is our mistake. The revision kept
with a cluster tells one from the other.

    revision()      "5f0c1d…", of the files' names and contents: the same in every process of one version
"""

import functools
import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DECIDING = ("cluster_engine", "visualizer/lessons")
SUFFIXES = frozenset({".py", ".toml", ".yaml", ".proto"})
DIGITS = 16


@functools.cache
def revision() -> str:
    """Return the revision of this version, in DIGITS hexadecimal digits."""
    digest = hashlib.sha256()
    for folder in DECIDING:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES:
                digest.update(f"{path.relative_to(ROOT)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:DIGITS]
