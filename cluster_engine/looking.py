"""`python -m cluster_engine open FILE`: what a capture or an audit log of any cluster says, read as our own wires are.

A capture (pcap or pcapng) is opened with the key log that stands in it, and with that of `--keys`. The story is printed
line by line: when, who to whom, what; with `--journal FILE` all of it is written there as lines of JSON, with
`--html FILE` as the page that shows it. What could not be read is said on standard error.

    $ SSLKEYLOGFILE=keys.log kubectl get pods & tcpdump -i any -w run.pcap port 6443
    $ python -m cluster_engine open run.pcap --keys keys.log
    0.013204  10.0.0.5/kubectl → 10.0.0.1/kube-apiserver  10.0.0.5/kubectl lists pods in default
"""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from cluster_engine.export.frame import frame
from cluster_engine.export.html import html
from cluster_engine.export.jsonl import lines_into
from cluster_engine.export.selection import Context, Selection
from cluster_engine.journal import Entry, Journal
from cluster_engine.recordings.story import FILE_BYTES_MAX, read
from cluster_engine.words.sentences import sentence

KEYS_BYTES_MAX = 64 * 1024 * 1024
HIDDEN = ("tls.encrypted", "tls.data", "tcp.data")
"""Below the story, and yet said: what nobody could read."""


def main(options: argparse.Namespace) -> int:
    """Run the subcommand. OSError, ValueError where a file cannot be read."""
    data = _bytes_of(options.file, FILE_BYTES_MAX)
    key_log = "" if options.keys is None else _bytes_of(options.keys, KEYS_BYTES_MAX).decode("ascii", "replace")
    journal = Journal(Path(tempfile.gettempdir()))
    with contextlib.ExitStack() as ending:
        ending.callback(journal.close)
        page = None if options.html is None else _page(options, ending)
        if options.journal is not None:
            journal.subscribe(lines_into(ending.enter_context(options.journal.open("wb")), options.language))
        elif page is None:
            journal.subscribe(lambda entry: _print(entry, options.language))
        story = read(data, key_log, journal)
        if page is not None:
            page.writelines(html(journal, Selection(), Context(story.began_ns, options.language)))
    for problem in story.problems:
        print(f"glassplane: {problem}", file=sys.stderr)
    return 0


def _page(options: argparse.Namespace, ending: contextlib.ExitStack) -> BinaryIO:
    """Open the file for the page, which must have been built, before the work begins."""
    frame(options.language)
    return ending.enter_context(options.html.open("wb"))  # type: ignore[no-any-return]


def _bytes_of(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        return file.read(bytes_max + 1)


def _print(entry: Entry, language: str) -> None:
    if entry["layer"] != "story" and entry["kind"] not in HIDDEN:
        return
    ends = entry["from"] if entry["to"] is None else f"{entry['from']} → {entry['to']}"
    print(f"{entry['at']:.6f}  {ends}  {sentence(entry, language)}")
