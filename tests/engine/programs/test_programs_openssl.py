"""openssl prints what the real one prints of the same files."""

import ipaddress
import re
import shlex
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cluster_engine.pki.authority import Authority, Usage
from tests.engine.programs.curl_server import real, type_

NOW = datetime.now(UTC).replace(microsecond=0)
CA = Authority("ca", now=NOW)
OTHER = Authority("other", now=NOW)


def pem(thing):
    if hasattr(thing, "private_bytes"):
        return thing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return thing.public_bytes(Encoding.PEM)


def odd(key, name, serial, *extensions):
    parts = [x509.NameAttribute(x509.ObjectIdentifier(oid), value) for oid, value in name]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(parts))
        .issuer_name(x509.Name(parts))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(days=9))
        .not_valid_after(NOW + timedelta(days=9))
    )
    for one in extensions:
        builder = builder.add_extension(one, critical=False)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


RSA, ED, P384 = (
    rsa.generate_private_key(65537, 2048),
    ed25519.Ed25519PrivateKey.generate(),
    ec.generate_private_key(ec.SECP384R1()),
)
SAN = x509.SubjectAlternativeName(
    [
        x509.DNSName("a"),
        x509.IPAddress(ipaddress.ip_address("fd00::1")),
        x509.RFC822Name("a@b"),
        x509.UniformResourceIdentifier("http://x/y"),
    ]
)
FILES = {
    "ca.crt": CA.pair.certificate,
    "ca.key": CA.pair.key,
    "other.crt": OTHER.pair.certificate,
    "server.crt": CA.issue("server", usage=Usage.SERVER, names=["server", "10.0.0.1"]).certificate,
    "both.pem": b"".join(
        (pair := CA.issue("system:node:w", organizations=["system:nodes"], usage=Usage.CLIENT)).__getattribute__(part)
        for part in ("certificate", "key")
    ),
    "old.crt": Authority("ca", now=NOW - timedelta(days=4000)).pair.certificate,
    "rsa.crt": pem(odd(RSA, [("2.5.4.6", "DE"), ("2.5.4.10", "A, B"), ("2.5.4.3", 'ü"q\\')], 5, SAN)),
    "rsa.key": pem(RSA),
    "ed.crt": pem(odd(ED, [("2.5.4.3", " x")], 1 << 70)),
    "ed.key": pem(ED),
    "p384.crt": pem(odd(P384, [("2.5.4.3", "x"), ("2.5.4.11", "y")], 200, x509.BasicConstraints(True, 3))),
    "p384.key": pem(P384),
    "text": b"no certificate\n",
    "ext": b"subjectAltName=DNS:a,IP:1.2.3.4\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n",
}
CERTIFICATES = ["ca.crt", "server.crt", "both.pem", "rsa.crt", "ed.crt", "p384.crt"]
LINES = [
    *(f"x509 -in T/{name} -text" for name in CERTIFICATES),
    *(f"x509 -in T/{name} -noout -subject -issuer -dates -serial" for name in CERTIFICATES),
    *(f"x509 -in T/{name} -noout -fingerprint -pubkey -modulus" for name in CERTIFICATES),
    "x509 -in T/rsa.crt -noout -subject -nameopt compat -fingerprint -sha256",
    "x509 -in T/both.pem -noout -enddate -startdate -issuer",
    "x509 -in T/server.crt -noout -ext subjectAltName,keyUsage",
    "x509 -in T/server.crt -noout -checkend 100",
    "x509 -in T/server.crt -noout -checkend 100000000",
    "x509 -in T/server.crt -noout -checkhost server -checkip 10.0.0.2",
    "x509 -in T/none",
    "x509 -in T/text",
    "x509 -in T/rsa.key",
    "x509 -in",
    "x509",
    "pkey -in T/rsa.key -text -noout",
    "pkey -in T/p384.key -text",
    "pkey -in T/ed.key -text -pubout",
    "rsa -in T/rsa.key -check -noout",
    "rsa -in T/p384.key",
    "ec -in T/p384.key -noout -text",
    "ec -in T/p384.key",
    "pkey -in T/none",
    "verify -CAfile T/ca.crt T/server.crt T/both.pem",
    "verify -CAfile T/other.crt T/server.crt",
    "verify -CAfile T/ca.crt -purpose sslserver T/both.pem",
    "verify -CAfile T/ca.crt -purpose sslclient -show_chain T/both.pem",
    "verify T/ca.crt",
    "verify -CAfile T/old.crt T/old.crt",
    "verify -CAfile T/none T/ca.crt",
    "verify -CAfile T/ca.crt T/none T/server.crt",
    "verify -CAfile T/ca.crt T/rsa.key",
    "req -new -key T/p384.key -subj CN=x",
    "req -new -key T/none -subj /CN=x",
    "genrsa abc",
    "genpkey -algorithm foo",
    "ecparam -name foo -genkey",
    "version",
    "dgst -sha256 T/text",
    "dgst -sha512 T/text T/ext",
    "sha1 T/text",
    "dgst -foo T/text",
    "base64 -in T/rsa.crt",
    *(f"asn1parse -in T/{name}" for name in ("ca.crt", "rsa.crt", "p384.crt", "rsa.key", "ed.key", "ext")),
    "asn1parse -in T/server.crt -i",
    "asn1parse -in T/server.crt -offset 9000",
    "ciphers -v ECDHE+AESGCM",
    "ciphers -V ECDHE-RSA-AES128-GCM-SHA256",
    "ciphers -s -tls1_3",
    "ciphers nonsense",
    "x509 -in T/ca.crt -outform der -out T/ca.der",
    "enc -base64 -in T/text",
    "foo",
]  # fmt: skip


