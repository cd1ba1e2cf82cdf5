"""openssl enc: a file made unreadable by a password, and readable again.

    openssl enc -aes-256-cbc -pbkdf2 -in plain -out secret -pass pass:x      "Salted__", eight bytes of salt, AES-CBC
    openssl enc -d -aes-256-cbc -pbkdf2 -in secret -pass pass:x

Key and IV come of password and salt by PBKDF2, or by one round of the digest where it is not asked for, which is said.
Without a cipher bytes are copied, or made base64 of. Modelled on apps/enc.c. Left out: ciphers but AES in CBC mode,
compression, questions for a password.
"""

import base64
import hashlib
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.loading import Loader
from cluster_engine.programs.openssl.options import Given, OpenSSLError, names, read, usage
from cluster_engine.programs.openssl.passwords import password
from cluster_engine.programs.openssl.x509 import write

KEY_BYTES = {name.format(bits): bits // 8 for bits in (128, 192, 256) for name in ("aes-{}-cbc", "aes{}")}
SWITCHES = names("d e a A base64 p P pbkdf2 salt nosalt help") | KEY_BYTES.keys()
VALUES = names("in out pass k kfile K iv S iter md")
DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
MAGIC, SALT_BYTES, BLOCK_BYTES = b"Salted__", 8, 16
ITERATIONS, ITERATIONS_MAX = 10_000, 100_000
CIPHERS = "../providers/implementations/ciphers/ciphercommon"
CUT = f"ossl_cipher_generic_block_final:wrong final block length:{CIPHERS}.c:429:"
WRONG = f"ossl_cipher_unpadblock:bad decrypt:{CIPHERS}_block.c:"
NO_LENGTH, NOT_REPEATED = f"{WRONG}124:", f"{WRONG}129:"
"""What a wrong key leaves at the end: no length of a padding; one, and other bytes before it."""
DEPRECATED = "*** WARNING : deprecated key derivation used.\nUsing -iter or -pbkdf2 would be better.\n"
TOO_SHORT = "hex string is too short, padding with zero bytes to length\n"


async def run(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl enc`; give its exit code."""
    given = _given(invocation, words)
    cipher = next((one for one in reversed(given.order) if one in KEY_BYTES), "")
    secret = await _password(invocation, given) if cipher and not given.has("K") else b""
    data = await Loader(invocation).opened(given.value("in"))
    is_base64 = given.has("a") or given.has("base64")
    if is_base64 and given.has("d"):
        data = _decoded(data)
    if cipher:
        data = _Enc(invocation, given, KEY_BYTES[cipher]).crypted(data, secret)
    if given.has("P"):
        return 0
    if is_base64 and not given.has("d"):
        data = _encoded(data, in_lines=not given.has("A"))
    write(invocation, given.value("out"), data)
    return 0


def _given(invocation: Invocation, words: list[str]) -> Given:
    try:
        return read("enc", words, switches=SWITCHES, values=VALUES)
    except OpenSSLError as error:
        if "Unknown option: -" not in str(error):
            raise
        name = str(error).partition("option: -")[2].partition("\n")[0]
        said = usage("enc", f"Unknown cipher: {name}")
        raise OpenSSLError(f"{said}\n{Loader(invocation).unsupported(name)}") from error


async def _password(invocation: Invocation, given: Given) -> bytes:
    if given.has("pass"):
        return await password(invocation, given.value("pass"))
    if given.has("k"):
        return given.value("k").encode()
    if given.has("kfile"):
        return await password(invocation, f"file:{given.value('kfile')}")
    raise OpenSSLError("enc: a password by -pass, -k or -kfile is needed here: nobody can be asked")


def _decoded(data: bytes) -> bytes:
    try:
        return base64.b64decode(data, validate=False)
    except ValueError:
        raise OpenSSLError("error reading input file") from None


def _encoded(data: bytes, *, in_lines: bool) -> bytes:
    text = base64.b64encode(data)
    return b"".join(text[at : at + 64] + b"\n" for at in range(0, len(text), 64)) if in_lines else text


class _Enc:
    """One run: what is said goes to standard error, keys by -p to standard output."""

    def __init__(self, invocation: Invocation, given: Given, key_bytes: int) -> None:
        self._invocation, self._given, self._key_bytes = invocation, given, key_bytes

    def crypted(self, data: bytes, secret: bytes) -> bytes:
        """Encrypt, or with -d decrypt."""
        given, salt = self._given, b""
        head = b""
        if not given.has("K") and not given.has("nosalt"):
            salt, head, data = self._salt(data)
        key, iv = self._key_and_iv(secret, salt)
        if given.has("p") or given.has("P"):
            lines = ([f"salt={salt.hex().upper()}"] if salt else []) + [f"key={key.hex().upper()}"]
            self._invocation.out("".join(f"{line}\n" for line in [*lines, f"iv ={iv.hex().upper()}"]))
        cipher = Cipher(algorithms.AES(key), modes.CBC(iv))
        if given.has("d"):
            return self._decrypted(data, cipher)
        padder, encryptor = PKCS7(BLOCK_BYTES * 8).padder(), cipher.encryptor()
        return head + encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()

    def _decrypted(self, data: bytes, cipher: Cipher[modes.CBC]) -> bytes:
        """Decrypt; what comes before a bad last block is written in any case."""
        decryptor, unpadder = cipher.decryptor(), PKCS7(BLOCK_BYTES * 8).unpadder()
        padded = decryptor.update(data)
        if len(data) % BLOCK_BYTES or not data:
            self._write(padded)
            raise self._bad("1C80006B", CUT)
        try:
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError as error:
            self._write(padded[:-BLOCK_BYTES])
            is_length = 0 < padded[-1] <= BLOCK_BYTES
            raise self._bad("1C800064", NOT_REPEATED if is_length else NO_LENGTH) from error

    def _write(self, data: bytes) -> None:
        write(self._invocation, self._given.value("out"), data)

    def _bad(self, code: str, why: str) -> OpenSSLError:
        return OpenSSLError(f"bad decrypt\n{Loader(self._invocation).error(code, 'Provider routines', why)}")

    def _salt(self, data: bytes) -> tuple[bytes, bytes, bytes]:
        """Return the salt, what stands before an encrypted text, and the rest of the data."""
        given = self._given
        if given.has("S"):
            salt = self._hex("S", SALT_BYTES, "salt")
            return salt, b"", data
        if not given.has("d"):
            salt = secrets.token_bytes(SALT_BYTES)
            return salt, MAGIC + salt, data
        if len(data) < len(MAGIC) + SALT_BYTES:
            raise OpenSSLError("error reading input file")
        if not data.startswith(MAGIC):
            raise OpenSSLError("bad magic number")
        begin = len(MAGIC) + SALT_BYTES
        return data[len(MAGIC) : begin], b"", data[begin:]

    def _key_and_iv(self, secret: bytes, salt: bytes) -> tuple[bytes, bytes]:
        given, size = self._given, self._key_bytes + BLOCK_BYTES
        if given.has("K"):
            if not given.has("iv"):
                raise OpenSSLError("iv undefined")
            iv = self._hex("iv", BLOCK_BYTES, "iv")
            return self._hex("K", self._key_bytes, "key"), iv
        digest = given.value("md", "sha256").lower()
        if digest not in DIGESTS:
            raise OpenSSLError(f"{usage('enc', f'Unknown option or message digest: {digest[:100]}')}")
        if given.has("pbkdf2") or given.has("iter"):
            count = given.number("iter", ITERATIONS)
            if not 0 < count <= ITERATIONS_MAX:
                raise OpenSSLError(f"enc: 1 to {ITERATIONS_MAX} iterations here, not {count}")
            found = hashlib.pbkdf2_hmac(digest, secret, salt, count, size)
        else:
            self._invocation.err(DEPRECATED)
            found = _bytes_to_key(digest, secret, salt, size)
        return found[: self._key_bytes], found[self._key_bytes :]

    def _hex(self, option: str, size: int, what: str) -> bytes:
        """Read hexadecimal digits, as many as there are, and zeros."""
        text = self._given.value(option)
        if len(text) < size * 2:
            self._invocation.err(TOO_SHORT)
        elif len(text) > size * 2:
            self._invocation.err("hex string is too long, ignoring excess\n")
        try:
            return bytes.fromhex(text[: size * 2].ljust(size * 2, "0"))
        except ValueError as error:
            shown = f"invalid hex {what} value"
            raise OpenSSLError(f"non-hex digit\n{shown}") from error


def _bytes_to_key(digest: str, secret: bytes, salt: bytes, size: int) -> bytes:
    """Return key and IV as EVP_BytesToKey makes them, of one round."""
    found = last = b""
    while len(found) < size:
        last = hashlib.new(digest, last + secret + salt, usedforsecurity=False).digest()
        found += last
    return found[:size]
