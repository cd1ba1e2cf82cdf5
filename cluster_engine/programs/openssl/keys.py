"""openssl genrsa, genpkey, ecparam, pkey, rsa, ec: keys made and shown.

    openssl genrsa -out user.key 2048
    openssl ecparam -name prime256v1 -genkey -noout
    openssl pkey -in user.key -pubout

Keys are truly random. An RSA key has RSA_BITS_MAX at most: a larger one would hold up the world. Modelled on
apps/genrsa.c, genpkey.c, ecparam.c, pkey.c, rsa.c, ec.c. Left out: encryption, DER, parameters of one's own.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cluster_engine.programs.certificates.text import private_key_text, public_key_lines
from cluster_engine.programs.curl.url import whole
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.loading import Loader
from cluster_engine.programs.openssl.options import Given, OpenSSLError, read
from cluster_engine.programs.openssl.x509 import encoding_of, write

RSA_BITS_MIN, RSA_BITS, RSA_BITS_MAX = 512, 2048, 4096
SMALLEST_MADE = 1024
"""What the library makes at least."""
CURVES: dict[str, type[ec.EllipticCurve]] = {
    "secp224r1": ec.SECP224R1,
    "secp256k1": ec.SECP256K1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
    "prime256v1": ec.SECP256R1,
}
CURVE_ALIASES = {"secp256r1": "prime256v1", "P-224": "secp224r1", "P-256": "prime256v1", "P-384": "secp384r1"} | {
    "P-521": "secp521r1"
}
LIST_OF_CURVES = """  secp224r1 : NIST/SECG curve over a 224 bit prime field
  secp256k1 : SECG curve over a 256 bit prime field
  secp384r1 : NIST/SECG curve over a 384 bit prime field
  secp521r1 : NIST/SECG curve over a 521 bit prime field
  prime256v1: X9.62/SECG curve over a 256 bit prime field
"""
CURVE_PARAMETERS = {
    "secp224r1": "BgUrgQQAIQ==",
    "secp256k1": "BgUrgQQACg==",
    "secp384r1": "BgUrgQQAIg==",
    "secp521r1": "BgUrgQQAIw==",
    "prime256v1": "BggqhkjOPQMBBw==",
}
"""The object identifiers of the curves, DER in base64."""


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """Make an RSA key; OpenSSLError for a size that is not made here."""
    if bits < RSA_BITS_MIN:
        raise OpenSSLError("genrsa: Error generating RSA key\nerror:02000078:rsa routines::key size too small")
    if not SMALLEST_MADE <= bits <= RSA_BITS_MAX:
        raise OpenSSLError(f"RSA keys have {SMALLEST_MADE} to {RSA_BITS_MAX} bits here, not {bits}.")
    return rsa.generate_private_key(65537, bits)


def ec_key(name: str, loader: Loader) -> ec.EllipticCurvePrivateKey:
    """Make a key on a curve; OpenSSLError where there is no such curve here."""
    curve = CURVES.get(CURVE_ALIASES.get(name, name))
    if curve is None:
        where = "group_new_from_name:invalid curve:../crypto/ec/ec_lib.c:1490:"
        raise OpenSSLError(f"unable to generate key\n{loader.error('0800008D', 'elliptic curve routines', where)}")
    return ec.generate_private_key(curve())


def pem(key: Any, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    """Write a private key as PEM."""
    return bytes(key.private_bytes(Encoding.PEM, form, NoEncryption())).decode()


def public_pem(key: Any) -> str:
    """Write a public key as PEM."""
    return bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).decode()


async def genrsa(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl genrsa`; give its exit code."""
    switches = frozenset({"traditional", "verbose", "quiet", "F4", "f4", "3", "help"})
    given = read("genrsa", words, switches=switches, values=frozenset({"out", "primes"}))
    text = given.rest[0] if given.rest else str(RSA_BITS)
    bits = whole(text)
    if bits is None:
        raise OpenSSLError(f'genrsa: Can\'t parse "{text[:100]}" as a number')
    form = PrivateFormat.TraditionalOpenSSL if given.has("traditional") else PrivateFormat.PKCS8
    write(invocation, given.value("out"), pem(rsa_key(bits), form))
    return 0


