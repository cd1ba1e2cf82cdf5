"""etcdctl endpoint, alarm, defrag and move-leader: how etcd's members are."""

import asyncio
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from cluster_engine.api.durations import go_duration
from cluster_engine.programs.etcdctl import printing
from cluster_engine.programs.etcdctl.failures import FailedError, bad_arguments
from cluster_engine.programs.etcdctl.printing import as_json, go_json, header_fields, table
from cluster_engine.programs.etcdctl.session import Session
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.rpc import etcd_pb2 as pb

CLUSTER_FLAGS = (Flag("cluster", kind="bool"),)
HASH_FLAGS = (*CLUSTER_FLAGS, Flag("rev", kind="int", default=0))
Rows = list[list[str]]


async def _endpoints(session: Session, flags: Parsed) -> Sequence[str]:
    """Return the endpoints asked about: those given, or with --cluster those of all members."""
    if not flags["cluster"]:
        return session.endpoints
    answer = await session.call("Cluster", "MemberList", pb.MemberListRequest(linearizable=True))
    return [url for member in answer.members for url in member.clientURLs]


async def health(session: Session, _: Sequence[str], flags: Parsed) -> int:
    """etcdctl endpoint health: whether a linearizable read is answered, and how fast."""
    loop = asyncio.get_running_loop()
    found: list[dict[str, Any]] = []
    for endpoint in await _endpoints(session, flags):
        began = loop.time()
        one: dict[str, Any] = {"endpoint": endpoint, "health": True}
        try:
            await session.at(endpoint).call("KV", "Range", pb.RangeRequest(key=b"health"))
            alarms = await session.at(endpoint).call("Maintenance", "Alarm", pb.AlarmRequest())
        except FailedError as failure:
            one |= {"health": False, "error": str(failure)}
        else:
            active = ", ".join(f"{_alarm_name(alarm)}" for alarm in alarms.alarms)
            one |= {"health": False, "error": f"Active Alarm(s): {active}"} if active else {}
        found.append({**one, "took": go_duration(loop.time() - began)})
    _print_health(session, found)
    if not all(one["health"] for one in found):
        raise FailedError("unhealthy cluster")
    return 0


def _print_health(session: Session, found: list[dict[str, Any]]) -> None:
    match session.printer.name:
        case "json":
            order = ("endpoint", "health", "took", "error")
            session.out(go_json([{name: one[name] for name in order if name in one} for one in found]) + "\n")
        case "fields":
            for one in found:
                truth = "true" if one["health"] else "false"
                session.out(
                    f'"Endpoint" : {printing.quoted(one["endpoint"].encode())}\n"Health" : {truth}\n'
                    f'"Took" : {one["took"]}\n"Error" : {one.get("error", "")}\n\n'
                )
        case "table":
            rows = [
                [one["endpoint"], "true" if one["health"] else "false", one["took"], one.get("error", "")]
                for one in found
            ]
            session.out(table(("endpoint", "health", "took", "error"), rows))
        case "protobuf":
            raise printing.unsupported("protobuf")
        case _:
            for one in found:
                if "error" in one:
                    session.err(f"{one['endpoint']} is unhealthy: failed to commit proposal: {one['error']}\n")
                else:
                    text = f"is healthy: successfully committed proposal: took = {one['took']}"
                    session.out(f"{one['endpoint']} {text}\n")


async def status(session: Session, _: Sequence[str], flags: Parsed) -> int:
    """etcdctl endpoint status: version, size, and the place in Raft."""
    found, code = await _each(session, await _endpoints(session, flags), "Status", pb.StatusRequest(), "status")
    rows = [
        [
            endpoint, f"{one.header.member_id:x}", one.version, printing.size(one.dbSize),
            truth(one.leader == one.header.member_id), truth(one.isLearner), str(one.raftTerm), str(one.raftIndex),
            str(one.raftAppliedIndex), ", ".join(one.errors),
        ]
        for endpoint, one in found
    ]  # fmt: skip
    header = ("endpoint", "ID", "version", "db size", "is leader", "is learner", "raft term", "raft index",
              "raft applied index", "errors")  # fmt: skip
    fields = "".join(
        f'{header_fields(one.header)}"Version" : {printing.quoted(one.version.encode())}\n"DBSize" : {one.dbSize}\n'
        f'"Leader" : {one.leader}\n"IsLearner" : {truth(one.isLearner)}\n"RaftIndex" : {one.raftIndex}\n'
        f'"RaftTerm" : {one.raftTerm}\n"RaftAppliedIndex" : {one.raftAppliedIndex}\n'
        f'"Errors" : [{" ".join(one.errors)}]\n"Endpoint" : {printing.quoted(endpoint.encode())}\n\n'
        for endpoint, one in found
    )
    told = [{"Endpoint": endpoint, "Status": as_json(one)} for endpoint, one in found]
    print_rows(session, header, rows, fields, told)
    return code


