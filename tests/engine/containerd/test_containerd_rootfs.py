import errno

import pytest

from cluster_engine.containerd.rootfs import Mount, RootFiles
from cluster_engine.world.files import FileSystem


def root(*mounts, is_readonly=False):
    host = FileSystem()
    host.write("/volumes/config/key", b"value")
    image = {"/etc/hosts": b"image", "/usr/share/a": b"a", "/usr/share/b": b"b"}
    return host, RootFiles(host, image, "/run/c1/rootfs", mounts, is_readonly=is_readonly)


CONFIG = Mount("/config", "/volumes/config", is_readonly=True)


def test_what_is_written_lies_over_the_image_and_on_the_host():
    host, files = root()
    files.write("/etc/hosts", b"mine")
    files.append("/usr/share/a", b"+")
    assert (files.read("/etc/hosts"), files.read("/usr/share/a"), files.read("/usr/share/b")) == (b"mine", b"a+", b"b")
    assert host.read("/run/c1/rootfs/etc/hosts") == b"mine"


def test_what_is_deleted_of_the_image_is_hidden():
    _, files = root()
    files.remove("/usr/share/a")
    assert files.listdir("/usr/share") == ["b"]
    assert not files.exists("/usr/share/a")
    with pytest.raises(FileNotFoundError):
        files.read("/usr/share/a")
    files.write("/usr/share/a", b"new")
    assert files.read("/usr/share/a") == b"new"


def test_a_volume_is_seen_at_its_path():
    host, files = root(CONFIG, Mount("/cache", "/volumes/cache"), Mount("/etc/one", "/volumes/config/key"))
    assert files.read("/config/key") == files.read("/etc/one") == b"value"
    assert files.listdir("/tmp") == []
    assert {"cache", "config", "etc", "tmp", "usr"} <= set(files.listdir("/"))
    assert files.listdir("/cache") == []
    files.write("/cache/x", b"1")
    assert host.read("/volumes/cache/x") == b"1"
    assert files.listdir("/etc") == ["hosts", "one"]


@pytest.mark.parametrize(
    ("path", "number"),
    [("/config/key", errno.EROFS), ("/config/new", errno.EROFS), ("/usr/share", errno.EISDIR)],
)
def test_what_cannot_be_written_is_refused_by_its_own_name(path, number):
    _, files = root(CONFIG)
    with pytest.raises(OSError, match=path) as refused:
        files.write(path, b"x")
    assert (refused.value.errno, refused.value.filename) == (number, path)


def test_a_read_only_root_has_writable_volumes():
    _, files = root(Mount("/tmp", "/volumes/tmp"), is_readonly=True)
    files.write("/tmp/x", b"1")
    with pytest.raises(OSError, match="Read-only file system"):
        files.write("/x", b"1")
    with pytest.raises(OSError, match="Read-only file system"):
        files.remove("/usr/share/a")


def test_a_file_of_the_host_that_is_missing_is_told_by_the_containers_path():
    _, files = root(CONFIG)
    with pytest.raises(FileNotFoundError) as missing:
        files.read("/config/none")
    assert missing.value.filename == "/config/none"
