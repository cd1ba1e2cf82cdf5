"""A run in one HTML file: what comes out of it is what was put in, whatever that is."""

import base64
import html.parser
import json
import re
import zlib

import msgspec
import pytest

from cluster_engine.deeds import Done, Output, Typed
from cluster_engine.export import frame
from cluster_engine.export import html as export
from cluster_engine.export.html import html as written
from cluster_engine.export.selection import Context, Selection
from cluster_engine.journal import Journal
from cluster_engine.lens.evidence import Evidence, pack
from cluster_engine.lens.opening import open_entry

HOSTILE = "</script><script>alert(1)</script><!-- \u2028 <img src=x onerror=alert(1)> ]]> \\u003c/script> &lt;"


class Elements(html.parser.HTMLParser):
    """The elements of a file, as a browser finds them: (tag, attributes, text of scripts)."""

    def __init__(self, text):
        super().__init__(convert_charrefs=False)
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), []))

    def handle_data(self, data):
        if self.found:
            self.found[-1][2].append(data)

    def scripts(self, **wanted):
        return [
            ({**attributes}, "".join(texts))
            for tag, attributes, texts in self.found
            if tag == "script" and wanted.items() <= attributes.items()
        ]


def shape(data: bytes):
    """Which elements a file has, with the names of their attributes."""
    return {(tag, *sorted(attributes)) for tag, attributes, _ in Elements(data.decode()).found}


def unpacked(text):
    return json.loads(zlib.decompress(base64.b64decode(text), zlib.MAX_WBITS | 16))


def read(data: bytes):
    """What the page reads of a file: what it is, entries, details by seq, and its end."""
    elements = Elements(data.decode())
    ((_, about),) = elements.scripts(id="recording")
    ((_, end),) = elements.scripts(id="recording-end")
    entries = [entry for _, text in elements.scripts(**{"class": "entries"}) for entry in unpacked(text)]
    details = {}
    for attributes, text in elements.scripts(**{"class": "details"}):
        items = unpacked(text)
        texts = [item for item in items if isinstance(item, str)]
        for one in (item for item in items if not isinstance(item, str)):
            for place in one["segments"]:
                place["payload"] = texts[place["payload"]]
            for place in one["records"]:
                place["wire"] = texts[place["wire"]]
                place["plaintext"] = None if place["plaintext"] is None else texts[place["plaintext"]]
            one["body"]["text"] = texts[one["body"]["text"]]
            details[one["seq"]] = one
            assert int(attributes["data-first"]) <= one["seq"] <= int(attributes["data-last"])
    return json.loads(about), entries, details, json.loads(end)


def journal_of(*bodies: bytes, label: str = "POST pods", name: str = "web"):
    journal = Journal(bytes_max=64 << 20)
    for body in bodies:
        fields = {"verb": "create", "resource": "pods", "name": name}
        entry = {"seq": 0, "at": 1.0, "arrived": 1.5, "layer": "story", "kind": "http.request", "label": label}
        entry |= {"from": "a/kubectl", "to": "b/kube-apiserver", "connection": 1 + journal.head % 2, "fields": fields}
        journal.append(entry, pack(Evidence(body_type="text/plain"), journal.keep_body(body)))
    return journal


def test_a_run_comes_back_whole(told):
    about, entries, details, end = read(told.export("html"))
    assert entries == told.entries()
    assert details == {entry["seq"]: open_entry(told.journal, entry["seq"]) for entry in told.entries()}
    assert (about["first"], about["last"], about["leftOut"], end["opened"]) == (1, told.journal.head, 0, 1)
    assert about["began"].startswith("2023-11-14T22:13:20.123456")


def test_a_range_and_a_connection_are_what_was_asked_for(told):
    about, entries, details, end = read(told.export("html", first=100, last=180))
    assert [entry["seq"] for entry in entries] == sorted(details) == list(range(100, 181))
    assert (about["first"], about["last"], end["opened"]) == (100, 180, 100)
    one = told.one("http.request")["connection"]
    _, entries, details, _ = read(told.export("html", connection=one))
    assert {entry["connection"] for entry in entries} == {one}
    assert sorted(details) == [entry["seq"] for entry in entries]


