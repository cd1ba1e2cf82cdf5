"""curl says what the real one says, byte for byte, of one small server that both talk to."""

import re
import shlex
from datetime import UTC, datetime

import pytest

from cluster_engine.pki.authority import Authority, Usage
from cluster_engine.world.tls import ServerTLS
from tests.engine.programs.curl_server import real, real_server, served, serving, tls_context, type_

NOW = datetime.now(UTC)
CA, FOREIGN = Authority("ca", now=NOW), Authority("foreign", now=NOW)
SERVER = CA.issue("server", organizations=["shop"], usage=Usage.SERVER, names=["localhost", "127.0.0.1"])
CLIENT = CA.issue("client", usage=Usage.CLIENT)

PLAIN = [
    "-sS U/echo",
    "-sS U/echo -d a=b -d c=d",
    "-sS U/echo --data-raw @x",
    "-sS U/echo -d @T/data",
    "-sS U/echo --data-binary @T/data",
    "-sS U/echo -d @T/none",
    "-sS U/echo --json '{}'",
    "-sS -G U/echo -d a=b --data-urlencode q=ü&c",
    "-sS -G U/echo?x=1#f -d a=b",
    "-sS -G U -d a=b",
    "-sS --data-urlencode =a/b --data-urlencode x~y --data-urlencode n@T/data U/echo",
    '-sS U/echo -H @T/headers -H Accept: -H "X-Empty;" -H "User-Agent: foo" -H "Host: bar"',
    "-sS -X PUT -A agent -e http://ref -u me:pw U/echo",
    "-sS -X DELETE -b a=b -r 0-4 U/echo",
    "-sS U/echo -F a=1 -F f=@T/data -F t=<T/data -F 'x=y;type=text/x;filename=z' --form-string s=@q",
    "-sS U/echo -F 'f=@T/data;type=text/plain;filename=n.txt' -F q=1;2",
    "-sS U/echo -F f=@T/none",
    "-sS U/echo -F f",
    "-sS U/echo -F a=1 -d b=2",
    "-sS U/echo -K T/options",
    "-sS U/echo -KT/none",
    "-sSi -K T/options U/echo",
    "-sSI U/echo",
    "-sSi U/chunked",
    "-sSv U/chunked",
    "-sS --raw U/chunked",
    "-sSi --raw U/echo U/chunked U/echo",
    "-sS --raw U/cut",
    "-sSv U/redirect",
    "-sSL U/redirect",
    "-sSL U/redirect -d x=y",
    "-sSL U/again -d x=y",
    "-sSL U/loop --max-redirs 2",
    "-sSv U/empty",
    "-sSv U/short",
    "-sSv U/cut",
    "-sSv U/old",
    "-sSv U/garbage",
    "-sSf U/404",
    "-sS --fail-with-body U/404",
    "-sS --compressed U/gzip",
    "-sS --http1.0 U/old",
    "-sS U/a/../b/./c?x=../y",
    "-sS U/x{a,b}[1-2]",
    "-sS U/x[01-10:4]",
    "-sS U/a[b",
    "-sS U/a{b",
    "-sS U/a}b",
    "-sS --request-target /foo U/echo",
    "-sS U/echo U/chunked",
    "-sSv U/echo U/chunked",
    "-sSv -u me:pw U/echo -o /dev/null",
    "-sS -D - U/echo -o /dev/null",
    "-sS -O U/",
    "-sS -d x -I U/echo",
    "-sS ftp2://x/",
    "-sS http:///",
    "-sS http://h:99999/",
    "-sS http://localhost.invalid/",
    "-sSv http://localhost.invalid/",
    "-s http://localhost.invalid/",
    "-sSv http://127.0.0.1:1/",
    "-sS --unix-socket /nowhere http://x/",
    "-sSv --resolve foo:PORT:127.0.0.1 http://foo:PORT/echo",
    "-sSv --connect-to foo:80:127.0.0.1:PORT http://foo/echo",
    "-sSv -x http://127.0.0.1:PORT http://foo:81/x -d a=b -e ref -b a=b",
    "-sSv -x 127.0.0.1:PORT -U me:pw http://foo/x http://bar/y",
    "-sSv -x http://me:p%20w@127.0.0.1:PORT http://foo/redirect",
    "-sSv -p -x 127.0.0.1:PORT U/echo",
    "-sSi -p -x 127.0.0.1:PORT -w %{http_connect} U/echo U/chunked",
    "-sSv -p -x 127.0.0.1:PORT -U me:pw -A agent http://deny/x",
    "-sSv -p -x 127.0.0.1:PORT http://mute/x",
    "-sSv -x 127.0.0.1:1 http://foo/x",
    "-sSv -x nosuch.invalid http://foo/x",
    "-sSv -x ftp://127.0.0.1:PORT U/echo",
    "-sSv -x 127.0.0.1:x U/echo",
    "-sSv -x 127.0.0.1:1 --noproxy foo,127.0.0.0/8 U/echo",
    "-sSv -x 127.0.0.1:1 --noproxy * U/echo",
    "http_proxy=127.0.0.1:PORT -sSv http://foo/x",
    "http_proxy=127.0.0.1:PORT -sSv -x= U/echo",
    "HTTP_PROXY=127.0.0.1:1 ALL_PROXY=http://127.0.0.1:PORT -sSv http://foo/x",
    "all_proxy=127.0.0.1:1 NO_PROXY=.foo,localhost -sSv http://localhost:PORT/x",
    "NO_PROXY=foo -sSv -x 127.0.0.1:PORT http://foo.bar/x",
    "-sSL -o /dev/null -w %{num_redirects}|%{url}|%{url_effective}|%{response_code}|%{http_connect}\\n U/redirect",
    "-sS -o /dev/null -w %{redirect_url}|%{size_download}|%{method}|%{scheme}|%{http_version}|%{foo}|%%|\\t U/redirect",
    "-sS -o /dev/null -w %{exitcode}|%{errormsg}|%{num_connects}|%header{content-length}%{stderr}e\\n U/echo",
    "-sS -w %{http_code}|%{exitcode}|%{errormsg}\\n http://127.0.0.1:1/",
    "",
    "-sS",
    "-foo",
    "--foo U",
    "--c U",
    "--cert",
    "-X",
    "-m abc U",
    "-m -1 U",
    "--retry x U",
    "--no-cert U",
    "--tls-max 1.9 U",
    "--head --silen U/echo",
]  # fmt: skip
TLS = [
    "-sSv -k -x http://127.0.0.1:PLAIN U/echo",
    "HTTPS_PROXY=http://127.0.0.1:PLAIN -sSv --cacert T/ca.crt https://localhost:PORT/echo",
    "https_proxy=http://127.0.0.1:PLAIN no_proxy=localhost -sSv --cacert T/ca.crt https://localhost:PORT/echo",
    "-sSv U/echo",
    "-sSv -k U/echo",
    "-sSv --cacert T/ca.crt U/echo",
    "-sSv --cacert T/foreign.crt U/echo",
    "-sSv --cacert T/ca.crt https://localhost:PORT/echo",
    "-sSv --cacert T/ca.crt --resolve foo.bar:PORT:127.0.0.1 https://foo.bar:PORT/echo",
    "-sSv -k --cacert T/ca.crt --cert T/client.pem U/echo",
    "-sSv --cacert T/ca.crt --cert T/client.crt --key T/client.key U/echo",
    "-sSv --cacert T/ca.crt --tls-max 1.2 --cert T/client.pem U/echo",
    "-sS --cacert T/none U",
    "-sS --cacert T/client.key U",
    "-sS --cert T/none U",
    "-sS --cert T/client.key U",
    "-sS --cacert T/ca.crt --cert T/client.crt U",
    "-sS --cacert T/ca.crt --cert T/client.crt --key T/none U",
    "-sS --cacert T/ca.crt --cert T/client.crt --key T/ca.crt U",
    "-sS --cacert T/ca.crt --cert T/client.crt --key T/foreign.key U",
    "-sS -k --ciphers FOO U",
    "-sS -k --tls13-ciphers FOO U",
    "-sS -k -o /dev/null -w %{http_code}|%{ssl_verify_result}|%{http_version}|%{num_certs} U/echo",
]


