"""Names that a server chose, as the n-th of their prefix: two runs of one story draw other letters.

    names = Names(entries)                                 POST pods, generateName web-6dc5cd68db-, stored as …-c6fr7
    names.plain("default/web-6dc5cd68db-c6fr7")            -> "default/web-6dc5cd68db-…1"
    names.plain("web-6dc5cd68db-c6fr7.c1171f561c052659")   -> "web-6dc5cd68db-…1.…"      an Event's, of a time

A name is learned where etcd is asked to store it; whatever speaks of it before that was guessed by somebody.
"""

import re
from collections import Counter
from collections.abc import Iterable

from cluster_engine.journal import Entry

WORD = re.compile(r"[a-z0-9-]+")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
OF_A_TIME = re.compile(r"\.[0-9a-f]{16}\b")
TEXT_MAX = 4096
"""What is longer is compared as it is."""


class Names:
    """The chosen names of one run, and the namespaces of its pods."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._numbered: dict[str, str] = {}
        self._plain: dict[str, str] = {}
        self.namespaces: dict[str, str] = {}
        """By a pod's name; of two of one name, the later."""
        self.chosen: dict[int, str] = {}
        """By the seq of the request that left it to the server."""
        asked: dict[int, str] = {}
        known: Counter[str] = Counter()
        for entry in entries:
            fields = entry["fields"]
            if fields.get("resource") == "pods" and fields.get("name"):
                self.namespaces[fields["name"]] = fields.get("namespace", "")
            if entry["kind"] == "http.request" and fields.get("generateName") and not fields.get("name"):
                asked[entry["seq"]] = fields["generateName"]
            elif fields.get("operation") == "create" and (of := entry.get("cause")) in asked and fields.get("name"):
                self.chosen[of] = fields["name"]
                self._choose(asked[of], fields["name"], known)

    def _choose(self, prefix: str, name: str, known: Counter[str]) -> None:
        if name.startswith(prefix) and name not in self._numbered:
            known[prefix] += 1
            self._numbered[name] = f"{prefix}…{known[prefix]}"

    def plain(self, text: str) -> str:
        """Return a text with the chosen names in it as numbers of their prefixes."""
        found = self._plain.get(text)
        if found is None:
            found = self._plain[text] = self._said(text) if len(text) <= TEXT_MAX else text
        return found

    def _said(self, text: str) -> str:
        numbered = WORD.sub(lambda word: self._numbered.get(word[0], word[0]), text) if self._numbered else text
        return OF_A_TIME.sub(".…", numbered) if "." in numbered else numbered
