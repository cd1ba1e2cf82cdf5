"""The fingerprint in the addresses of static files, and what is said of files that are asked for by it."""

from pathlib import Path

from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

from visualizer.static_files import StaticFiles
from visualizer.static_fingerprint import FingerprintedStorage, fingerprint


def test_other_bytes_names_and_files_give_another_fingerprint_and_compressed_copies_do_not(tmp_path: Path):
    def of(**files: str) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        return fingerprint(folder)

    whole = of(a="1", b="2")
    assert whole == of(b="2", a="1") == of(**{"a": "1", "b": "2", "a.gz": "packed"})
    assert len({whole, of(a="1"), of(a="1", b="3"), of(a="1", c="2"), of(a="12", b=""), of(a="2", b="1")}) == 6


def test_addresses_name_the_fingerprint_where_there_is_one(settings):
    storage = FingerprintedStorage()
    assert storage.url("words/") == "/static/words/"
    settings.STATIC_FINGERPRINT = "0123456789abcdef"
    assert storage.url("js/main.js") == "/static/0123456789abcdef/js/main.js"


def test_what_may_be_kept_for_ever_carries_nothing_by_which_to_ask_again(settings, tmp_path: Path):
    settings.STATIC_ROOT, settings.STATIC_FINGERPRINT = tmp_path, "0123456789abcdef"
    (tmp_path / "main.js").write_text("1")
    application = StaticFiles(lambda *_: None)

    @async_to_sync
    async def said(path: str) -> set[str]:
        asked = ApplicationCommunicator(application, {"type": "http", "method": "GET", "path": path, "headers": []})
        return {name.decode() for name, _ in (await asked.receive_output())["headers"]}

    always = {
        "content-type",
        "content-length",
        "cache-control",
        "x-content-type-options",
        "cross-origin-resource-policy",
    }
    assert said("/static/0123456789abcdef/main.js") == always
    assert said("/static/main.js") == said("/static/fedcba9876543210/main.js") == {*always, "etag", "last-modified"}
