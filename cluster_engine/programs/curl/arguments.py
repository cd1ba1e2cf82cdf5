"""curl's command line: a table of options, and what one line of them says.

    read(["-k", "-Hx: y", "https://10.0.0.1:6443/api"])     Options(insecure=True, header=["x: y"], urls=[…], …)

Options may stand anywhere, short ones together (-sSL), long ones shortened as far as they stay alone (--insec), and
switches may be taken back (--no-silent). Modelled on src/tool_getparam.c. What is not in the table is unknown.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from cluster_engine.programs.curl.config_file import lines_of
from cluster_engine.programs.curl.errors import READ_ERROR, UsageError
from cluster_engine.programs.curl.form import Field, field_of

REDIRECTS_MAX = 50
WORDS_MAX = 10_000
"""How many words a command line may have, and a file of options."""
FILES_MAX = 10
"""How many files of options there may be: one may name another, and itself."""
Load = Callable[[str], str]
"""Reads a file of options; OSError."""


class Options(msgspec.Struct):
    """What a command line says. Names are those of the long options; `data` are (option, text) in their order."""

    urls: list[str] = msgspec.field(default_factory=list)
    outputs: list[str | None] = msgspec.field(default_factory=list)
    """File names by address; None for the remote's own name (-O)."""
    data: list[tuple[str, str]] = msgspec.field(default_factory=list)
    form: list[Field] = msgspec.field(default_factory=list)
    header: list[str] = msgspec.field(default_factory=list)
    resolve: list[str] = msgspec.field(default_factory=list)
    connect_to: list[str] = msgspec.field(default_factory=list)
    cookie: list[str] = msgspec.field(default_factory=list)
    cacert: str = ""
    capath: str = ""
    cert: str = ""
    cert_type: str = ""
    ciphers: str = ""
    tls13_ciphers: str = ""
    dump_header: str = ""
    key: str = ""
    key_type: str = ""
    max_filesize: float = 0
    oauth2_bearer: str = ""
    noproxy: str | None = None
    pass_: str = ""
    proxy: str | None = None
    proxy_user: str = ""
    range: str = ""
    referer: str = ""
    request: str | None = None
    request_target: str = ""
    stderr: str = ""
    tls_max: str = "default"
    unix_socket: str = ""
    upload_file: str = ""
    user: str = ""
    user_agent: str | None = None
    write_out: str = ""
    connect_timeout: float = 0
    max_redirs: float = REDIRECTS_MAX
    max_time: float = 0
    retry: float = 0
    retry_delay: float = 0
    retry_max_time: float = 0
    http: str = ""
    """"1.0", "1.1", "2", "2-prior-knowledge"; empty for what both ends can."""
    tls_least: str = "1.2"
    compressed: bool = False
    create_dirs: bool = False
    fail: bool = False
    fail_early: bool = False
    fail_with_body: bool = False
    get: bool = False
    globoff: bool = False
    head: bool = False
    help: bool = False
    include: bool = False
    insecure: bool = False
    ipv4: bool = False
    ipv6: bool = False
    keepalive: bool = True
    location: bool = False
    location_trusted: bool = False
    alpn: bool = True
    buffer: bool = True
    path_as_is: bool = False
    progress_bar: bool = False
    progress_meter: bool = True
    proxytunnel: bool = False
    raw: bool = False
    remote_name_all: bool = False
    retry_all_errors: bool = False
    retry_connrefused: bool = False
    show_error: bool = False
    silent: bool = False
    trace_time: bool = False
    verbose: bool = False
    version: bool = False
    warnings: list[str] = msgspec.field(default_factory=list)
    files: int = 0
    """How many files of options were read."""


SWITCH, TEXT, LIST, NUMBER, DATA, FIXED, OUTPUT = "switch", "text", "list", "number", "data", "fixed", "output"
FORM, CONFIG = "form", "config"
TAKES = frozenset({TEXT, LIST, NUMBER, DATA, OUTPUT, FORM, CONFIG})


class Option(NamedTuple):
    """A row of the table: -short, --long, what it takes, and for FIXED which field gets which value."""

    short: str
    long: str
    kind: str
    fixed: tuple[str, str] | None = None

    @property
    def takes(self) -> bool:
        """Whether an argument follows."""
        return self.kind in TAKES and self.long != "remote-name"


