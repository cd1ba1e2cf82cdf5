"""The keys that a reader of captures is given, and what it says of what they open.

    tls.keylog_file:FILE                         lines of SSLKEYLOGFILE
    tls.keys_list:ADDRESS,PORT,PROTOCOL,FILE     private keys; several, with ; between them
    uat:rsa_keys:"FILE","PASSWORD"               one more private key
    tls.debug_file:FILE                          where to say what opened each connection, or why nothing did; - is
                                                 standard error

The debug file's words are ours, where Wireshark writes down each step of its own. Modelled on Wireshark 4.0,
epan/dissectors/packet-tls.c and epan/secrets.c. Left out: `ssl.` preferences' old forms of keys, PKCS #12, PKCS #11.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from cluster_engine.lens.trial import Recording, Trial, Verdict, private_key
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import read_file

KEYLOG, KEYS_LIST = ("tls.keylog_file:", "ssl.keylog_file:"), "tls.keys_list:"
UAT = "uat:rsa_keys:"
UAT_ROW = re.compile(r'"([^"]*)"\s*,\s*"([^"]*)"\s*')
PRIVATE_KEYS_MAX = 16
WHY = {
    Verdict.BEGINS_LATE: "the capture begins in the middle of the connection: without ClientHello nobody knows which "
    "session's secrets these are",
    Verdict.CUT: "the capture ends, or the handshake does, before keys were in use",
    Verdict.UNKNOWN_SUITE: "its cipher suite is not read here",
    Verdict.FORWARD_SECRET: "TLS 1.3 always agrees on keys by (EC)DHE. The private halves were never sent and are "
    "forgotten, and the certificate's key has only signed, so no private key opens it; the session's key log does",
    Verdict.EPHEMERAL: "keys were agreed on by (EC)DHE. The private halves were never sent and are forgotten, and the "
    "certificate's key has only signed, so no private key opens it; the session's key log does",
    Verdict.RESUMED: "it resumes an earlier session, whose master secret was not found: no key exchange is in it that "
    "a key could open",
    Verdict.NO_KEY: "the client has sent the premaster secret encrypted to the key of the server's certificate: that "
    "RSA key opens it, and was not given",
    Verdict.OTHER_KEY: "the client has sent the premaster secret encrypted to the key of the server's certificate, and "
    "the key given is another one",
    Verdict.MISFIT: "there are secrets for it, and its records do not open with them: bytes are missing or changed",
}


class KeysError(Exception):
    """A key that cannot be used; the text is Wireshark's."""


class Keys(msgspec.Struct):
    """What was given."""

    log: list[str] = msgspec.field(default_factory=list)
    private: list[Any] = msgspec.field(default_factory=list)
    debug_path: str = ""
    warnings: list[str] = msgspec.field(default_factory=list)

    def take(self, invocation: Invocation, preference: str) -> bool:
        """Read a preference, "tls.keylog_file:/tmp/keys"; False where it is none about keys."""
        key, _, value = preference.partition(":")
        if preference.startswith(KEYLOG):
            with contextlib.suppress(OSError):  # as Wireshark does, which waits for it to come
                self.log += _read(invocation, value).decode("ascii", "replace").splitlines()
        elif key == "tls.debug_file":
            self.debug_path = value
        elif preference.startswith(KEYS_LIST):
            for row in value.split(";"):
                self._take_row(invocation, row.split(","))
        elif preference.startswith(UAT):
            self._take_uat(invocation, preference)
        else:
            return False
        return True

    def _take_row(self, invocation: Invocation, fields: list[str]) -> None:
        if len(fields) < 4:
            return  # as Wireshark does
        try:
            self._add(invocation, fields[3], fields[4] if len(fields) > 4 else "")
        except OSError:
            return
        except ValueError as error:
            self.warnings.append(f"Can't load private key from {fields[3]}: {error}")

    def _take_uat(self, invocation: Invocation, preference: str) -> None:
        row = UAT_ROW.fullmatch(preference.removeprefix(UAT))
        if row is None:
            self.warnings.append(f'Invalid -o flag "{preference}": rsa_keys:1: expecting field password')
            return
        path, password = row.groups()
        try:
            self._add(invocation, path, password)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            self.warnings.append(f"Error processing rsa_privkeys:\nError loading RSA key file {path}: {why}")

    def _add(self, invocation: Invocation, path: str, password: str) -> None:
        try:
            key = private_key(_read(invocation, path), password)
        except ValueError:
            raise ValueError("can't import pem data: The requested data were not available.") from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("private key public key algorithm isn't RSA")
        if len(self.private) < PRIVATE_KEYS_MAX:
            self.private.append(key)


def _read(invocation: Invocation, path: str) -> bytes:
    return read_file(invocation.files, invocation.absolute(path.strip('"')))


def explained(trial: Trial, recordings: Iterable[tuple[int, str, Recording]]) -> Iterator[str]:
    """Say of each connection what opened it, or why nothing did."""
    for number, ends, recording in recordings:
        verdict = recording.verdict(trial)
        if verdict is Verdict.OPENED:
            with_what = {
                "private key": "the private key: the client has sent the premaster secret encrypted to it",
                "session": "the master secret of the session that it resumes",
            }.get(recording.by, "the session's secrets in the key log")
            said = f"opened with {with_what}"
        else:
            said = f"not opened: {WHY[verdict]}"
        yield f"tcp.stream {number}, {ends}, {recording.description}: {said}.\n"
