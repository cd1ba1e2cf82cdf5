"""The key lab: one API server, three ways of agreeing on keys, one capture, and what each key opens of it."""

import asyncio
import re
import shutil
import subprocess

import pytest

from cluster_engine.lens.opening import open_entry

KEY, PCAP = "/etc/kubernetes/pki/apiserver.key", "/root/a.pcap"
CURL = "SSLKEYLOGFILE=/root/keys curl -sk --http1.1 --connect-timeout 5"
TSHARK = f"tshark -r {PCAP} -Y http.request.uri -T fields -e http.request.uri"


def the_real_tshark_opens(files, folder, option):
    """What the real one reads of a host's capture, where it is installed; None where it is not."""
    if shutil.which("tshark") is None:
        return None
    for name in (KEY, PCAP, "/root/keys"):
        (folder / name.split("/")[-1]).write_bytes(files.read(name))
    line = ["tshark", "-r", "a.pcap", "-d", "tcp.port==6443,tls", "-Y", "http.request.uri", "-T", "fields"]
    line += ["-e", "http.request.uri", "-o", option]
    return subprocess.run(line, capture_output=True, text=True, check=True, timeout=60, cwd=folder).stdout.split()


def test_the_servers_key_opens_rsa_key_exchange_alone_and_the_key_log_opens_all(workstation, tmp_path):
    async def story(sh):
        await sh.ok("ssh control-plane")
        listening = asyncio.ensure_future(sh(f"tcpdump -i lo -w {PCAP} port 6443", interrupt_after=20))
        await asyncio.sleep(1)
        await sh.ok(f"{CURL} --tls-max 1.2 --ciphers AES128-GCM-SHA256 https://10.0.0.1:6443/version?by=rsa")
        await sh.ok(f"{CURL} --tls-max 1.2 https://10.0.0.1:6443/version?by=ecdhe")
        await sh.ok(f"{CURL} https://10.0.0.1:6443/version?by=tls13")
        await listening
        assert await sh.ok(TSHARK) == ""
        by_key = await sh.ok(f'{TSHARK} -o \'uat:rsa_keys:"{KEY}",""\' -o tls.debug_file:why')
        assert by_key.split() == ["/version?by=rsa"]
        why = (await sh.ok("cat why")).splitlines()
        assert any("TLS_RSA_WITH_AES_128_GCM_SHA256: opened with the private key" in line for line in why)
        assert any("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: not opened: keys were agreed on by (EC)" in w for w in why)
        assert any("not opened: TLS 1.3 always agrees on keys by (EC)DHE" in line for line in why)
        by_log = await sh.ok(f"{TSHARK} -o tls.keylog_file:/root/keys")
        assert by_log.split() == ["/version?by=rsa", "/version?by=ecdhe", "/version?by=tls13"]
        files = sh.cluster.world.host("control-plane").files
        for option, opened in (('uat:rsa_keys:"apiserver.key",""', by_key), ("tls.keylog_file:keys", by_log)):
            assert the_real_tshark_opens(files, tmp_path, option) in (None, opened.split())
        assert "GET /version?by=rsa" in await sh.ok(f"ssldump -n -r {PCAP} -k {KEY} -d 2>/dev/null")

        entries, readers = sh.cluster.journal.since(0, 100_000), {}
        for entry in entries:
            if entry["kind"] == "http.request" and "by=" in entry["fields"]["path"]:
                (record,) = open_entry(sh.cluster.journal, entry["seq"])["records"]
                readers[entry["fields"]["path"]] = record["readers"]
        assert readers == {
            "/version?by=rsa": "server_key", "/version?by=ecdhe": "session", "/version?by=tls13": "session"
        }  # fmt: skip
        premaster = [one for one in entries if one["fields"].get("encryptedPremasterBytes")]
        assert [one["label"] for one in premaster] == ["ClientKeyExchange (premaster secret)"]

        over_http2 = await sh("curl -sk --tls-max 1.2 --ciphers AES128-GCM-SHA256 https://10.0.0.1:6443/version")
        assert (over_http2.code != 0, over_http2.out) == (True, "")
        after = sh.cluster.journal.since(entries[-1]["seq"], 999)
        assert next(one for one in after if one["kind"] == "h2.goaway")["fields"]["error"] == "INADEQUATE_SECURITY"

    workstation(story, nodes=1, capture=True, key_lab=True)


def test_sessions_are_resumed_and_hellos_are_asked_for_again(workstation):
    async def story(sh):
        client = "openssl s_client -connect 10.0.0.1:6443"
        await sh.ok(f"sleep 1 | {client} -sess_out s.pem")
        again = await sh.ok(f"{client} -sess_in s.pem -keylogfile keys </dev/null")
        assert (await sh.ok("cut -d' ' -f1 keys")).split("\n")[1] == "SERVER_HANDSHAKE_TRAFFIC_SECRET"
        assert "Reused, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384" in again
        five = await sh.ok(f"{client} -tls1_2 -reconnect </dev/null")
        assert len(re.findall("^Reused, TLSv1.2", five, re.M)) == 5
        assert "Server Temp Key: ECDH, prime256v1, 256 bits" in await sh.ok(
            f"{client} -groups ffdhe2048:P-256 </dev/null"
        )
        hellos = [one for one in sh.cluster.journal.since(0, 100_000) if one["kind"] == "tls.server_hello"]
        assert [one["label"] for one in hellos if one["fields"].get("retry")] == ["HelloRetryRequest"]
        resumed = [one["fields"]["version"] for one in hellos if one["fields"].get("resumes")]
        assert resumed == ["TLS 1.3", *5 * ["TLS 1.2"]]

        for line, said in (
            (f"{client} -sess_in /etc/hosts", "Can't open session file /etc/hosts"),
            (f"{client} -sess_in nope", "Can't open session file nope"),
            (f"{client} -groups nope", "Call to SSL_CONF_cmd(-groups, nope) failed"),
        ):
            failed = await sh(f"{line} </dev/null")
            assert (failed.code, failed.err.splitlines()[0]) == (1, said)

    workstation(story, nodes=1, capture=True)


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--tls-min-version=VersionTLS9", 'err="unknown tls version \\"VersionTLS9\\""'),
        ("--tls-cipher-suites=TLS_X", "Cipher suite TLS_X not supported or doesn't exist"),
        ("--tls-cipher-suites=TLS_RSA_WITH_AES_128_GCM_SHA256", "missing an HTTP/2-required AES_128_GCM_SHA256 cipher"),
    ],
)
def test_flags_of_tls_with_which_a_server_does_not_start_are_refused_in_gos_words(flag, said):
    from cluster_engine.apiserver import flags
    from cluster_engine.apiserver.serving import suites

    with pytest.raises(ValueError, match=r".") as refusal:
        given = flags.read(["kube-apiserver", "--authorization-mode=Node,RBAC", flag])
        suites.ciphers(given.tls_cipher_suites, serves_http2=True, least="1.2")
    assert said.removeprefix('err="').replace('\\"', '"').rstrip('"') in str(refusal.value)
