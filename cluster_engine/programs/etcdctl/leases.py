"""etcdctl lease: keys that go unless somebody keeps them alive."""

import asyncio
from collections.abc import Sequence
from typing import Any

from cluster_engine.programs.etcdctl.failures import FailedError, bad_arguments
from cluster_engine.programs.etcdctl.printing import as_json, quoted
from cluster_engine.programs.etcdctl.requests import lease_id, number
from cluster_engine.programs.etcdctl.session import Session
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.rpc import etcd_pb2 as pb

KEEP_ALIVE_FLAGS = (Flag("once", kind="bool"),)
TIME_TO_LIVE_FLAGS = (Flag("keys", kind="bool"),)


async def grant(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl lease grant TTL."""
    if len(words) != 1:
        raise bad_arguments("lease grant command needs TTL argument")
    request = pb.LeaseGrantRequest(TTL=number(words[0], "TTL"))
    try:
        answer = await session.call("Lease", "LeaseGrant", request)
    except FailedError as failure:
        raise FailedError(f"failed to grant lease ({failure})", failure.code) from None
    fields = f'"ID" : {answer.ID}\n"TTL" : {answer.TTL}\n'
    told = f"lease {answer.ID:016x} granted with TTL({answer.TTL}s)\n"
    _print(session, answer, told, fields, {"ID": answer.ID, "TTL": answer.TTL, "Error": ""})
    return 0


async def revoke(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl lease revoke ID."""
    if len(words) != 1:
        raise bad_arguments("lease revoke command needs 1 argument")
    lease = _id(words[0])
    try:
        answer = await session.call("Lease", "LeaseRevoke", pb.LeaseRevokeRequest(ID=lease))
    except FailedError as failure:
        raise FailedError(f"failed to revoke lease ({failure})", failure.code) from None
    session.show(answer, f"lease {lease:016x} revoked\n")
    return 0


async def time_to_live(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl lease timetolive ID."""
    if len(words) != 1:
        raise bad_arguments("lease timetolive command needs lease ID as argument")
    request = pb.LeaseTimeToLiveRequest(ID=_id(words[0]), keys=flags["keys"])
    answer = await session.call("Lease", "LeaseTimeToLive", request)
    if answer.grantedTTL == 0 and answer.TTL == -1:
        told = f"lease {answer.ID:016x} already expired\n"
    else:
        keys = " ".join(key.decode("utf-8", "replace") for key in answer.keys)
        attached = f", attached keys([{keys}])" if flags["keys"] else ""
        told = f"lease {answer.ID:016x} granted with TTL({answer.grantedTTL}s), remaining({answer.TTL}s){attached}\n"
    fields = f'"ID" : {answer.ID}\n"TTL" : {answer.TTL}\n"GrantedTTL" : {answer.grantedTTL}\n'
    fields += "".join(f'"Key" : {quoted(key)}\n' for key in answer.keys)
    keys_told = as_json(answer).get("keys")
    more = {"id": answer.ID, "ttl": answer.TTL, "granted-ttl": answer.grantedTTL, "keys": keys_told}
    _print(session, answer, told, fields, more)
    return 0


async def list_(session: Session, _: Sequence[str], __: Parsed) -> int:
    """etcdctl lease list."""
    answer = await session.call("Lease", "LeaseLeases", pb.LeaseLeasesRequest())
    ids = [lease.ID for lease in answer.leases]
    told = f"found {len(ids)} leases\n" + "".join(f"{one:016x}\n" for one in ids)
    fields = "".join(f'"ID" : {one}\n' for one in ids)
    _print(session, answer, told, fields, {"leases": [{"id": one} for one in ids]})
    return 0


async def keep_alive(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl lease keep-alive ID: again whenever a third of its time is over, until Ctrl-C or --once."""
    if len(words) != 1:
        raise bad_arguments("lease keep-alive command needs lease ID as argument")
    lease = _id(words[0])
    async with session.etcd.stream("Lease", "LeaseKeepAlive") as stream:
        while True:
            await stream.send_message(pb.LeaseKeepAliveRequest(ID=lease))
            answer = await stream.recv_message()
            if answer is None or answer.TTL <= 0:
                break
            told = f"lease {answer.ID:016x} keepalived with TTL({answer.TTL})\n"
            fields = f'"ID" : {answer.ID}\n"TTL" : {answer.TTL}\n'
            _print(session, answer, told, fields, {"ID": answer.ID, "TTL": answer.TTL})
            if flags["once"]:
                return 0
            await session.invocation.drain()
            await asyncio.sleep(answer.TTL / 3)
    if flags["once"]:
        raise bad_arguments("etcdserver: requested lease not found")
    session.out(f"lease {lease:016x} expired or revoked.\n")
    return 0


def _id(text: str) -> int:
    try:
        return lease_id(text)
    except ValueError as problem:
        raise bad_arguments(f"bad lease ID arg ({problem}), expecting ID in Hex") from None


def _print(session: Session, answer: Any, simple: str, fields: str, more: dict[str, Any]) -> None:
    """Print an answer whose header stands, in JSON, beside its fields."""
    session.show(answer, simple, fields=fields, told={**as_json(answer.header), **more})
