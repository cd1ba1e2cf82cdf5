"""From words to requests: get, put and del, typed as commands or as lines of a transaction.

    get --prefix /registry/pods --limit 2      RangeRequest(key=/registry/pods, range_end=/registry/pode, limit=2)

Modelled on etcdctl/ctlv3/command/{get,put,del}_command.go (3.5).
"""

from collections.abc import Sequence

from cluster_engine.api.strconv import parse_int
from cluster_engine.etcd.history import FROM_KEY_ON, prefix_end
from cluster_engine.programs.etcdctl.failures import FailedError, bad_arguments
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.rpc import etcd_pb2 as pb

GET_FLAGS = (
    Flag("consistency", default="l"),
    Flag("order", default=""),
    Flag("sort-by", default=""),
    Flag("limit", kind="int", default=0),
    Flag("prefix", kind="bool"),
    Flag("from-key", kind="bool"),
    Flag("rev", kind="int", default=0),
    Flag("keys-only", kind="bool"),
    Flag("count-only", kind="bool"),
    Flag("print-value-only", kind="bool"),
)
PUT_FLAGS = (
    Flag("lease", default="0"),
    Flag("prev-kv", kind="bool"),
    Flag("ignore-value", kind="bool"),
    Flag("ignore-lease", kind="bool"),
)
DELETE_FLAGS = (
    Flag("prefix", kind="bool"),
    Flag("from-key", kind="bool"),
    Flag("prev-kv", kind="bool"),
    Flag("range", kind="bool"),
)
_ORDERS = {"": pb.RangeRequest.NONE, "ASCEND": pb.RangeRequest.ASCEND, "DESCEND": pb.RangeRequest.DESCEND}
_TARGETS = {
    "": pb.RangeRequest.KEY,
    "CREATE": pb.RangeRequest.CREATE,
    "KEY": pb.RangeRequest.KEY,
    "MODIFY": pb.RangeRequest.MOD,
    "VALUE": pb.RangeRequest.VALUE,
    "VERSION": pb.RangeRequest.VERSION,
}


def raw(text: str) -> bytes:
    """Return an argument's bytes."""
    return text.encode("utf-8", "surrogateescape")


def key_range(words: Sequence[str], flags: Parsed) -> tuple[bytes, bytes]:
    """Return the range that a command means: its key, [key, end), a prefix, or all from a key on. FailedError."""
    both = "`--prefix` and `--from-key` cannot be set at the same time, choose one"
    if flags["prefix"] and flags["from-key"]:
        raise bad_arguments(both)
    key, end = raw(words[0]), b""
    if len(words) > 1:
        if flags["prefix"] or flags["from-key"]:
            raise bad_arguments("too many arguments, only accept one argument when `--prefix` or `--from-key` is set")
        end = raw(words[1])
    if flags["prefix"] or flags["from-key"]:
        end = prefix_end(key) if flags["prefix"] and key else FROM_KEY_ON
        key = key or b"\0"
    return key, end


def get_request(words: Sequence[str], flags: Parsed) -> pb.RangeRequest:
    """Make what `get` asks. FailedError."""
    if not words:
        raise bad_arguments("get command needs one argument as key and an optional argument as range_end")
    if flags["keys-only"] and flags["count-only"]:
        raise bad_arguments("`--keys-only` and `--count-only` cannot be set at the same time, choose one")
    if flags["consistency"] not in ("l", "s"):
        raise FailedError(f'unknown consistency flag "{flags["consistency"]}"', 4)
    key, end = key_range(words, flags)
    order, target = flags["order"].upper(), flags["sort-by"].upper()
    if order not in _ORDERS:
        raise FailedError(f"bad sort order {flags['order']}", 4)
    if target not in _TARGETS:
        raise FailedError(f"bad sort target {flags['sort-by']}", 4)
    return pb.RangeRequest(
        key=key,
        range_end=end,
        limit=flags["limit"],
        revision=max(flags["rev"], 0),
        sort_order=_ORDERS[order],
        sort_target=_TARGETS[target],
        serializable=flags["consistency"] == "s",
        keys_only=flags["keys-only"],
        count_only=flags["count-only"],
    )


def put_request(words: Sequence[str], flags: Parsed) -> pb.PutRequest:
    """Make what `put` asks. FailedError."""
    if len(words) > 2 or not words or (len(words) < 2 and not flags["ignore-value"]):
        raise bad_arguments("put command needs 1 argument and input from stdin or 2 arguments")
    return pb.PutRequest(
        key=raw(words[0]),
        value=b"" if flags["ignore-value"] else raw(words[1]),
        lease=_lease(flags["lease"]),
        prev_kv=flags["prev-kv"],
        ignore_value=flags["ignore-value"],
        ignore_lease=flags["ignore-lease"],
    )


def delete_request(words: Sequence[str], flags: Parsed) -> pb.DeleteRangeRequest:
    """Make what `del` asks. FailedError."""
    if not 1 <= len(words) <= 2:
        raise bad_arguments("del command needs one argument as key and an optional argument as range_end")
    key, end = key_range(words, flags)
    return pb.DeleteRangeRequest(key=key, range_end=end, prev_kv=flags["prev-kv"])


def _lease(text: str) -> int:
    try:
        return lease_id(text)
    except ValueError as problem:
        raise bad_arguments(f"bad lease ID ({problem}), expecting ID in Hex") from None


def lease_id(text: str) -> int:
    """Read a lease's id, hexadecimal. ValueError in Go's words."""
    digits = text.lower().removeprefix("-").removeprefix("+")
    if not digits or any(one not in "0123456789abcdef" for one in digits):
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if len(digits.lstrip("0")) > 16 or int(digits, 16) >= 2**63:
        raise ValueError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return -int(digits, 16) if text.startswith("-") else int(digits, 16)


def number(text: str, what: str) -> int:
    """Read a decimal number. FailedError."""
    try:
        return parse_int(text)
    except ValueError as problem:
        raise bad_arguments(f"bad {what} ({problem})") from None
