"""The same command line, here and with the real tool of this machine."""

import shutil
import subprocess

import pytest
from patience import PATIENCE_SECONDS

from cluster_engine.shell.terminal import Terminal


def ours(run, line, files):
    """Run a line on a host with these files in its home; give exit code, output and complaints."""

    async def story(world):
        host = world.add_host("a", "10.0.0.1")
        for name, text in files.items():
            host.files.write(f"/root/{name}", text if isinstance(text, bytes) else text.encode())
        out = {"stdout": [], "stderr": []}
        terminal = Terminal(world, host, lambda work, _: world.loop.create_task(work))
        code = await terminal.run(line, lambda stream, piece: out[stream].append(piece))
        return code, "".join(out["stdout"]), "".join(out["stderr"])

    return run(story)


def real(line, files, directory):
    """Run the line in a real shell, in a directory with the files."""
    for name, text in files.items():
        (directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=directory,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": str(directory)},
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def assert_alike(run, tmp_path, line, files, *, complaints=True):
    """Hold exit code and output, and what is complained of, to the real tool's; skip where there is none."""
    tool = line.rpartition("| ")[2].split()[0] if "'" not in line else line.split()[0]
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here")
    expected = real(line, files, tmp_path)
    found = ours(run, line, files)
    assert found[:2] == expected[:2], found[2] or expected[2]
    if complaints:
        assert found[2] == expected[2]