def test_hostile_names_and_bodies_are_text():
    line = b"x" * (10 << 20)
    data = b"".join(written(journal_of(HOSTILE.encode(), line, label=HOSTILE, name=HOSTILE), Selection(), Context()))
    plain = b"".join(written(journal_of(b"1", b"2"), Selection(), Context()))
    assert shape(data) == shape(plain)
    _, entries, details, _ = read(data)
    assert entries[0]["label"] == entries[0]["fields"]["name"] == HOSTILE
    assert details[1]["body"]["text"] == HOSTILE
    assert details[2]["body"]["text"] == line.decode()
    assert len(data) < 1 << 20


def test_what_was_typed_and_printed_stands_in_the_file_of_the_range_in_which_it_was():
    said = (
        *(Typed("a", "kubectl get pods", after=0), Output("a", 1, "stdout", HOSTILE, 1), Done("a", 2, 0, "", 3)),
        *(Typed("b", "sleep 9", after=3), Done("b", 1, 0, "", 4)),
    )

    def found(**selected):
        data = b"".join(written(journal_of(*[b""] * 4), Selection(**selected), Context(said=said)))
        return [
            frame for _, text in Elements(data.decode()).scripts(**{"class": "terminals"}) for frame in unpacked(text)
        ]

    assert found() == [msgspec.to_builtins(one) for one in said]
    assert [(one["type"], one["id"]) for one in found(last=2)] == [("typed", "a"), ("output", "a")]
    assert {one["id"] for one in found(first=4)} == {"b"}
    assert found(connection=1) == []


def test_a_cast_cannot_end_its_element():
    data = b"".join(written(journal_of(b""), Selection(), Context(cast={"people": [HOSTILE], "workers": []})))
    assert read(data)[0]["cast"]["people"] == [HOSTILE]


def test_the_oldest_bodies_are_left_out_first(told, monkeypatch):
    whole = told.export("html")
    monkeypatch.setattr(export, "PART_DETAILS", 16)
    monkeypatch.setattr(export, "FILE_BYTES_MAX", len(whole) * 2 // 3)
    data = told.export("html")
    assert len(data) <= len(whole) * 2 // 3
    _, entries, details, end = read(data)
    assert entries == told.entries()
    assert 1 < end["opened"] <= told.journal.head
    assert sorted(details) == list(range(end["opened"], told.journal.head + 1))


def test_the_oldest_of_too_many_entries_are_left_out_and_counted(monkeypatch):
    monkeypatch.setattr(export, "ENTRIES_MAX", 3)
    about, entries, _, _ = read(b"".join(written(journal_of(*[b"1"] * 5), Selection(), Context())))
    assert [entry["seq"] for entry in entries] == [3, 4, 5]
    assert (about["first"], about["leftOut"]) == (3, 2)


def test_what_is_forgotten_meanwhile_is_passed_over():
    journal = Journal(bytes_max=256 * 1024)
    entry = {"seq": 0, "kind": "command.started", "from": "workstation/terminal", "to": None, "label": "a" * 60}

    def write(count):
        for _ in range(count):
            journal.append({**entry, "connection": None, "size": 0, "fields": {"host": "workstation"}})

    write(400)
    chunks = written(journal, Selection(), Context())
    first = [next(chunks) for _ in range(100)]
    write(5000)
    assert journal.first > 400
    about, entries, _, _ = read(b"".join([*first, *chunks]))
    assert about["last"] == 400
    assert len(entries) < 100


def test_an_empty_journal_makes_a_file_too():
    about, entries, details, end = read(b"".join(written(Journal(), Selection(), Context())))
    assert (entries, details, about["last"], end["opened"]) == ([], {}, 0, 1)


def test_nothing_may_run_or_be_fetched_but_what_the_policy_names(told):
    text = told.export("html").decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    elements = Elements(text)
    running = [attributes for attributes, _ in elements.scripts() if "type" not in attributes]
    assert running == [{}, {}]
    assert not [a for _, a, _ in elements.found if "src" in a or ("href" in a and not a["href"].startswith("data:"))]


def test_a_page_that_was_not_built_is_said(told, monkeypatch, tmp_path):
    monkeypatch.setattr(frame, "FRAME", tmp_path / "none.html")
    with pytest.raises(ValueError, match="has not been built"):
        told.export("html")
