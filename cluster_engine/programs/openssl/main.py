"""openssl: its subcommands, by name.

openssl x509 -in /etc/kubernetes/pki/apiserver.crt -text | grep Subject
"""

from collections.abc import Awaitable, Callable, Mapping

from cluster_engine.programs.certificates.extensions import ExtensionError
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl import asn1, enc, keys, pkcs12, req, s_client, small, verify, x509
from cluster_engine.programs.openssl.options import OpenSSLError

WORDS_MAX = 10_000


def _kind(command: str) -> Callable[[Invocation, list[str]], Awaitable[int]]:
    return lambda invocation, words: keys.pkey(invocation, [command, *words])


def _digest(name: str) -> Callable[[Invocation, list[str]], Awaitable[int]]:
    return lambda invocation, words: small.dgst(invocation, [f"-{name}", *words])


def _cipher(name: str) -> Callable[[Invocation, list[str]], Awaitable[int]]:
    return lambda invocation, words: enc.run(invocation, [f"-{name}", *words])


COMMANDS: Mapping[str, Callable[[Invocation, list[str]], Awaitable[int]]] = {
    "asn1parse": asn1.run,
    "base64": small.base64_,
    "ciphers": small.ciphers,
    "dgst": small.dgst,
    "enc": enc.run,
    "pkcs12": pkcs12.run,
    "ec": _kind("ec"),
    "ecparam": keys.ecparam,
    "genpkey": keys.genpkey,
    "genrsa": keys.genrsa,
    "pkey": _kind("pkey"),
    "rand": small.rand,
    "req": req.run,
    "rsa": _kind("rsa"),
    "s_client": s_client.run,
    "verify": verify.run,
    "version": small.version,
    "x509": x509.run,
    **{name: _digest(name) for name in small.DIGESTS},
    **{name: _cipher(name) for name in enc.KEY_BYTES},
}


async def openssl(invocation: Invocation) -> int:
    """Run openssl; give its exit code."""
    command, *words = [*invocation.argv[1:], ""] if len(invocation.argv) < 2 else invocation.argv[1:WORDS_MAX]
    if command in ("", "help", "-help", "--help", "list"):
        names = "".join(f"{name:<18}" + ("\n" if at % 4 == 3 else "") for at, name in enumerate(COMMANDS))
        invocation.err(f"help:\n\nStandard commands\n{names}\n")
        return 0
    run = COMMANDS.get("version" if command in ("-v", "--version") else command)
    if run is None:
        invocation.err(f"Invalid command '{command[:100]}'; type \"help\" for a list.\n")
        return 1
    try:
        return await run(invocation, words)
    except OpenSSLError as error:
        invocation.err(f"{error}\n")
        return error.code
    except ExtensionError as error:
        invocation.err(f"{error}\n")
        return 1
