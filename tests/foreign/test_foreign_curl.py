"""curl inside a cluster says what the real one (7.88.1) says through the gateway: both ask the same API server."""

import base64
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from patience import PATIENCE_SECONDS

pytestmark = pytest.mark.foreign

TRUSTED = "--cacert T/ca.crt --cert T/client.crt --key T/client.key"
LINES = f"""
curl -sS {TRUSTED} U/version
curl -sSv {TRUSTED} U/api
curl -sSv {TRUSTED} U/api U/version
curl -sSv {TRUSTED} --http1.1 U/api U/version
curl -sSv {TRUSTED} --tls-max 1.2 U/api
curl -sSvk U/api
curl -sSvk -H "Authorization: Bearer x" -A agent U/api/v1/pods?watch=true
curl -sSv U/api
curl -sSv -u me:pw -k U/api
curl -sS {TRUSTED} U/api/v1/namespaces/default/configmaps/nosuch
curl -sSf {TRUSTED} U/api/v1/namespaces/nosuch
curl -sS --fail-with-body {TRUSTED} U/api/v1/namespaces/nosuch
curl -sSI {TRUSTED} U/version
curl -sSi {TRUSTED} U/version
curl -sSi {TRUSTED} --http1.1 U/version
curl -sS {TRUSTED} -X POST -H "Content-Type: application/json" -d {{}} U/api/v1/namespaces
curl -sSv {TRUSTED} --json {{}} U/api/v1/namespaces
curl -sS {TRUSTED} -X DELETE U/api/v1/namespaces/default/configmaps/nosuch
curl -sSk -o /dev/null -w "%{{http_code}} %{{http_version}} %{{size_download}} %{{num_headers}}" U/version
curl -sSk -o /dev/null -w "%{{size_header}} %{{num_certs}} %{{num_connects}} %header{{content-length}}" U/version
curl -sSk -o /dev/null -w "%{{ssl_verify_result}} %{{scheme}} %{{content_type}}" U/version
curl -sSvk --http2-prior-knowledge U/version
curl -sSv http://A/
curl -sSvk --alpn --no-alpn U/version
""".strip().splitlines()


def typed(line):
    return subprocess.run(shlex.split(line), capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)


def plainly(text, address):
    text = text.replace("10.0.0.1:6443", "A").replace(f"{address[0]}:{address[1]}", "A")
    text = text.replace("10.0.0.1", "H").replace(address[0], "H")
    text = text.replace("port 6443", "port P").replace(f"port {address[1]}", "port P")
    text = re.sub(r"^[{}] \[\d+ bytes data\]\n", "", text, flags=re.M)
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    # Whether the server's tickets or the end of its own upload come first is chance with the real one.
    text = text.replace("* We are completely uploaded and fine\n", "")
    text = re.sub(r"(?i)((audit-id|date): ).*", r"\1", text)
    return text.splitlines()


@pytest.mark.parametrize("line", LINES)
def test_it_says_what_the_real_curl_says(unhurried, tmp_path, line):
    if shutil.which("curl") is None or "curl 7.88.1 " not in typed("curl -V").stdout:
        pytest.skip("NO curl 7.88.1 ON THIS MACHINE to compare with")
    config = yaml.safe_load(Path(unhurried.kubeconfig).read_text())
    user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
    files = {
        "ca.crt": cluster["certificate-authority-data"],
        "client.crt": user["client-certificate-data"],
        "client.key": user["client-key-data"],
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(base64.b64decode(data))

    async def copy(cluster):
        for name, data in files.items():
            cluster.world.host("workstation").files.write(f"{tmp_path}/{name}", base64.b64decode(data))

    unhurried.thread.run(copy).result()
    host, port = unhurried.address

    def filled(address):
        text = re.sub(r"(?<= )U(?=/)", f"https://{address}", line).replace("//A/", f"//{address}/")
        return text.replace("T/", f"{tmp_path}/")

    told = {"stdout": "", "stderr": ""}

    def write(stream, text):
        told[stream] += text

    code = unhurried.thread.command(filled("10.0.0.1:6443"), write).result()
    real = typed(filled(f"{host}:{port}"))
    ours = [code, *plainly(told["stdout"], (host, port)), *plainly(told["stderr"], (host, port))]
    assert ours == [real.returncode, *plainly(real.stdout, (host, port)), *plainly(real.stderr, (host, port))]
