"""--tls-min-version and --tls-cipher-suites: Go's names of TLS's versions and suites, and OpenSSL's.

    ciphers(("TLS_RSA_WITH_AES_128_GCM_SHA256", …))     "AES128-GCM-SHA256:…"

What Go does with them (crypto/tls of 1.23, which 1.32 is built with; component-base/cli/flag/ciphersuites_flag.go):

* Without the flag a server offers no suite of RSA key exchange, unless GODEBUG has tlsrsakex=1. With it the list is
  taken as it is, and "insecure" suites are warned of in the log. There is no flag for a highest version: TLS 1.3 is
  spoken with whoever speaks it, and its suites cannot be chosen.
* A server of HTTP/2 that offers TLS 1.2 needs one of the two suites that RFC 7540 §9.2.2 demands, or does not start.
* Clients written in Go, kubectl and all components, offer no RSA key exchange; curl and openssl do when told to.

Left out: RC4 and 3DES, which OpenSSL does not have any more; they are taken and never agreed on.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from cluster_engine.world.tls import TLS_1_2_CIPHERS

VERSIONS: Mapping[str, Literal["1.2", "1.3"]] = {
    "VersionTLS10": "1.2", "VersionTLS11": "1.2", "VersionTLS12": "1.2", "VersionTLS13": "1.3",
}  # fmt: skip
"""What is older than 1.2 is not spoken here, whatever the flag says."""
SECURE: Mapping[str, str] = {
    "TLS_AES_128_GCM_SHA256": "", "TLS_AES_256_GCM_SHA384": "", "TLS_CHACHA20_POLY1305_SHA256": "",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": "ECDHE-ECDSA-CHACHA20-POLY1305",
}  # fmt: skip
INSECURE: Mapping[str, str] = {
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA256": "AES128-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": "ECDHE-ECDSA-AES128-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
    "TLS_RSA_WITH_RC4_128_SHA": "", "TLS_RSA_WITH_3DES_EDE_CBC_SHA": "", "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA": "",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA": "", "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA": "",
}  # fmt: skip
SUITES = {**SECURE, **INSECURE}
DEMANDED = ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")


class SuitesError(ValueError):
    """Suites with which the server does not start; the text is Go's."""


def prohibited_by_http2(transport: asyncio.BaseTransport) -> str:
    """Return what a connection with HTTP/2 has agreed on, where RFC 9113 §9.2.2 prohibits it; "" where it does not.

    Go's server then says GOAWAY with INADEQUATE_SECURITY and hangs up: with RSA key exchange one speaks HTTP/1.1.
    """
    name = str(transport.get_extra_info("cipher", ""))
    is_allowed = name.startswith("ECDHE-") and not name.endswith("-SHA")
    if is_allowed or transport.get_extra_info("tls_version") != "TLSv1.2":
        return ""
    return next((go for go, openssl in SUITES.items() if openssl == name), name)


def insecure(names: Sequence[str]) -> Iterator[str]:
    """Yield those that the log warns of."""
    return (name for name in names if name in INSECURE)


def ciphers(names: Sequence[str], *, serves_http2: bool, least: str) -> str:
    """Return OpenSSL's list for suites by Go's names; Go's usual ones for none. SuitesError."""
    if not names:
        return TLS_1_2_CIPHERS
    if serves_http2 and least != "1.3" and not any(one in names for one in DEMANDED):
        raise SuitesError(
            "error configuring http2: http2: TLSConfig.CipherSuites is missing an HTTP/2-required AES_128_GCM_SHA256 "
            f"cipher (need at least one of {' or '.join(DEMANDED)})"
        )
    return ":".join(dict.fromkeys(SUITES[name] for name in names if SUITES[name])) or TLS_1_2_CIPHERS
