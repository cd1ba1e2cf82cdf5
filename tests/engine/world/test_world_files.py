"""A host's disk: how much it takes, and the words in which it refuses more."""

import pytest

from cluster_engine.world.files import DISK_BYTES_MAX, FILE_BYTES_MAX, FILES_MAX, MODE, PRIVATE_MODE, FileSystem


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "Is a directory"),
        ("/etc", "Is a directory"),
        ("/etc/", "Is a directory"),
        ("/etc/hosts/x", "Not a directory"),
        ("/" + "a" * 256, "File name too long"),
        ("/" + "a/" * 2048 + "b", "File name too long"),
    ],
)
def test_a_path_that_cannot_be_a_file_is_refused_as_linux_does(path, words):
    files = FileSystem()
    files.write("/etc/hosts", b"x")
    with pytest.raises(OSError, match=words):
        files.write(path, b"")
    with pytest.raises(OSError, match=words):
        files.append(path, b"")


def test_a_file_has_a_largest_size():
    files = FileSystem()
    files.write("/a", b"x" * FILE_BYTES_MAX)
    with pytest.raises(OSError, match="File too large"):
        files.write("/b", b"x" * (FILE_BYTES_MAX + 1))
    with pytest.raises(OSError, match="File too large"):
        files.append("/a", b"x")
    assert not files.exists("/b")


def test_a_disk_that_is_full_takes_no_more_until_something_is_removed_or_made_smaller():
    files = FileSystem()
    block = b"x" * (FILE_BYTES_MAX - 10)
    for number in range(DISK_BYTES_MAX // FILE_BYTES_MAX):
        files.write(f"/{number}", block)
    files.write("/small", b"x")
    with pytest.raises(OSError, match="No space left on device"):
        files.write("/more", b"x" * 1000)
    with pytest.raises(OSError, match="No space left on device"):
        files.append("/small", b"x" * 1000)
    files.write("/0", block)
    files.write("/0", b"small")
    files.write("/more", b"x" * 1000)
    files.remove("/1")
    files.write("/much", block)
    for number in (0, 2, 3, 4, 5, 6, 7, "more", "much", "small"):
        files.remove(f"/{number}")
    assert files._size == 0


def test_a_disk_has_so_many_files_and_no_more():
    files = FileSystem()
    for number in range(FILES_MAX):
        files.write(f"/{number}", b"")
    with pytest.raises(OSError, match="No space left on device"):
        files.write("/more", b"")
    files.write("/7", b"there already")


def test_what_is_appended_is_read():
    files = FileSystem()
    files.append("/a", b"1")
    files.append("/a", b"2")
    assert files.read("/a") == b"12"
    files.append("/a", b"3")
    assert (files.read("/a"), files.read("/a")) == (b"123", b"123")


def test_a_file_remembers_its_mode_and_when_it_was_written():
    now = [5.0]
    files = FileSystem(lambda: now[0])
    files.write("/etc/key", b"secret", PRIVATE_MODE)
    files.write("/etc/crt", b"public")
    now[0] = 7.0
    files.write("/etc/key", b"another")
    files.append("/var/log/x", b"line")
    assert (files.mode("/etc/key"), files.mode("/etc/crt")) == (PRIVATE_MODE, MODE)
    assert [files.written(path) for path in ("/etc/key", "/etc/crt", "/etc", "/var/log/x")] == [7.0, 5.0, 7.0, 7.0]
    files.remove("/etc/key")
    files.write("/etc/key", b"new")
    assert files.mode("/etc/key") == MODE