TABLE = tuple(
    Option(*row)
    for row in (
        ("", "alpn", SWITCH),
        ("", "basic", FIXED),
        ("", "buffer", SWITCH),
        ("", "cacert", TEXT),
        ("", "capath", TEXT),
        ("E", "cert", TEXT),
        ("", "cert-type", TEXT),
        ("", "ciphers", TEXT),
        ("", "compressed", SWITCH),
        ("K", "config", CONFIG),
        ("", "connect-timeout", NUMBER),
        ("", "connect-to", LIST),
        ("b", "cookie", LIST),
        ("", "create-dirs", SWITCH),
        ("d", "data", DATA),
        ("", "data-ascii", DATA),
        ("", "data-binary", DATA),
        ("", "data-raw", DATA),
        ("", "data-urlencode", DATA),
        ("D", "dump-header", TEXT),
        ("f", "fail", SWITCH),
        ("", "fail-early", SWITCH),
        ("", "fail-with-body", SWITCH),
        ("F", "form", FORM),
        ("", "form-string", FORM),
        ("G", "get", SWITCH),
        ("g", "globoff", SWITCH),
        ("I", "head", SWITCH),
        ("H", "header", LIST),
        ("h", "help", SWITCH),
        ("0", "http1.0", FIXED, ("http", "1.0")),
        ("", "http1.1", FIXED, ("http", "1.1")),
        ("", "http2", FIXED, ("http", "2")),
        ("", "http2-prior-knowledge", FIXED, ("http", "2-prior-knowledge")),
        ("i", "include", SWITCH),
        ("k", "insecure", SWITCH),
        ("4", "ipv4", SWITCH),
        ("6", "ipv6", SWITCH),
        ("", "json", DATA),
        ("", "keepalive", SWITCH),
        ("", "key", TEXT),
        ("", "key-type", TEXT),
        ("L", "location", SWITCH),
        ("", "location-trusted", SWITCH),
        ("", "max-filesize", NUMBER),
        ("", "max-redirs", NUMBER),
        ("m", "max-time", NUMBER),
        ("", "noproxy", TEXT),
        ("", "oauth2-bearer", TEXT),
        ("o", "output", OUTPUT),
        ("", "pass", TEXT),
        ("", "path-as-is", SWITCH),
        ("#", "progress-bar", SWITCH),
        ("", "progress-meter", SWITCH),
        ("x", "proxy", TEXT),
        ("U", "proxy-user", TEXT),
        ("p", "proxytunnel", SWITCH),
        ("r", "range", TEXT),
        ("", "raw", SWITCH),
        ("e", "referer", TEXT),
        ("O", "remote-name", OUTPUT),
        ("", "remote-name-all", SWITCH),
        ("X", "request", TEXT),
        ("", "request-target", TEXT),
        ("", "resolve", LIST),
        ("", "retry", NUMBER),
        ("", "retry-all-errors", SWITCH),
        ("", "retry-connrefused", SWITCH),
        ("", "retry-delay", NUMBER),
        ("", "retry-max-time", NUMBER),
        ("S", "show-error", SWITCH),
        ("s", "silent", SWITCH),
        ("", "stderr", TEXT),
        ("", "tls-max", TEXT),
        ("", "tls13-ciphers", TEXT),
        ("1", "tlsv1", FIXED, ("tls_least", "1.0")),
        ("", "tlsv1.0", FIXED, ("tls_least", "1.0")),
        ("", "tlsv1.1", FIXED, ("tls_least", "1.1")),
        ("", "tlsv1.2", FIXED, ("tls_least", "1.2")),
        ("", "tlsv1.3", FIXED, ("tls_least", "1.3")),
        ("", "trace-time", SWITCH),
        ("", "unix-socket", TEXT),
        ("T", "upload-file", TEXT),
        ("", "url", OUTPUT),
        ("u", "user", TEXT),
        ("A", "user-agent", TEXT),
        ("v", "verbose", SWITCH),
        ("V", "version", SWITCH),
        ("w", "write-out", TEXT),
    )
)
BY_SHORT = {option.short: option for option in TABLE if option.short} | {"N": Option("N", "no-buffer", FIXED)}
BY_LONG = {option.long: option for option in TABLE}
TLS_VERSIONS = ("default", "1.0", "1.1", "1.2", "1.3")


