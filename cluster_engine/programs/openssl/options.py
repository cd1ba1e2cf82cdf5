"""Command lines of openssl's subcommands: each word is a switch, or takes the next word.

    given = read("x509", ["-in", "a.crt", "-noout"], switches={"noout"}, values={"in"})
    given.value("in"), given.has("noout"), given.order      "a.crt", True, ["in", "noout"]

Modelled on apps/lib/opt.c.
"""

from collections.abc import Set

import msgspec

OPERANDS = {
    "ciphers": " [cipher]",
    "dgst": " [file...]",
    "genrsa": " numbits",
    "rand": " num",
    "s_client": " [host:port]",
    "verify": " [cert...]",
}
"""What may follow a subcommand's options."""


class OpenSSLError(Exception):
    """A subcommand has failed: what it says, a line each, and its exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def names(text: str) -> frozenset[str]:
    """Return the names of options that stand in a text."""
    return frozenset(text.split())


class Given(msgspec.Struct):
    """A command line that was read; `order` are its options' names in order, `rest` what follows them."""

    command: str
    values: dict[str, list[str]] = msgspec.field(default_factory=dict)
    order: list[str] = msgspec.field(default_factory=list)
    rest: list[str] = msgspec.field(default_factory=list)

    def has(self, name: str) -> bool:
        """Return whether an option is there."""
        return name in self.order

    def value(self, name: str, default: str = "") -> str:
        """Return an option's last value."""
        return self.values.get(name, [default])[-1]

    def number(self, name: str, default: int) -> int:
        """Return an option's value as a number; OpenSSLError."""
        text = self.value(name)
        try:
            number = int(text, 0) if text else default
        except ValueError:
            raise usage(self.command, f'Can\'t parse "{text[:100]}" as a number') from None
        if abs(number) > 1 << 62:
            raise usage(self.command, f'Can\'t parse "{text[:100]}" as a number')
        return number


def read(command: str, words: list[str], *, switches: Set[str], values: Set[str]) -> Given:
    """Read a subcommand's words; OpenSSLError in its words."""
    given = Given(command)
    left = iter(words)
    for word in left:
        if not word.startswith("-") or word == "-":
            given.rest = [word, *left]
            return given
        name = word.removeprefix("-").removeprefix("-")
        if not name:
            given.rest = [*left]
            return given
        name, equals, value = name.partition("=")
        if name == "help":
            raise _summary(command, switches, values)
        if name in values:
            found = value if equals else next(left, None)
            if found is None:
                raise usage(command, f"Option -{name} needs a value")
            given.values.setdefault(name, []).append(found)
        elif name not in switches or equals:
            raise usage(command, f"Unknown option: -{name}")
        given.order.append(name)
    return given


def _summary(command: str, switches: Set[str], values: Set[str]) -> OpenSSLError:
    """Return the end of a command that was asked what it takes: what it takes here, which is less than the real one."""
    lines = [f" -{name}{' val' if name in values else ''}" for name in sorted({*switches, *values})]
    title = f"Usage: {command} [options]{OPERANDS.get(command, '')}"
    return OpenSSLError("\n".join([title, "", "Valid options are:", *lines]), code=0)


def usage(command: str, text: str) -> OpenSSLError:
    """Return the error of a command line that cannot be read."""
    return OpenSSLError(f"{command}: {text}\n{command}: Use -help for summary.")
