"""etcdctl member: who belongs to the cluster, and changing that.

    member add etcd-2 --peer-urls=https://10.0.0.9:2380 --learner      and the environment that etcd-2 is to start with

One member only ever runs here (`etcd/members.py`): a voter that is added takes the majority, and a real single member
would stop just so. Modelled on etcdctl/ctlv3/command/member_command.go (3.5).
"""

from collections.abc import Sequence
from typing import Any

from cluster_engine.programs.etcdctl import printing
from cluster_engine.programs.etcdctl.failures import FailedError, bad_arguments
from cluster_engine.programs.etcdctl.members import member_id, print_rows, truth
from cluster_engine.programs.etcdctl.printing import as_json, header_fields
from cluster_engine.programs.etcdctl.session import Session
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.rpc import etcd_pb2 as pb

URL_FLAGS = (Flag("peer-urls", default=""),)
ADD_FLAGS = (*URL_FLAGS, Flag("learner", kind="bool"))
_SCHEMES = ("http://", "https://", "unix://", "unixs://")


async def member_list(session: Session, _: Sequence[str], __: Parsed) -> int:
    """etcdctl member list."""
    answer = await session.call("Cluster", "MemberList", pb.MemberListRequest(linearizable=True))
    rows = [
        [
            f"{one.ID:x}", "started" if one.name else "unstarted", one.name, ",".join(one.peerURLs),
            ",".join(one.clientURLs), truth(one.isLearner),
        ]
        for one in answer.members
    ]  # fmt: skip
    fields = header_fields(answer.header) + "".join(
        f'"ID" : {one.ID}\n"Name" : {printing.quoted(one.name.encode())}\n'
        + "".join(f'"PeerURL" : {printing.quoted(url.encode())}\n' for url in one.peerURLs)
        + "".join(f'"ClientURL" : {printing.quoted(url.encode())}\n' for url in one.clientURLs)
        + f'"IsLearner" : {truth(one.isLearner)}\n\n'
        for one in answer.members
    )
    header = ("ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner")
    if session.printer.name == "protobuf":
        session.out(answer.SerializeToString())
    else:
        print_rows(session, header, rows, fields, as_json(answer))
    return 0


async def add(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl member add NAME --peer-urls=URLS."""
    if len(words) != 1:
        raise bad_arguments("member name not provided" if not words else "too many arguments")
    request = pb.MemberAddRequest(peerURLs=_urls(flags), isLearner=flags["learner"])
    answer = await session.call("Cluster", "MemberAdd", request)
    names = {answer.member.ID: words[0]}
    cluster = ",".join(f"{names.get(one.ID, one.name)}={url}" for one in answer.members for url in one.peerURLs)
    _show(
        session,
        answer,
        f"Member {answer.member.ID:16x} added to cluster {answer.header.cluster_id:16x}\n\n"
        f"ETCD_NAME={printing.quoted(words[0].encode())}\nETCD_INITIAL_CLUSTER={printing.quoted(cluster.encode())}\n"
        f"ETCD_INITIAL_ADVERTISE_PEER_URLS={printing.quoted(flags['peer-urls'].encode())}\n"
        'ETCD_INITIAL_CLUSTER_STATE="existing"\n',
    )
    return 0


async def remove(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl member remove ID."""
    id_ = _id(words)
    answer = await session.call("Cluster", "MemberRemove", pb.MemberRemoveRequest(ID=id_))
    _show(session, answer, f"Member {id_:16x} removed from cluster {answer.header.cluster_id:16x}\n")
    return 0


async def update(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl member update ID --peer-urls=URLS."""
    id_ = _id(words)
    answer = await session.call("Cluster", "MemberUpdate", pb.MemberUpdateRequest(ID=id_, peerURLs=_urls(flags)))
    _show(session, answer, f"Member {id_:16x} updated in cluster {answer.header.cluster_id:16x}\n")
    return 0


async def promote(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl member promote ID."""
    id_ = _id(words)
    answer = await session.call("Cluster", "MemberPromote", pb.MemberPromoteRequest(ID=id_))
    _show(session, answer, f"Member {id_:16x} promoted in cluster {answer.header.cluster_id:16x}\n")
    return 0


def _show(session: Session, answer: Any, simple: str) -> None:
    session.show(answer, simple, fields=None)


def _id(words: Sequence[str]) -> int:
    if len(words) != 1:
        raise bad_arguments("member ID is not provided")
    try:
        return member_id(words[0])
    except ValueError as problem:
        raise bad_arguments(f"bad member ID arg ({problem}), expecting ID in Hex") from None


def _urls(flags: Parsed) -> list[str]:
    if not flags["peer-urls"]:
        raise bad_arguments("member peer urls not provided")
    urls: list[str] = flags["peer-urls"].split(",")
    for url in urls:
        if not url.startswith(_SCHEMES):
            raise FailedError(f"URL scheme must be http, https, unix, or unixs: {url}")
    return urls