def _no_file(path: str) -> str:
    raise FileNotFoundError(path)


def read(words: list[str], load: Load = _no_file) -> Options:
    """Read a command line, and the files that it names; UsageError in curl's words."""
    options = Options()
    if len(words) > WORDS_MAX:
        raise UsageError("Argument list too long")
    left = iter(words)
    for word in left:
        if word == "--":
            options.urls += left
        elif word.startswith("--"):
            _long(options, word, left, load)
        elif word.startswith("-") and word != "-":
            _short(options, word, left, load)
        else:
            options.urls.append(word)
    return options


def _long(options: Options, word: str, left: Iterator[str], load: Load) -> None:
    name = word[2:]
    value = not name.startswith("no-")
    name = name.removeprefix("no-")
    fits = [name] if name in BY_LONG else [long for long in BY_LONG if name and long.startswith(name)]
    if not fits:
        raise UsageError(f"option {word}: is unknown")
    if len(fits) > 1:
        raise UsageError(f"option {word}: is ambiguous")
    option = BY_LONG[fits[0]]
    if not value and option.kind != SWITCH:
        raise UsageError(f"option {word}: used '--no-' for option that isn't a boolean")
    argument = _argument(word, left) if option.takes else ""
    if option.kind == CONFIG:
        _from_file(options, word, argument, load)
    else:
        _apply(options, word, option, argument, value=value)


def _short(options: Options, word: str, left: Iterator[str], load: Load) -> None:
    at = 1
    while at < len(word):
        option = BY_SHORT.get(word[at])
        if option is None:
            raise UsageError(f"option {word}: is unknown")
        at += 1
        argument = ""
        if option.takes:
            argument = word[at:] if at < len(word) else _argument(word, left)
            at = len(word)
        if option.kind == CONFIG:
            _from_file(options, word, argument, load)
        else:
            _apply(options, word, option, argument, value=True)


def _from_file(options: Options, word: str, path: str, load: Load) -> None:
    """Take the options of a file; what is wrong with one of them is a warning."""
    options.files += 1
    try:
        found = lines_of(load(path))
    except OSError:
        found = None
    if found is None or options.files > FILES_MAX or len(found) > WORDS_MAX:
        raise UsageError(
            f"option {word}: error encountered when reading a file",
            f"curl: cannot read config from '{path}'\n" if found is None and not options.silent else "",
            code=READ_ERROR,
        )
    for number, option, value in found:
        left = iter([] if value is None else [value])
        try:
            (_long if option.startswith("--") else _short)(options, option, left, load)
        except UsageError as problem:
            if problem.code == READ_ERROR:
                raise
            said = str(problem).removeprefix(f"option {option}: ")
            if not options.silent:
                options.warnings.append(f"{path}:{number}: warning: '{option.removeprefix('--')}' {said}")


def _argument(word: str, left: Iterator[str]) -> str:
    found: str | None = next(left, None)
    if found is None:
        raise UsageError(f"option {word}: requires parameter")
    return found


def _apply(options: Options, word: str, option: Option, argument: str, *, value: bool) -> None:
    long = option.long
    name = {"pass": "pass_"}.get(long, long.replace("-", "_"))
    match option.kind:
        case "switch":
            setattr(options, name, value)
        case "fixed":
            if option.fixed is not None:
                setattr(options, *option.fixed)
        case "list":
            getattr(options, name).append(argument)
        case "number":
            setattr(options, name, _number(word, argument, whole="time" not in long))
        case "form":
            options.form.append(field_of(word, argument, is_plain=long == "form-string"))
        case "data":
            options.data.append((long, argument))
        case "output":
            if long == "url":
                options.urls.append(argument)
            else:
                options.outputs.append(argument if long == "output" else None)
        case _:
            if long == "tls-max" and argument not in TLS_VERSIONS:
                raise UsageError(f"option {word}: is badly used here")
            setattr(options, name, argument)


def _number(word: str, text: str, *, whole: bool) -> float:
    try:
        number = float(int(text) if whole else float(text))
    except ValueError:
        raise UsageError(f"option {word}: expected a proper numerical parameter") from None
    if not 0 <= number < 1e9:
        raise UsageError(f"option {word}: expected a positive numerical parameter")
    return number