async def _each(
    session: Session, endpoints: Sequence[str], method: str, request: Message, what: str
) -> tuple[list[tuple[str, Any]], int]:
    """Ask each endpoint; say which did not answer, and give the others' answers."""
    found, code = [], 0
    for endpoint in endpoints:
        try:
            found.append((endpoint, await session.at(endpoint).call("Maintenance", method, request)))
        except FailedError as failure:
            session.err(f"Failed to get the {what} of endpoint {endpoint} ({failure})\n")
            code = 1
    return found, code


async def hash_kv(session: Session, _: Sequence[str], flags: Parsed) -> int:
    """etcdctl endpoint hashkv: a checksum of the history, the same at members that agree."""
    request = pb.HashKVRequest(revision=max(flags["rev"], 0))
    found, code = await _each(session, await _endpoints(session, flags), "HashKV", request, "hash")
    rows = [[endpoint, str(one.hash)] for endpoint, one in found]
    fields = "".join(
        f'{header_fields(one.header)}"Endpoint" : {printing.quoted(endpoint.encode())}\n"Hash" : {one.hash}\n\n'
        for endpoint, one in found
    )
    told = [{"Endpoint": endpoint, "HashKV": as_json(one)} for endpoint, one in found]
    print_rows(session, ("endpoint", "hash"), rows, fields, told)
    return code


async def move_leader(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl move-leader ID."""
    if len(words) != 1:
        raise bad_arguments("move-leader command needs 1 argument")
    try:
        target = member_id(words[0])
    except ValueError as problem:
        raise bad_arguments(str(problem)) from None
    leader = 0
    for endpoint in session.endpoints:
        state = await session.at(endpoint).call("Maintenance", "Status", pb.StatusRequest())
        if state.header.member_id == state.leader:
            leader = state.leader
    if not leader:
        raise bad_arguments(f"no leader endpoint given at [{' '.join(session.endpoints)}]")
    answer = await session.call("Maintenance", "MoveLeader", pb.MoveLeaderRequest(targetID=target))
    session.show(answer, f"Leadership transferred from {leader:x} to {target:x}\n", fields=None)
    return 0


def member_id(text: str) -> int:
    """Read a member's id, hexadecimal. ValueError in Go's words."""
    if not text or any(one not in "0123456789abcdef" for one in text.lower()):
        raise ValueError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if len(text.lstrip("0")) > 16:
        raise ValueError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(text, 16)


async def alarms(session: Session, _: Sequence[str], __: Parsed) -> int:
    """etcdctl alarm list."""
    return _print_alarms(session, await session.call("Maintenance", "Alarm", pb.AlarmRequest()))


async def disarm(session: Session, _: Sequence[str], __: Parsed) -> int:
    """etcdctl alarm disarm."""
    request = pb.AlarmRequest(action=pb.AlarmRequest.DEACTIVATE, alarm=pb.NOSPACE)
    return _print_alarms(session, await session.call("Maintenance", "Alarm", request))


def _print_alarms(session: Session, answer: pb.AlarmResponse) -> int:
    simple = "".join(f"memberID:{one.memberID} alarm:{_alarm_name(one)} \n" for one in answer.alarms)
    fields = "".join(f'"MemberID" : {one.memberID}\n"AlarmType" : {_alarm_name(one)}\n\n' for one in answer.alarms)
    session.show(answer, simple, fields=fields)
    return 0


def _alarm_name(alarm: pb.AlarmMember) -> str:
    return pb.AlarmType.Name(alarm.alarm)


async def defrag(session: Session, _: Sequence[str], flags: Parsed) -> int:
    """etcdctl defrag."""
    loop, code = asyncio.get_running_loop(), 0
    for endpoint in await _endpoints(session, flags):
        began = loop.time()
        try:
            await session.at(endpoint).call("Maintenance", "Defragment", pb.DefragmentRequest())
        except FailedError as failure:
            took = go_duration(loop.time() - began)
            session.err(f"Failed to defragment etcd member[{endpoint}]. took {took}. ({failure})\n")
            code = 1
        else:
            session.out(f"Finished defragmenting etcd member[{endpoint}]. took {go_duration(loop.time() - began)}\n")
    return code


def truth(value: bool) -> str:
    """Write a truth value as Go does."""
    return "true" if value else "false"


def print_rows(session: Session, header: Sequence[str], rows: Rows, fields: str, told: Any) -> None:
    """Print what is a table; FailedError where the format cannot show it."""
    match session.printer.name:
        case "json":
            session.out(go_json(told) + "\n")
        case "fields":
            session.out(fields)
        case "table":
            session.out(table(header, rows))
        case "protobuf":
            raise printing.unsupported("protobuf")
        case _:
            session.out("".join(", ".join(row) + "\n" for row in rows))
