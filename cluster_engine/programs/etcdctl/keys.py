"""etcdctl get, put, del, watch, txn and compaction: the keys."""

import re
from collections.abc import AsyncIterator, Sequence

from cluster_engine.programs.etcdctl.failures import INTERRUPTED, INVALID_INPUT, FailedError, bad_arguments
from cluster_engine.programs.etcdctl.printing import unsupported
from cluster_engine.programs.etcdctl.requests import (
    DELETE_FLAGS,
    GET_FLAGS,
    PUT_FLAGS,
    delete_request,
    get_request,
    key_range,
    number,
    put_request,
)
from cluster_engine.programs.etcdctl.session import Session
from cluster_engine.programs.kubectl.errors import UsageError
from cluster_engine.programs.kubectl.flags import Flag, Parsed, parse
from cluster_engine.rpc import etcd_pb2 as pb

WATCH_FLAGS = (
    Flag("prefix", kind="bool"),
    Flag("from-key", kind="bool"),
    Flag("rev", kind="int", default=0),
    Flag("prev-kv", kind="bool"),
    Flag("progress-notify", kind="bool"),
)
COMPACTION_FLAGS = (Flag("physical", kind="bool"),)
OPERATIONS_MAX = 1000
"""How many lines of a transaction are read; etcd takes 128 operations."""
_COMPARISON = re.compile(r'"((?:[^"\\]|\\.)*)"\)\s*([^\s"]+)\s*"((?:[^"\\]|\\.)*)"\s*')
_TARGETS = {
    "ver": "version", "version": "version", "c": "create_revision", "create": "create_revision",
    "m": "mod_revision", "mod": "mod_revision", "val": "value", "value": "value", "lease": "lease",
}  # fmt: skip
_TARGET_VALUES = {
    "version": pb.Compare.VERSION, "create_revision": pb.Compare.CREATE, "mod_revision": pb.Compare.MOD,
    "value": pb.Compare.VALUE, "lease": pb.Compare.LEASE,
}  # fmt: skip
_RESULTS = {
    "=": pb.Compare.EQUAL, "!=": pb.Compare.NOT_EQUAL, ">": pb.Compare.GREATER, "<": pb.Compare.LESS
}  # fmt: skip


