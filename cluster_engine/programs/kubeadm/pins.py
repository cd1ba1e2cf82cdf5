"""Pins of public keys: by the hash of its key one knows an authority whose certificate one has from nobody.

    pin_of(pem)                                     sha256:8f4c… of the SubjectPublicKeyInfo, as RFC 7469 has it
    read(["sha256:8f4c…"])                          {"8f4c…"}; KubeadmError for what is no hash

Modelled on cmd/kubeadm/app/util/pubkeypin/pubkeypin.go.
"""

import hashlib
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cluster_engine.api.causes import go
from cluster_engine.programs.kubeadm.errors import KubeadmError

FORMAT = "sha256"
HASH_BYTES = 32


def pin_of(pem: bytes) -> str:
    """Return the pin of a certificate's key. ValueError: it is no certificate."""
    key = x509.load_pem_x509_certificate(pem).public_key()
    return f"{FORMAT}:{hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()}"


def read(pins: Iterable[str]) -> set[str]:
    """Read pins as they stand on a command line."""
    found = set()
    for pin in pins:
        parts = pin.split(":")
        if len(parts) != 2:
            raise KubeadmError(f'invalid hash, expected "format:hex-value". Known format(s) are: {FORMAT}')
        if parts[0].lower() != FORMAT:
            raise KubeadmError(f"unknown hash format {go(parts[0])}. Known format(s) are: {FORMAT}")
        found.add(_hex(pin, parts[1]))
    return found


def _hex(pin: str, text: str) -> str:
    if len(text) // 2 != HASH_BYTES:
        why = f"expected a {HASH_BYTES} byte SHA-256 hash, found {len(text) // 2} bytes"
        raise KubeadmError(f"invalid hash {go(pin)}, {why}")
    wrong = next((letter for letter in text if letter not in "0123456789abcdefABCDEF"), None)
    if wrong is not None:
        why = f"could not decode SHA-256 from hex: encoding/hex: invalid byte: U+{ord(wrong):04X} '{wrong}'"
        raise KubeadmError(f"invalid hash {go(pin)}, {why}")
    if len(text) % 2:
        why = "could not decode SHA-256 from hex: encoding/hex: odd length hex string"
        raise KubeadmError(f"invalid hash {go(pin)}, {why}")
    return text.lower()
