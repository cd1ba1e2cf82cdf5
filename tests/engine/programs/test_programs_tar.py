"""tar packs and unpacks files as GNU tar does, and is not led astray by what an archive says of itself."""

import io
import shutil
import subprocess
import tarfile

import pytest
from patience import PATIENCE_SECONDS


def test_what_is_packed_is_unpacked_elsewhere_with_its_mode(workstation):
    async def story(sh):
        await sh.ok("mkdir -p /tmp/a/b 2>/dev/null; echo one > /tmp/a/one; echo two > /tmp/a/b/two")
        packed = await sh("tar cf /tmp/all.tar /tmp/a")
        listed = await sh.ok("tar -tf /tmp/all.tar")
        piped = await sh("cd /tmp && tar -c a | tar xf - -C /opt && cat /opt/a/one /opt/a/b/two")
        missing = await sh("tar cf - /nowhere")
        return packed, listed, piped, missing

    packed, listed, piped, missing = workstation(story)
    assert (packed.code, packed.err) == (0, "tar: Removing leading `/' from member names\n")
    assert listed == "tmp/a/b/two\ntmp/a/one\n"
    assert piped.out == "one\ntwo\n"
    assert missing.code == 2
    assert "tar: /nowhere: Cannot stat: No such file or directory\n" in missing.err


def archive_of(**members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, (data, kind) in members.items():
            info = tarfile.TarInfo(name.replace("_", "/").replace("UP", ".."))
            info.size, info.type = len(data), kind
            if kind == tarfile.SYMTYPE:
                info.linkname, info.size = "/etc/passwd", 0
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def test_names_longer_than_a_header_are_read_and_a_folder_larger_than_a_program_may_hold_is_moved(workstation):
    async def story(sh):
        sh.host.files.write("/tmp/long.tar", archive_of(**{"x" * 180: (b"deep\n", tarfile.REGTYPE)}))
        long = await sh.ok("cd /tmp && tar xf long.tar && cat " + "x" * 180)
        await sh.ok("mkdir -p /tmp/big; for i in 1 2 3; do yes xxxxxxx | head -c 8000000 > /tmp/big/$i; done")
        return long, await sh.ok("cd /tmp && tar -c big | tar xf - -C /opt && cat /opt/big/* | wc -c")

    assert workstation(story) == ("deep\n", "24000000\n")


HOSTILE = {
    "up": archive_of(UP_UP_etc_passwd=(b"root", tarfile.REGTYPE)),
    "link": archive_of(link=(b"", tarfile.SYMTYPE)),
    "garbage": b"not an archive" * 100,
    "lies": archive_of(a=(b"x" * 600, tarfile.REGTYPE))[:600],
    "huge": archive_of(a=(b"", tarfile.REGTYPE)).replace(b"00000000000\0", b"77777777777\0", 1),
}


@pytest.mark.parametrize("which", HOSTILE)
def test_a_hostile_archive_writes_nothing_where_it_should_not(shared_workstation, which):
    async def story(sh):
        before = sh.host.files.read("/etc/hosts") if sh.host.files.exists("/etc/hosts") else b""
        sh.host.files.write("/tmp/in.tar", HOSTILE[which])
        done = await sh("cd /tmp && tar xf in.tar")
        after = sh.host.files.read("/etc/hosts") if sh.host.files.exists("/etc/hosts") else b""
        return done, before == after, sh.host.files.exists("/etc/passwd"), sh.host.files.exists("/tmp/link")

    done, untouched, wrote, linked = shared_workstation(story)
    assert untouched
    assert not wrote
    assert not linked
    assert done.code == (0 if which == "link" else 2)


@pytest.mark.skipif(shutil.which("tar") is None, reason="no tar here")
def test_gnu_tar_reads_what_ours_writes(workstation):
    async def story(sh):
        await sh.ok("echo hello > /tmp/a; tar cf /tmp/a.tar /tmp/a")
        return sh.host.files.read("/tmp/a.tar")

    data = workstation(story)
    done = subprocess.run(["tar", "-xOf", "-"], input=data, capture_output=True, check=True, timeout=PATIENCE_SECONDS)
    assert done.stdout == b"hello\n"
