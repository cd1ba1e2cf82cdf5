"""What a server says of itself when something it stands on is gone."""

import errno
import os
import sqlite3
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest
from django.db import connection
from django.test import AsyncClient

from visualizer import health, private_files
from visualizer.health import Health

PAGES = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
NO_SPACE = {"disk": os.strerror(errno.ENOSPC)}


def pages(test):
    for mark in PAGES:
        test = mark(test)
    return test


async def yes() -> bool:
    return True


async def look() -> health.Problems:
    return await Health(yes).problems()


@pages
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_server_that_is_well_says_so_and_leaves_nothing_behind(host, settings, tmp_path, path):
    settings.DATA_DIR = tmp_path
    answer = await AsyncClient().get(path)
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "problems": {}})
    assert list(tmp_path.iterdir()) == []


def full_device() -> IO[bytes]:
    return Path("/dev/full").open("wb", buffering=0)


@pages
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_full_disk_is_told(host, monkeypatch, path):
    monkeypatch.setattr(health.tempfile, "TemporaryFile", lambda **_: full_device())
    answer = await AsyncClient().get(path)
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "problems": NO_SPACE})


@pages
async def test_a_disk_that_takes_a_part_is_full(settings, monkeypatch, tmp_path):
    """As a file system does that has a few blocks left."""
    settings.DATA_DIR = tmp_path
    written = []

    class AlmostFull:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def write(self, data: bytes) -> int:
            if written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written.append(4096)
            return 4096

    monkeypatch.setattr(health.tempfile, "TemporaryFile", lambda **_: AlmostFull())
    assert await look() == NO_SPACE


@pages
async def test_a_data_folder_that_is_gone_is_told(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "gone"
    assert await look() == {"disk": os.strerror(errno.ENOENT)}


@pages
async def test_a_database_that_was_removed_is_told_and_not_made_anew(monkeypatch, tmp_path):
    monkeypatch.setitem(connection.settings_dict, "NAME", tmp_path / "gone.sqlite3")
    assert await look() == {"database": os.strerror(errno.ENOENT)}
    assert not (tmp_path / "gone.sqlite3").exists()


@pages
async def test_a_database_without_our_tables_is_told(monkeypatch, tmp_path):
    empty = tmp_path / "empty.sqlite3"
    sqlite3.connect(empty).close()
    empty.touch()
    monkeypatch.setitem(connection.settings_dict, "NAME", empty)
    assert await look() == {"database": "no such table: visualizer_cluster"}


@pages
async def test_a_server_without_workers_is_not_ready():
    async def no() -> bool:
        return False

    assert await Health(no).problems() == {"workers": "no worker is there to run clusters"}


@pages
async def test_many_who_ask_at_once_are_answered_by_one_look(monkeypatch):
    looks = []
    monkeypatch.setattr(health, "check_disk", lambda: looks.append(1))
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: 1000.0))  # at one instant
    asked = Health(yes)
    assert [await asked.problems() for _ in range(20)] == [{}] * 20
    assert len(looks) == 1


# Whose files they are -------------------------------------------------------------------------------------------------


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_and_its_database_are_for_their_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        private_files.keep(tmp_path / "deep" / "var", "db.sqlite3")
        database = sqlite3.connect(tmp_path / "deep" / "var" / "db.sqlite3")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE t (x)")
        modes = {path.name: mode(path) for path in (tmp_path / "deep" / "var").iterdir()}
        database.close()
    finally:
        os.umask(before)
    assert modes == {"db.sqlite3": 0o600, "db.sqlite3-wal": 0o600, "db.sqlite3-shm": 0o600}
    assert mode(tmp_path / "deep" / "var") == 0o700


def test_what_an_older_version_left_readable_is_mended_and_its_content_kept(tmp_path):
    folder = tmp_path / "var"
    folder.mkdir(mode=0o755)
    for name in ("db.sqlite3", "db.sqlite3-wal"):
        (folder / name).write_text(name)
        (folder / name).chmod(0o644)
    (folder / "mine.txt").write_text("somebody's")
    (folder / "mine.txt").chmod(0o644)
    private_files.keep(folder, "db.sqlite3")
    assert [mode(folder), mode(folder / "db.sqlite3"), mode(folder / "db.sqlite3-wal")] == [0o700, 0o600, 0o600]
    assert mode(folder / "mine.txt") == 0o644
    assert (folder / "db.sqlite3").read_text() == "db.sqlite3"


def test_a_folder_that_is_everybodys_stays_everybodys(tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    private_files.keep(folder, "db.sqlite3")
    assert [mode(folder), mode(folder / "db.sqlite3")] == [0o1777, 0o600]