def plainly(text):
    return re.sub(r"^[0-9A-F]{16}(?=:error)", "thread", text, flags=re.M)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("files")
    for name, data in FILES.items():
        (found / name).write_bytes(data)
    return found


def ours(run, folder, *lines, stdin=b""):
    """Type lines one after the other on one host with FILES; give what the last one did, and the host's files."""

    async def story(world):
        host = world.add_host("here", "10.0.0.1")
        for name, data in FILES.items():
            host.files.write(f"{folder}/{name}", data)
        for line in lines:
            done = await type_(world, host, ["openssl", *shlex.split(line.replace("T/", f"{folder}/"))], stdin=stdin)
        return done, host.files

    return run(story)


@pytest.mark.parametrize("line", LINES)
def test_it_prints_what_the_real_openssl_prints(run, folder, line):
    if not real("openssl", ["version"])[1].startswith("OpenSSL 3.0."):
        pytest.skip("ANOTHER openssl ON THIS MACHINE than the one that is compared with, 3.0")
    code, out, err = real("openssl", shlex.split(line.replace("T/", f"{folder}/")))
    done, _ = ours(run, folder, line)
    wanted = [code, *out.splitlines(), *plainly(err).splitlines()]
    assert [done[0], *done[1].splitlines(), *plainly(done[2]).splitlines()] == wanted


@pytest.mark.parametrize(
    "command", ["asn1parse", "dgst", "ecparam", "genpkey", "genrsa", "req", "s_client", "verify", "x509"]
)
def test_asked_what_it_takes_it_reads_no_input(run, folder, command):
    code, out, err = real("openssl", [command, "-help"])
    done, _ = ours(run, folder, f"{command} --help")
    assert [*done[:2], done[2].splitlines()[0]] == [code, out, err.splitlines()[0]]
    assert "\n -help\n" in done[2]


def test_what_it_signs_the_real_one_verifies(run, folder, tmp_path):
    done, files = ours(
        run,
        folder,
        "genrsa -out T/u.key 2048",
        "req -new -key T/u.key -subj /O=shop/CN=anna -out T/u.csr",
        "x509 -req -in T/u.csr -CA T/ca.crt -CAkey T/ca.key -CAcreateserial -days 3650 -extfile T/ext -out T/u.crt",
        "req -in T/u.csr -noout -text",
    )
    assert done[0] == 0
    for name in ("u.crt", "u.csr", "u.key"):
        (tmp_path / name).write_bytes(files.read(f"{folder}/{name}"))
    assert files.exists(f"{folder}/ca.srl")
    assert real("openssl", ["verify", "-CAfile", f"{folder}/ca.crt", f"{tmp_path}/u.crt"])[0] == 0
    shown = real("openssl", ["x509", "-in", f"{tmp_path}/u.crt", "-noout", "-text"])[1]
    assert "Subject: O = shop, CN = anna\n" in shown
    assert "X509v3 Key Usage: critical\n                Digital Signature\n" in shown
    assert real("openssl", ["req", "-in", f"{tmp_path}/u.csr", "-noout", "-text"])[1] == done[1]


def test_keys_of_every_kind_are_made(run, folder):
    for line in (
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "genpkey -algorithm ed25519",
        "ecparam -name secp384r1 -genkey",
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 3",
    ):
        (code, out, _), _ = ours(run, folder, line)
        assert code == 0, line
        assert "-----BEGIN " in out
    (code, _, err), _ = ours(run, folder, "genrsa 100000")
    assert (code, err) == (1, "RSA keys have 1024 to 4096 bits here, not 100000.\n")


def test_every_certificate_of_a_cluster_is_shown_as_the_real_one_shows_it(workstation, tmp_path):
    if not real("openssl", ["version"])[1].startswith("OpenSSL 3.0."):
        pytest.skip("ANOTHER openssl ON THIS MACHINE than the one that is compared with, 3.0")

    async def story(sh):
        shown = 0
        for host in ("control-plane", "worker-1"):
            await sh.ok(f"ssh {host}")
            files = sh.cluster.world.host(host).files
            for path in [one for one in files._files if one.endswith((".crt", ".pem"))]:
                (tmp_path / "one").write_bytes(files.read(path))
                out = await sh.ok(f"openssl x509 -in {path} -text -noout")
                assert out == real("openssl", ["x509", "-in", str(tmp_path / "one"), "-text", "-noout"])[1]
                shown += 1
            await sh.ok("exit")
        assert shown > 5

    workstation(story)
