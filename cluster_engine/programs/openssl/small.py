"""openssl version, rand, dgst, base64, ciphers: the small ones.

    printf abc | openssl dgst -sha256     SHA2-256(stdin)= ba7816bf…

Modelled on apps/version.c, rand.c, dgst.c, enc.c, ciphers.c.
"""

import base64
import hashlib
import secrets
import ssl

from cluster_engine.programs.curl.url import whole
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.loading import Loader
from cluster_engine.programs.openssl.options import OpenSSLError, read, usage
from cluster_engine.programs.openssl.x509 import write

VERSION = "OpenSSL 3.0.19 27 Jan 2026 (Library: OpenSSL 3.0.19 27 Jan 2026)"
DIGESTS = {"md5": "MD5", "sha1": "SHA1", "sha224": "SHA2-224", "sha256": "SHA2-256", "sha384": "SHA2-384"} | {
    "sha512": "SHA2-512"
}
RANDOM_BYTES_MAX = 1 << 20
CIPHERS = (
    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
    "DHE-RSA-AES256-SHA256:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA256"
)


async def version(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl version`; give its exit code."""
    given = read("version", words, switches=frozenset("avpfbodremc") | {"help"}, values=frozenset())
    directory = 'OPENSSLDIR: "/usr/lib/ssl"\n'
    if given.order == ["d"]:
        invocation.out(directory)
        return 0
    invocation.out(f"{VERSION}\n" + (f"platform: debian-amd64\n{directory}" if given.has("a") else ""))
    return 0


async def rand(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl rand`; give its exit code."""
    given = read("rand", words, switches=frozenset({"hex", "base64", "help"}), values=frozenset({"out"}))
    text = given.rest[0] if given.rest else ""
    size = whole(text)
    if size is None:
        raise usage("rand", f'Can\'t parse "{text[:100]}" as a number' if text else "Missing num bytes")
    if size > RANDOM_BYTES_MAX:
        raise OpenSSLError(f"rand: at most {RANDOM_BYTES_MAX} bytes here")
    data = secrets.token_bytes(size)
    if given.has("hex"):
        write(invocation, given.value("out"), f"{data.hex()}\n")
    elif given.has("base64"):
        write(invocation, given.value("out"), _in_lines(data) or "\n")
    else:
        invocation.out(data)
    return 0


async def dgst(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl dgst`; give its exit code."""
    digests = frozenset(DIGESTS)
    try:
        given = read("dgst", words, switches=digests | {"hex", "r", "binary", "help"}, values=frozenset({"out"}))
    except OpenSSLError as error:
        if "Unknown option: -" not in str(error):
            raise
        name = str(error).partition("option: -")[2].partition("\n")[0]
        said = usage("dgst", f"Unknown option or message digest: {name}")
        raise OpenSSLError(f"{said}\n{Loader(invocation).unsupported(name)}") from error
    name = next((one for one in given.order if one in digests), "sha256")
    loader, text = Loader(invocation), ""
    for path in given.rest or [""]:
        data = await loader.data(path, "file")
        found = hashlib.new(name, data, usedforsecurity=False)
        if given.has("binary"):
            invocation.out(found.digest())
        elif given.has("r"):
            text += f"{found.hexdigest()} *{path or 'stdin'}\n"
        else:
            text += f"{DIGESTS[name]}({path or 'stdin'})= {found.hexdigest()}\n"
    write(invocation, given.value("out"), text)
    return 0


async def base64_(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl base64`; give its exit code. As there, a text without a newline at its end is not decoded."""
    given = read("base64", words, switches=frozenset({"d", "e", "A", "a", "help"}), values=frozenset({"in", "out"}))
    data = await Loader(invocation).data(given.value("in"), "file")
    if not given.has("d"):
        encoded = base64.b64encode(data).decode() if given.has("A") else _in_lines(data)
        write(invocation, given.value("out"), encoded)
        return 0
    if not given.has("A") and not data.endswith(b"\n"):
        return 0
    try:
        invocation.out(base64.b64decode(data, validate=False))
    except ValueError:
        raise OpenSSLError("error reading input file") from None
    return 0


def _in_lines(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    return "".join(f"{text[at : at + 64]}\n" for at in range(0, len(text), 64))


async def ciphers(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl ciphers`; give its exit code."""
    given = read("ciphers", words, switches=frozenset({"v", "V", "s", "tls1_2", "tls1_3", "help"}), values=frozenset())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.set_ciphers(given.rest[0] if given.rest else CIPHERS)
    except (ssl.SSLError, ValueError):
        where = "SSL_CTX_set_cipher_list:no cipher match:../ssl/ssl_lib.c:2741:"
        line = Loader(invocation).error("0A0000B9", "SSL routines", where)
        raise OpenSSLError(f"Error in cipher list\n{line}") from None
    found = context.get_ciphers()
    if given.has("s"):
        version = "TLSv1.2" if given.has("tls1_2") else "TLSv1.3" if given.has("tls1_3") else ""
        found = [one for one in found if not version or (one["protocol"] == "TLSv1.3") == (version == "TLSv1.3")]
    if given.has("V"):
        lines = [f"{'':10}0x{one['id'] >> 8 & 255:02X},0x{one['id'] & 255:02X} - {one['description']}" for one in found]
    elif given.has("v"):
        lines = [one["description"] for one in found]
    else:
        lines = [":".join(one["name"] for one in found)]
    invocation.out("".join(f"{line}\n" for line in lines))
    return 0
