"""mitmdump's command line: flags, and --set for all options that have none.

    mitmdump --mode reverse:https://10.0.0.1:6443 -p 8443 -k --set flow_detail=2

Modelled on mitmproxy 11 (tools/cmdline.py, options.py). Left out: every mode but reverse, filters, scripts, -w and -r,
replaying, everything about upstream proxies.
"""

import re
from collections.abc import Sequence

import msgspec

USAGE = "usage: mitmdump [options] [filter]\n"
FLAGS = {
    "-m": "mode", "--mode": "mode", "-p": "listen_port", "--listen-port": "listen_port",
    "--listen-host": "listen_host", "--flow-detail": "flow_detail", "-H": "modify_headers",
    "--modify-headers": "modify_headers",
}  # fmt: skip
SWITCHES = {"-k": "ssl_insecure", "--ssl-insecure": "ssl_insecure", "-q": "quiet", "--quiet": "quiet"}
UPSTREAM = re.compile(r"reverse:https://([A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?/?")
SIZES = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
HEADERS_MAX = 32


class OptionsError(Exception):
    """A command line that is none; its text, and mitmdump's exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class Options(msgspec.Struct, kw_only=True):
    """What was asked for. An answer longer than `stream_large_bodies`, or of unknown length, is passed on as it comes.

    0: every answer is kept until it is whole, as mitmproxy does unless told otherwise; a watch then shows nothing.
    """

    host: str = ""
    port: int = 443
    listen_host: str = ""
    listen_port: int = 8080
    flow_detail: int = 1
    ssl_insecure: bool = False
    ssl_verify_upstream_trusted_ca: str = ""
    client_certs: str = ""
    confdir: str = "~/.mitmproxy"
    stream_large_bodies: int = 0
    headers: list[tuple[str, str]] = msgspec.field(default_factory=list)
    quiet: bool = False
    shows_version: bool = False


def read(words: Sequence[str]) -> Options:
    """Read the words after the program's name. OptionsError."""
    options, left = Options(), iter(words)
    for word in left:
        name, equals, value = word.partition("=")
        if word in ("--version", "-h", "--help"):
            options.shows_version = True
            return options
        if word in SWITCHES:
            setattr(options, SWITCHES[word], True)
        elif name == "--set" or name in FLAGS:
            value = value if equals else next(left, "")
            if not value:
                raise _usage(f"argument {name}: expected one argument")
            key, value = value.partition("=")[::2] if name == "--set" else (FLAGS[name], value)
            _set(options, key, value)
        else:
            raise _usage(f"unrecognized arguments: {word}")
    if not options.host:
        raise OptionsError("mitmdump: only --mode reverse:https://HOST:PORT is there")
    return options


def _usage(text: str) -> OptionsError:
    return OptionsError(f"{USAGE}mitmdump: error: {text}", 2)


def _set(options: Options, key: str, value: str) -> None:
    match key:
        case "mode":
            found = UPSTREAM.fullmatch(value)
            if found is None:
                raise OptionsError(f"Invalid mode specification: {value}")
            options.host, options.port = found[1], _number(key, found[2] or "443", 65535)
        case "listen_port":
            options.listen_port = _number(key, value, 65535)
        case "flow_detail":
            options.flow_detail = _number(key, value, 4)
        case "modify_headers":
            options.headers.append(_header(value))
            del options.headers[HEADERS_MAX:]
        case "stream_large_bodies":
            found = re.fullmatch(r"([0-9]{1,9})([bkmg]?)", value)
            if found is None:
                raise OptionsError(f"Invalid size specification: {value}")
            options.stream_large_bodies = int(found[1]) * SIZES[found[2]]
        case "ssl_insecure":
            options.ssl_insecure = value not in ("false", "off", "no", "0")
        case "listen_host" | "ssl_verify_upstream_trusted_ca" | "client_certs" | "confdir":
            setattr(options, key, value)
        case _:
            raise OptionsError(f"Unknown option: {key}")


def _number(key: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= most):
        raise OptionsError(f"Not an integer: {text}" if not text.isdigit() else f"Invalid value for {key}: {text}")
    return int(text)


def _header(text: str) -> tuple[str, str]:
    """Read "/~q/X-Remote-User/jane": a separator, a filter, a header, its value; the filter may be left out."""
    parts = text[1:].split(text[:1])
    if len(parts) == 3 and parts[0] in ("~q", "~all", ""):
        parts = parts[1:]
    if len(parts) != 2 or not re.fullmatch(r"[A-Za-z0-9-]{1,64}", parts[0]) or not parts[1].isprintable():
        raise OptionsError(f"Cannot parse modify_headers option {text}: invalid replacement specification")
    return parts[0], parts[1]
