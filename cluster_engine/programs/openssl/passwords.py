"""Where a password comes from: `pass:TEXT`, `env:NAME`, `file:PATH` (its first line), `stdin`.

    await password(invocation, "env:SECRET")      b"…"; OpenSSLError in openssl's words

Modelled on app_passwd in apps/lib/apps.c. Left out: fd:N, questions on the terminal.
"""

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.loading import Loader
from cluster_engine.programs.openssl.options import OpenSSLError
from cluster_engine.programs.streams import read_file

FAILED = "Error getting password"


async def password(invocation: Invocation, text: str) -> bytes:
    """Return the password that an argument stands for. OpenSSLError."""
    kind, colon, rest = text.partition(":")
    if text == "stdin":
        return (await invocation.all()).partition(b"\n")[0]
    if kind == "pass" and colon:
        return rest.encode()
    if kind == "env" and colon:
        found = invocation.environment.get(rest)
        if found is None:
            raise OpenSSLError(f"No environment variable {rest}\n{FAILED}")
        return found.encode()
    if kind == "file" and colon:
        try:
            return read_file(invocation.files, invocation.absolute(rest)).partition(b"\n")[0]
        except OSError as error:
            queue = Loader(invocation).not_opened(rest, "r", error)
            raise OpenSSLError(f"Can't open file {rest}\n{FAILED}\n{queue}") from error
    shown = f', starting with "{kind}:"' if colon else f' "{text}"'
    raise OpenSSLError(f"Invalid password argument{shown}\n{FAILED}")
