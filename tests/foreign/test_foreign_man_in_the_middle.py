"""The real kubectl and curl, pointed at a mitmdump inside the cluster through a door of its own."""

import subprocess

import pytest
from patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.foreign

LINE = "mitmdump --mode reverse:https://10.0.0.1:6443 -k --listen-port 8443 --flow-detail 2 > /root/flows 2>&1"
LISTENS = "until ss -tln | grep -q :8443; do sleep 0.1; done"
HAS_GONE = "while ss -tln | grep -q :8443; do sleep 0.1; done"
MITM_CA = "/root/.mitmproxy/mitmproxy-ca-cert.pem"


@pytest.fixture
def door(control_plane, tmp_path):
    """A proxy on the workstation and a real port that leads to it; gives its URL, its authority and its list."""
    run = control_plane.thread.run
    proxy = run(lambda cluster: cluster.command(LINE, lambda *_: None, terminal="proxy"))

    async def read(cluster, path):
        return cluster.world.host("workstation").files.read(path)

    def file(path):
        return run(lambda cluster: read(cluster, path)).result()

    control_plane.thread.command(LISTENS, lambda *_: None).result()
    (tmp_path / "mitm.crt").write_bytes(file(MITM_CA))
    _, port = control_plane.thread.gateway(to=("workstation", 8443)).result()
    yield f"https://127.0.0.1:{port}", str(tmp_path / "mitm.crt"), lambda: file("/root/flows").decode()
    proxy.cancel()
    control_plane.thread.command(HAS_GONE, lambda *_: None).result()


def test_the_real_kubectl_breaks_off_when_it_does_not_trust_and_is_anonymous_when_it_does(kubectl, door):
    url, authority, flows = door
    untrusted = kubectl("--server", url, "get", "--raw", "/api", check=False)
    assert untrusted.returncode == 1
    assert "tls: failed to verify certificate: x509: certificate signed by unknown authority" in untrusted.stderr
    until(lambda: "The client does not trust the proxy's certificate for 10.0.0.1:6443" in flows())
    until(lambda: "bad certificate" in flows())  # Go has one alert for every server that it does not accept
    trusted = ("--server", url, "--certificate-authority", authority)
    read = kubectl(*trusted, "get", "--raw", "/api/v1/namespaces/default/secrets", check=False)
    assert 'secrets is forbidden: User "system:anonymous" cannot list resource "secrets"' in read.stderr
    until(lambda: "GET https://10.0.0.1:6443/api/v1/namespaces/default/secrets HTTP/2.0" in flows())


def test_the_real_curl_breaks_off_when_it_does_not_trust_and_its_token_can_be_read_when_it_does(door, control_plane):
    url, authority, flows = door
    untrusted = subprocess.run(
        ["curl", "-sS", f"{url}/version"], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert untrusted.returncode == 60
    assert (
        "self-signed certificate in certificate chain" in untrusted.stderr or "issuer certificate" in untrusted.stderr
    )
    token = control_plane.kubectl("create token default").strip()
    line = ["curl", "-sS", "--cacert", authority, "-H", f"Authorization: Bearer {token}", f"{url}/api/v1/nodes"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS)
    assert "system:serviceaccount:default:default" in done.stdout
    until(lambda: f"authorization: Bearer {token}" in flows())
