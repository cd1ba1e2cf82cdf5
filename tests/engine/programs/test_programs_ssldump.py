"""ssldump: the records of TLS connections, as the real one shows those of the same capture."""

import re
import shutil
import subprocess

import pytest

from cluster_engine.shell.terminal import Terminal
from tests.engine.lens import tls_recordings

CAPTURE = (
    "ssh control-plane 'tcpdump -i lo -w /root/a.pcap port 6443 2>/dev/null & sleep 1; "
    "curl -sk https://10.0.0.1:6443/version >/dev/null; sleep 1; kill %1; sleep 1'"
)


@pytest.mark.skipif(shutil.which("ssldump") is None, reason="there is no ssldump to compare with")
def test_a_capture_is_shown_as_by_the_real_one(workstation, tmp_path):
    async def story(sh):
        await sh.ok(CAPTURE)
        data = sh.cluster.world.host("control-plane").files.read("/root/a.pcap")
        return data, await sh.ok("ssh control-plane ssldump -n -r /root/a.pcap")

    data, ours = workstation(story)
    (tmp_path / "a.pcap").write_bytes(data)
    real = subprocess.run(["ssldump", "-n", "-r", tmp_path / "a.pcap"], capture_output=True, text=True, check=False)
    assert len(ours.splitlines()) > 60
    assert ours == real.stdout


def test_a_private_key_opens_nothing_and_what_is_no_capture_is_refused(workstation):
    async def story(sh):
        await sh.ok(CAPTURE)
        await sh.ok("ssh control-plane")
        closed = await sh("ssldump -r a.pcap -k /etc/kubernetes/pki/apiserver.key 10.0.0.1")
        assert (closed.code, "always agrees on keys by (EC)DHE" in closed.err) == (0, True)
        assert (await sh("ssldump -r a.pcap -k nope")).err == "Problem loading private key\n"
        assert (await sh("ssldump -r nope")).err == "PCAP: nope: No such file or directory\nERROR: Aborting\n"
        assert (await sh("ssldump -r /etc/hosts")).code == 1
        heard = await sh("timeout 5 ssldump -i any -n port 6443 & sleep 1; curl -sk https://10.0.0.1:6443/ >/dev/null")
        assert "      ClientHello\n        Version 3.3 \n" in (heard.out + (await sh("sleep 6")).out)

    workstation(story)


@pytest.mark.skipif(shutil.which("ssldump") is None, reason="there is no ssldump to compare with")
@pytest.mark.parametrize("options", ["", "-k server.key", "-k server.key -d", "-k other.key -d"])
def test_a_private_key_opens_what_the_real_one_opens_with_it(run, tmp_path, options):
    files = {
        "a.pcap": tls_recordings.kinds()["rsa"].file,
        "server.key": tls_recordings.pem(tls_recordings.rsa_key()),
        "other.key": tls_recordings.pem(tls_recordings.rsa_key(1)),
    }

    async def story(world):
        host, out = world.add_host("here", "10.0.0.99"), []
        for name, data in files.items():
            host.files.write(f"/root/{name}", data)
        terminal = Terminal(world, host, lambda work, _: world.loop.create_task(work))
        await terminal.run(f"ssldump -n -r a.pcap {options}", lambda s, text: out.append(text) if s == "stdout" else 0)
        return "".join(out)

    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    line = ["ssldump", "-n", "-r", "a.pcap", *options.split()]
    real = subprocess.run(line, capture_output=True, check=False, timeout=60, cwd=tmp_path).stdout.decode()
    assert run(story) == re.sub("^Cleaned .*\n", "", real, flags=re.M)
    assert ("GET /secret" in real) == (options == "-k server.key -d")
