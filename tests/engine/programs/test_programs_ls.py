"""ls, and that it lists as the real one does."""

import os
import shutil
import subprocess

import pytest

FILES = {"a": 3, "longer": 5000, "sub/x": 0, ".hidden": 1}
LINES = [
    "",
    "-a",
    "-l",
    "-l a longer",
    "-ld sub",
    "-lh",
    "-lS",
    "-lr",
    "-p",
    "-1 sub a",
    "-l sub",
    "-lR",
    "-Rr sub/ a .",
]


def _made(folder):
    for name, size in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)
        path.chmod(0o644)
    (folder / "sub").chmod(0o755)


def _without_dates(text):
    """A day, an hour, and the length of a directory's list are the machine's own."""
    words = [line.split() for line in text.splitlines() if line not in (".", "..")]
    return [line[:5] + line[8:] if len(line) > 5 else line for line in words]


@pytest.mark.skipif(shutil.which("ls") is None, reason="nothing to compare with")
@pytest.mark.parametrize("flags", LINES)
def test_ls_lists_as_the_real_one(shared_workstation, tmp_path, flags):
    async def story(sh):
        for name, size in FILES.items():
            sh.host.files.write(f"/tmp/d/{name}", b"x" * size)
        return await sh.ok(f"cd /tmp/d; ls {flags}")

    _made(tmp_path)
    real = subprocess.run(
        f"ls {flags}", shell=True, cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
    )  # fmt: skip
    owner = real.stdout.replace(f" {tmp_path.owner()} {tmp_path.group()} ", " root root ")
    assert _without_dates(shared_workstation(story)) == _without_dates(owner)


def test_what_is_not_there_and_options_that_are_none(workstation):
    async def story(sh):
        return await sh("ls nowhere"), await sh("ls -Z")

    missing, option = workstation(story)
    assert (missing.code, missing.err) == (2, "ls: cannot access 'nowhere': No such file or directory\n")
    assert option.err.startswith("ls: invalid option -- 'Z'\n")


def test_ls_lists_what_is_in_directories_after_them_the_deepest_first(shared_workstation):
    async def story(sh):
        return await sh.ok(
            "mkdir -p /tmp/deep/a/b /tmp/deep/c; touch /tmp/deep/a/b/x /tmp/deep/c/y; cd /tmp/deep; ls -R"
        )

    assert shared_workstation(story) == ".:\na\nc\n\n./a:\nb\n\n./a/b:\nx\n\n./c:\ny\n"