async def get(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl get."""
    request = get_request(words, flags)
    printer = session.printer
    if flags["count-only"] and printer.name != "fields":
        raise bad_arguments("--count-only is only for `--write-out=fields`")
    if flags["print-value-only"] and printer.name != "simple":
        raise bad_arguments("print-value-only is only for `--write-out=simple`")
    printer.values_only = flags["print-value-only"]
    session.answer(await session.call("KV", "Range", request))
    return 0


async def put(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl put; a value that is not given is what is piped in."""
    given = list(words)
    if len(given) == 1 and not flags["ignore-value"]:
        piped = await session.invocation.all()
        given += [piped.decode("utf-8", "surrogateescape")] if piped else []
    session.answer(await session.call("KV", "Put", put_request(given, flags)))
    return 0


async def delete(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl del."""
    session.answer(await session.call("KV", "DeleteRange", delete_request(words, flags)))
    return 0


async def compact(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl compaction."""
    if len(words) != 1:
        raise bad_arguments("compaction command needs 1 argument")
    try:
        revision = number(words[0], "revision")
    except FailedError as failure:
        raise FailedError(str(failure).removeprefix("bad revision (").removesuffix(")")) from None
    await session.call("KV", "Compact", pb.CompactionRequest(revision=revision, physical=flags["physical"]))
    session.out(f"compacted revision {revision}\n")
    return 0


# -- watch -------------------------------------------------------------------------------------------------------------


async def watch(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl watch: until Ctrl-C, or until etcd ends it."""
    if not 1 <= len(words) <= 2:
        raise bad_arguments("bad number of arguments")
    key, end = key_range(words, flags)
    create = pb.WatchCreateRequest(
        key=key,
        range_end=end,
        start_revision=flags["rev"],
        prev_kv=flags["prev-kv"],
        progress_notify=flags["progress-notify"],
    )
    async with session.etcd.stream("Watch", "Watch") as stream:
        await stream.send_message(pb.WatchRequest(create_request=create))
        while (response := await stream.recv_message()) is not None:
            if response.canceled:
                session.err(f"watch was canceled ({_why_canceled(response)})\n")
                break
            if response.created:
                continue
            if not response.events:
                session.out(f"progress notify: {response.header.revision}\n")
            elif session.printer.name == "table":
                raise unsupported("table")
            else:
                session.out(session.printer.events(response))
            await session.invocation.drain()
    raise FailedError("watch is canceled by the server", INTERRUPTED)


def _why_canceled(response: pb.WatchResponse) -> str:
    if response.compact_revision:
        return "etcdserver: mvcc: required revision has been compacted"
    return response.cancel_reason or "etcdserver: mvcc: required revision is a future revision"


# -- transactions ------------------------------------------------------------------------------------------------------


async def txn(session: Session, _: Sequence[str], __: Parsed) -> int:
    """etcdctl txn: comparisons, what to do if all hold, and what if not, each block ended by an empty line."""
    lines = session.invocation.lines()
    request = pb.TxnRequest(
        compare=[_comparison(line) for line in await _block(lines)],
        success=[_operation(line) for line in await _block(lines)],
        failure=[_operation(line) for line in await _block(lines)],
    )
    session.answer(await session.call("KV", "Txn", request))
    return 0


async def _block(lines: AsyncIterator[str]) -> list[str]:
    found: list[str] = []
    async for line in lines:
        if not line.strip():
            break
        if len(found) >= OPERATIONS_MAX:
            raise FailedError("etcdserver: too many operations in txn request")
        found.append(line.strip())
    return found


def _comparison(line: str) -> pb.Compare:
    """Read `mod("foo") > "3"`. FailedError."""
    target, parenthesis, rest = line.partition("(")
    if not parenthesis:
        raise FailedError(f"malformed comparison: {line}", INVALID_INPUT)
    found = _COMPARISON.fullmatch(rest)
    if found is None or found[2] not in _RESULTS:
        raise FailedError(f'malformed comparison: {line}; got {target}("")  ""', INVALID_INPUT)
    if target not in _TARGETS:
        raise FailedError(f"malformed comparison: {line} (unknown target {target})", INVALID_INPUT)
    name = _TARGETS[target]
    compare = pb.Compare(key=_unquoted(found[1]), target=_TARGET_VALUES[name], result=_RESULTS[found[2]])
    value = _unquoted(found[3])
    if name == "value":
        compare.value = value
        return compare
    try:
        setattr(compare, name, number(value.decode("utf-8", "replace"), "number"))
    except FailedError:
        raise FailedError(f"invalid txn compare request: {line}", INVALID_INPUT) from None
    return compare


def _operation(line: str) -> pb.RequestOp:
    """Read `put key "a value"`, as it is typed. FailedError."""
    words = _words(line)
    invalid = FailedError(f"invalid txn request: {line}", INVALID_INPUT)
    if len(words) < 2:
        raise invalid
    try:
        match words[0]:
            case "put" | "p":
                flags = parse(words[1:], PUT_FLAGS, "put")
                return pb.RequestOp(request_put=put_request(flags.arguments, flags))
            case "get" | "g":
                flags = parse(words[1:], GET_FLAGS, "get")
                return pb.RequestOp(request_range=get_request(flags.arguments, flags))
            case "del" | "d":
                flags = parse(words[1:], DELETE_FLAGS, "del")
                return pb.RequestOp(request_delete_range=delete_request(flags.arguments, flags))
    except UsageError:
        raise invalid from None
    raise invalid


_WORD = r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|(\S+)'


def _words(line: str) -> list[str]:
    found = []
    import re2  # it takes 3 MiB, which a cluster in which nobody writes transactions need not pay

    for word in re2.finditer(_WORD, line):
        double, single, plain = word.groups()
        found.append(_unquoted(double).decode("utf-8", "surrogateescape") if double is not None else single or plain)
    return found


def _unquoted(text: str) -> bytes:
    """Read what stands between Go's quotes."""
    known = {"n": "\n", "t": "\t", "r": "\r"}
    told = re.sub(r"\\(x[0-9a-fA-F]{2}|.)", lambda found: _escape(found[1], known), text)
    return told.encode("utf-8", "surrogateescape")


def _escape(text: str, known: dict[str, str]) -> str:
    if len(text) == 3:
        code = int(text[1:], 16)
        return chr(code) if code < 0x80 else chr(0xDC00 + code)
    return known.get(text, text)
