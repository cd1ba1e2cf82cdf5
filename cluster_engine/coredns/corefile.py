"""The Corefile: which zones a CoreDNS answers for, and how. Pure.

    .:53 {
        kubernetes cluster.local in-addr.arpa ip6.arpa {     zones of the kubernetes plugin
            pods insecure                                    10-244-1-2.default.pod is 10.244.1.2, unseen
            fallthrough in-addr.arpa ip6.arpa                unknown names of these go on to `forward`
            ttl 30
        }
        forward . /etc/resolv.conf
    }

What is not known here is read over, as long as its braces match. Modelled on CoreDNS 1.11 (plugin/kubernetes/setup.go).
Left out: several server blocks, imports, snippets, and what all other plugins would do.
"""

import msgspec

PODS_MODES = ("disabled", "insecure", "verified")


class CorefileError(ValueError):
    """A Corefile that cannot be read; the text is CoreDNS's."""


class Corefile(msgspec.Struct, frozen=True):
    """What of it is obeyed. Zones are without a dot at the end."""

    port: int = 53
    zones: tuple[str, ...] = ()
    pods: str = "disabled"
    fallthrough: tuple[str, ...] = ()
    ttl: int = 5
    forwards: bool = False
    health: bool = False
    ready: bool = False


def parse(text: str) -> Corefile:
    """Read a Corefile. CorefileError."""
    stack: list[list[str]] = []
    found: dict[str, object] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words == ["}"]:
            if not stack:
                raise CorefileError(f"plugin/corefile: Corefile:{number} - Error during parsing: unexpected '}}'")
            stack.pop()
            continue
        opens = words[-1] == "{"
        words = words[:-1] if opens else words
        if not words:
            raise CorefileError(f"Corefile:{number} - Error during parsing: unexpected '{{'")
        _obey(words, stack, found, number)
        if opens:
            stack.append(words)
    if stack:
        raise CorefileError("Corefile - Error during parsing: Unexpected EOF")
    return Corefile(**found)  # type: ignore[arg-type]


def _obey(words: list[str], stack: list[list[str]], found: dict[str, object], number: int) -> None:
    if not stack:
        port = words[0].rpartition(":")[2] if words and ":" in words[0] else "53"
        if not port.isdecimal():
            raise CorefileError(f"Corefile:{number} - Error during parsing: invalid port {port!r}")
        found["port"] = int(port)
        return
    if len(stack) == 1:
        match words[0]:
            case "kubernetes":
                found["zones"] = tuple(word.strip(".").lower() for word in words[1:]) or ("cluster.local",)
            case "forward":
                found["forwards"] = True
            case "health" | "ready":
                found[words[0]] = True
    elif stack[-1][0] == "kubernetes":
        match words:
            case ["pods", mode] if mode in PODS_MODES:
                found["pods"] = mode
            case ["ttl", seconds] if seconds.isdecimal() and int(seconds) <= 3600:
                found["ttl"] = int(seconds)
            case ["fallthrough", *zones]:
                found["fallthrough"] = tuple(zone.strip(".").lower() for zone in zones) or (".",)
            case ["pods" | "ttl", *_]:
                raise CorefileError(f"plugin/kubernetes: Corefile:{number} - Wrong argument count or unexpected value")