async def genpkey(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl genpkey`; give its exit code."""
    values = frozenset({"algorithm", "pkeyopt", "out", "outform"})
    given = read("genpkey", words, switches=frozenset({"text", "quiet", "help"}), values=values)
    loader = Loader(invocation)
    options = dict(one.partition(":")[::2] for one in given.values.get("pkeyopt", []))
    key = _made(given.value("algorithm"), options, loader)
    text = pem(key) + (private_key_text(key) if given.has("text") else "")
    write(invocation, given.value("out"), text)
    return 0


def _made(algorithm: str, options: dict[str, str], loader: Loader) -> Any:
    match algorithm.upper():
        case "RSA":
            return rsa_key(whole(options.get("rsa_keygen_bits", str(RSA_BITS))) or 0)
        case "EC":
            if "ec_paramgen_curve" not in options:
                error = loader.error("08000082", "elliptic curve routines", "ec_gen:no parameters set:")
                raise OpenSSLError(f"genpkey: Error generating EC key\n{error}")
            return ec_key(options["ec_paramgen_curve"], loader)
        case "ED25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "":
            raise OpenSSLError("genpkey: Use -help for summary.")
    raise OpenSSLError(f"Error initializing {algorithm[:100]} context\n{loader.unsupported(algorithm[:100])}")


async def ecparam(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl ecparam`; give its exit code."""
    switches = frozenset({"genkey", "noout", "list_curves", "text", "help"})
    given = read("ecparam", words, switches=switches, values=frozenset({"name", "out", "param_enc", "conv_form"}))
    if given.has("list_curves"):
        write(invocation, given.value("out"), LIST_OF_CURVES)
        return 0
    name = given.value("name")
    if not name:
        raise OpenSSLError("ecparam: Use -help for summary.")
    key = ec_key(name, Loader(invocation))
    text = ""
    if not given.has("noout"):
        encoded = CURVE_PARAMETERS[CURVE_ALIASES.get(name, name)]
        text = f"-----BEGIN EC PARAMETERS-----\n{encoded}\n-----END EC PARAMETERS-----\n"
    if given.has("genkey"):
        text += pem(key, PrivateFormat.TraditionalOpenSSL)
    write(invocation, given.value("out"), text)
    return 0


async def pkey(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl pkey`, `rsa` or `ec`, which differ in what they take and write; give the exit code."""
    command, *words = words
    switches = frozenset(
        {"text", "noout", "pubout", "pubin", "check", "text_pub", "modulus", "traditional", "help", "pubcheck"}
    )
    given = read(command, words, switches=switches, values=frozenset({"in", "out", "passin", "inform", "outform"}))
    loader = Loader(invocation)
    if command != "pkey":
        invocation.err("read EC key\n" if command == "ec" else "")
    if given.has("pubin"):
        public = await loader.public_key(given.value("in"))
        _check_kind(command, public)
        text = "\n".join([*public_key_lines(public), ""]) if given.has("text") else ""
        write(invocation, given.value("out"), text + ("" if given.has("noout") else public_pem(public)))
        return 0
    what = {"pkey": "key", "rsa": "private key", "ec": "private key"}[command]
    key = await loader.private_key(given.value("in"), what, given.value("passin"))
    _check_kind(command, key.public_key())
    if encoding_of(given) is Encoding.DER and not given.has("noout"):
        write(invocation, given.value("out"), _der(command, key, given))
        return 0
    write(invocation, given.value("out"), _shown(command, key, given, invocation))
    return 0


def _der(command: str, key: Any, given: Given) -> bytes:
    if given.has("pubout"):
        return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    form = PrivateFormat.TraditionalOpenSSL if command == "ec" or given.has("traditional") else PrivateFormat.PKCS8
    return bytes(key.private_bytes(Encoding.DER, form, NoEncryption()))


def _check_kind(command: str, public: Any) -> None:
    wanted = {"rsa": rsa.RSAPublicKey, "ec": ec.EllipticCurvePublicKey}.get(command)
    if wanted is not None and not isinstance(public, wanted):
        raise OpenSSLError("Not an RSA key" if command == "rsa" else "unable to load Key")


def _shown(command: str, key: Any, given: Given, invocation: Invocation) -> str:
    """Return what is asked for; `pkey` shows PEM before text, the others after it."""
    text = ""
    if given.has("text_pub") or (command == "pkey" and given.has("text") and given.has("pubout")):
        text = "\n".join([*public_key_lines(key.public_key()), ""])
    elif given.has("text"):
        text = private_key_text(key)
    if given.has("modulus") and isinstance(key, rsa.RSAPrivateKey):
        text += f"Modulus={key.public_key().public_numbers().n:X}\n"
    checked = ""
    if given.has("check"):
        checked = "RSA key ok\n" if command == "rsa" else "Key is valid\n"
    if given.has("noout"):
        return checked + text
    if command != "pkey":
        invocation.err(f"writing {command.upper()} key\n")
    traditional = command == "ec" or given.has("traditional")
    written = pem(key, PrivateFormat.TraditionalOpenSSL if traditional else PrivateFormat.PKCS8)
    if given.has("pubout"):
        written = public_pem(key.public_key())
    return checked + (written + text if command == "pkey" else text + written)
