"""base64, md5sum, sha1sum, sha256sum: bytes as text. Modelled on coreutils 9.1.

kubectl get secret s -o jsonpath='{.data.password}' | base64 -d
"""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.text.reading import Complaint, complain, read

WIDTH = 76
_FOREIGN = re.compile(rb"[^A-Za-z0-9+/=]")
_GROUPS = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


async def base64_(invocation: Invocation) -> int:
    """Run base64: -d decodes, -i passes over what is no base64, -w says how long lines are (0: one line)."""
    try:
        options = read(invocation, "diw:", ["decode", "ignore-garbage", "wrap="])
        width = options.value("-w|--wrap", str(WIDTH))
        if not (width.isascii() and width.isdigit() and len(width) < 10):
            raise Complaint(f"invalid wrap size: '{width}'")
        if len(options.operands) > 1:
            raise Complaint(f"extra operand '{options.operands[1]}'", hint=True)
        path = options.operands[0] if options.operands else "-"
        data = await _all(invocation, path)
        if "-d|--decode" not in options:
            invocation.out(_wrapped(base64.b64encode(data), int(width)))
            return 0
        data = _FOREIGN.sub(b"", data) if "-i|--ignore-garbage" in options else data.replace(b"\n", b"")
        decoded, is_whole = decode(data)
        invocation.out(decoded)
        if not is_whole:
            raise Complaint("invalid input")
    except Complaint as complaint:
        return complain(invocation, complaint)
    return 0


def decode(data: bytes) -> tuple[bytes, bool]:
    """Decode as far as it is base64; say whether that was all of it."""
    told, at = [], 0
    while at < len(data):
        found = _GROUPS.match(data, at)
        if found is None or found.end() == at:
            rest = re.match(rb"[A-Za-z0-9+/]{2,3}", data[at:])
            if rest:
                told.append(base64.b64decode(rest[0] + b"=" * (4 - len(rest[0]))))
            return b"".join(told), False
        told.append(base64.b64decode(found[0]))
        at = found.end()
    return b"".join(told), True


def _wrapped(data: bytes, width: int) -> bytes:
    if not width or not data:
        return data
    return b"".join(data[at : at + width] + b"\n" for at in range(0, len(data), width))


async def _all(invocation: Invocation, path: str) -> bytes:
    try:
        return await invocation.all(path)
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}") from error


def digest(algorithm: str) -> Callable[[Invocation], Awaitable[int]]:
    """Return the program that prints files' digests."""

    async def program(invocation: Invocation) -> int:
        """Print digest and name of each file."""
        try:
            options = read(invocation, "bt", ["binary", "text", "tag"])
        except Complaint as complaint:
            return complain(invocation, complaint)
        code = 0
        for path in options.operands or ["-"]:
            try:
                found = hashlib.new(algorithm, await _all(invocation, path), usedforsecurity=False).hexdigest()
            except Complaint as complaint:
                code = complain(invocation, complaint)
                continue
            tagged = f"{algorithm.upper()} ({path}) = {found}\n"
            invocation.out(tagged if "--tag" in options else f"{found}  {path}\n")
        return code

    return program