def files_of(folder):
    folder.mkdir(exist_ok=True)
    files = {
        "data": b"a=b\nline2\r\n",
        "headers": b"X-A: 1\nX-B: 2\n",
        "options": b'# who asks\n\nheader: "X-A: \\"1\\"\\t2" rest\nuser-agent=abc def\n'
        b"--data x=y\n-e here\nfoo = 1\nheader\n",
        "ca.crt": CA.pair.certificate,
        "foreign.crt": FOREIGN.pair.certificate,
        "foreign.key": FOREIGN.pair.key,
        "client.crt": CLIENT.certificate,
        "client.key": CLIENT.key,
        "client.pem": CLIENT.certificate + CLIENT.key,
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return files


def plainly(text):
    """Leave out what differs from run to run, and the sizes that the real one adds where it writes to no terminal."""
    text = re.sub(r"^[{}] \[\d+ bytes data\]\n", "", text, flags=re.M)
    text = re.sub(r"^\* Couldn't resolve \w+ '.*\n", "", text, flags=re.M)  # said when its thread has found out soon
    text = re.sub(r"^(\* Could not resolve host: .*\n)\1", r"\1", text, flags=re.M)  # then, at times, twice
    before, closing, after = text.partition("* Closing connection 0\n")
    text = (
        before + closing + re.sub(r"\* .*(Newsession|session ID).*\n", "", after)
    )  # they come while it closes, or not
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    text = re.sub(r"-{24}[0-9a-f]{16}", "boundary", text)
    return re.sub(r"after \d+ m", "after 0 m", text)


def both(run, tmp_path, line, port, scheme, tls, plain_port=0):
    """Compare a line, which may begin with what the environment has. PLAIN is a port at which a proxy is."""
    files = files_of(tmp_path)
    filled = line.replace("PORT", str(port)).replace("PLAIN", str(plain_port)).replace("T/", f"{tmp_path}/")
    words = [re.sub(r"^U(?=/|$)", f"{scheme}://127.0.0.1:{port}", word) for word in shlex.split(filled)]
    count = next((at for at, word in enumerate(words) if not re.match("[A-Za-z_]+_(proxy|PROXY)=", word)), len(words))
    environment, words = dict(word.split("=", 1) for word in words[:count]), words[count:]

    async def story(world):
        host = await served(world, port, tls)
        if plain_port:
            await serving(world, host, plain_port)
        for name, data in files.items():
            host.files.write(f"{tmp_path}/{name}", data)
        return await type_(world, host, ["curl", *words], environment=environment)

    code, out, err = run(story)
    real_code, real_out, real_err = real("curl", words, environment)
    if not real("curl", ["--version"])[1].startswith("curl 7.88.1 "):
        pytest.skip("ANOTHER curl ON THIS MACHINE than the one that is compared with, 7.88.1")
    assert [code, plainly(out), *plainly(err).splitlines()] == [
        real_code,
        plainly(real_out),
        *plainly(real_err).splitlines(),
    ]


@pytest.fixture(scope="module")
def plain_port():
    with real_server() as port:
        yield port


@pytest.fixture(scope="module")
def tls_port(tmp_path_factory):
    with real_server(tls_context(tmp_path_factory.mktemp("server"), SERVER, CA)) as port:
        yield port


@pytest.mark.parametrize("line", PLAIN)
def test_it_says_what_the_real_curl_says(run, tmp_path, line, plain_port):
    both(run, tmp_path, line, plain_port, "http", None)


@pytest.mark.parametrize("line", TLS)
def test_it_says_what_the_real_curl_says_of_tls(run, tmp_path, line, tls_port, plain_port):
    tls = ServerTLS(
        SERVER.certificate + CA.pair.certificate,
        SERVER.key,
        client_ca=CA.pair.certificate,
        client_auth="request",
        alpn=("http/1.1",),
    )
    both(run, tmp_path, line, tls_port, "https", tls, plain_port)
