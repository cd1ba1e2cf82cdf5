"""etcdctl snapshot and etcdutl snapshot: the whole database as a file, and a data directory made of it.

    etcdctl snapshot save /root/etcd.db                             asks etcd for its database
    etcdutl snapshot status /root/etcd.db -w table                  what is in the file
    etcdutl snapshot restore /root/etcd.db --data-dir /var/lib/etcd-restored
    systemctl stop etcd; mv /var/lib/etcd /var/lib/etcd-old; mv /var/lib/etcd-restored /var/lib/etcd
    systemctl start etcd; systemctl restart kube-apiserver

Where etcd is a static pod its manifest is moved away instead of stopping it, and back instead of starting it.

A restored store begins with the snapshot's revision, while everybody who watches has seen later ones: hence the
restart, or --bump-revision with --mark-compacted, by which every watch of before is refused and begins anew.

Modelled on etcdctl/snapshot and etcdutl/snapshot (3.5.16). Left out: write-ahead logs (--wal-dir is read and ignored),
and bbolt: the file has a form of ours (`etcd/database.py`), which no other etcd reads.
"""

import hashlib
import json
import zlib
from collections.abc import Sequence

from grpclib.exceptions import StreamTerminatedError

from cluster_engine.etcd.database import (
    HASH_BYTES,
    PAGE_BYTES,
    REVISION_MAX,
    Database,
    DatabaseError,
    path_in,
    read_database,
)
from cluster_engine.etcd.members import CLUSTER_ID, MEMBER_ID, Members, cluster_id
from cluster_engine.etcd.store import Store
from cluster_engine.programs.etcdctl import printing
from cluster_engine.programs.etcdctl.failures import BAD_ARGUMENTS, INTERRUPTED, FailedError, bad_arguments
from cluster_engine.programs.etcdctl.session import Session
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.programs.streams import is_directory
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.world.files import FILE_BYTES_MAX, PRIVATE_MODE

PEER_URL = "http://localhost:2380"
RESTORE_FLAGS = (
    Flag("data-dir", default=""),
    Flag("wal-dir", default=""),
    Flag("name", default="default"),
    Flag("initial-cluster", default=f"default={PEER_URL}"),
    Flag("initial-cluster-token", default="etcd-cluster"),
    Flag("initial-advertise-peer-urls", default=PEER_URL),
    Flag("skip-hash-check", kind="bool"),
    Flag("bump-revision", kind="int", default=0),
    Flag("mark-compacted", kind="bool"),
)


async def save(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl snapshot save FILE."""
    if len(words) != 1:
        raise bad_arguments("snapshot save expects one argument")
    (path,) = words
    if len(session.endpoints) > 1:
        named = " ".join(session.endpoints)
        raise FailedError(f"snapshot must be requested to one selected node, not multiple [{named}]", INTERRUPTED)
    invocation, endpoint = session.invocation, session.endpoints[0]
    part = invocation.absolute(f"{path}.part")
    try:
        _check_folder(invocation, f"{path}.part")
        invocation.files.write(part, b"", PRIVATE_MODE)
    except OSError as error:
        raise FailedError(f"could not open {path}.part ({_opening(f'{path}.part', error)})", INTERRUPTED) from error
    session.etcd.log("info", "snapshot/v3_snapshot.go:65", "created temporary db file", logger="", path=f"{path}.part")
    data = await _fetch(session, endpoint, part)
    if len(data) % PAGE_BYTES != HASH_BYTES:
        text = f"sha256 checksum not found [bytes: {len(data)}]"
        raise FailedError(text, INTERRUPTED)
    size = printing.size(len(data))
    fetched = {"endpoint": endpoint, "size": size, "took": "now"}
    session.etcd.log("info", "snapshot/v3_snapshot.go:88", "fetched snapshot", logger="", **fetched)
    invocation.files.move(part, invocation.absolute(path))
    session.etcd.log("info", "snapshot/v3_snapshot.go:97", "saved", logger="", path=path)
    session.out(f"Snapshot saved at {path}\n")
    return 0


async def _fetch(session: Session, endpoint: str, part: str) -> bytes:
    """Ask etcd for its snapshot, and write it as it comes; return it. FailedError."""
    files, etcd = session.invocation.files, session.etcd
    pieces: list[bytes] = []
    try:
        async with etcd.stream("Maintenance", "Snapshot") as stream:
            await stream.send_message(pb.SnapshotRequest(), end=True)
            etcd.log("info", "v3@v3.5.16/maintenance.go:212", "opened snapshot stream; downloading", logger="client")
            etcd.log("info", "snapshot/v3_snapshot.go:73", "fetching snapshot", logger="", endpoint=endpoint)
            while (answer := await stream.recv_message()) is not None:
                pieces.append(answer.blob)
                files.append(part, answer.blob)
        etcd.log("info", "v3@v3.5.16/maintenance.go:220", "completed snapshot read; closing", logger="client")
    except StreamTerminatedError as error:
        raise FailedError(f"rpc error: code = Unavailable desc = {error}", INTERRUPTED) from error
    except OSError as error:
        files.remove(part)
        raise FailedError(f"write {part}: {(error.strerror or '').lower()}", INTERRUPTED) from error
    return b"".join(pieces)


async def status(invocation: Invocation, words: Sequence[str], format_: str) -> int:
    """etcdctl snapshot status FILE, and etcdutl's."""
    if len(words) != 1:
        raise bad_arguments("snapshot status requires exactly one argument")
    if not invocation.files.exists(invocation.absolute(words[0])):
        raise FailedError(f"stat {words[0]}: no such file or directory")
    data = _without_hash(_read(invocation, words[0]))
    store = _database(data)
    checksum, keys = zlib.crc32(data), len(store.history.records())
    row = [f"{checksum:x}", str(store.revision), str(keys), printing.size(len(data))]
    match format_:
        case "json":
            told = {"hash": checksum, "revision": store.revision, "totalKey": keys, "totalSize": len(data)}
            invocation.out(printing.go_json(told) + "\n")
        case "fields":
            fields = f'"Hash" : {checksum}\n"Revision" : {store.revision}\n"Keys" : {keys}\n"Size" : {len(data)}\n'
            invocation.out(fields)
        case "table":
            invocation.out(printing.table(("hash", "revision", "total keys", "total size"), [row]))
        case "protobuf":
            raise printing.unsupported("protobuf")
        case _:
            invocation.out(", ".join(row) + "\n")
    return 0


async def restore(invocation: Invocation, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl snapshot restore FILE, and etcdutl's."""
    if len(words) != 1:
        raise bad_arguments("snapshot restore requires exactly one argument")
    bump = flags["bump-revision"]
    if (bump > 0) != flags["mark-compacted"]:
        raise FailedError("--mark-compacted required if --revision-bump > 0", BAD_ARGUMENTS)
    directory = flags["data-dir"] or f"{flags['name']}.etcd"
    _check_member(flags)
    full = invocation.absolute(directory)
    if invocation.files.is_file(full) or (is_directory(invocation.files, full) and _has_entries(invocation, full)):
        raise FailedError(f'data-dir "{directory}" not empty or could not be read')
    paths = {
        "path": words[0],
        "wal-dir": flags["wal-dir"] or f"{directory}/member/wal",
        "data-dir": directory,
        "snap-dir": f"{directory}/member/snap",
    }
    _log(invocation, "snapshot/v3_snapshot.go:260", "restoring snapshot", paths)
    store = _database(_verified(_read(invocation, words[0]), skips=flags["skip-hash-check"]))
    if bump:
        if not 0 < bump < REVISION_MAX - store.revision:
            raise FailedError("invalid database")
        store.revision += bump
        store.compact(store.revision)
    cluster, members = _members(flags)
    for id_, urls in members:
        told = {"cluster-id": f"{cluster:x}", "local-member-id": "0", "added-peer-id": f"{id_:x}"}
        _log(invocation, "membership/cluster.go:421", "added member", {**told, "added-peer-peer-urls": list(urls)})
    try:
        invocation.files.write(path_in(full), bytes(Database(store)), PRIVATE_MODE)
    except OSError as error:
        raise FailedError(f"mkdir {directory}: {(error.strerror or '').lower()}") from error
    _log(invocation, "snapshot/v3_snapshot.go:287", "restored snapshot", paths)
    return 0


def _check_member(flags: Parsed) -> None:
    """Raise FailedError unless the member's name stands in the initial cluster, with its URLs."""
    known: dict[str, list[str]] = {}
    for one in flags["initial-cluster"].split(","):
        name, _, url = one.partition("=")
        known.setdefault(name, []).append(url)
    name = flags["name"]
    if name not in known:
        raise FailedError(f'couldn\'t find local name "{name}" in the initial cluster configuration')
    if sorted(known[name]) != sorted(flags["initial-advertise-peer-urls"].split(",")):
        given = f"{name}={flags['initial-advertise-peer-urls']}"
        text = f"--initial-cluster has {name}={','.join(known[name])} but missing from --initial-advertise-peer-urls="
        raise FailedError(f"{text}{given.partition('=')[2]}")


def _members(flags: Parsed) -> tuple[int, list[tuple[int, Sequence[str]]]]:
    """Return the number of the cluster that is to begin, and its members by their numbers."""
    initial = {name: url for name, _, url in (one.partition("=") for one in flags["initial-cluster"].split(","))}
    if len(initial) == 1:
        return CLUSTER_ID, [(MEMBER_ID, flags["initial-advertise-peer-urls"].split(","))]
    members = Members()
    ids = [members.found(name, url, flags["initial-cluster-token"]) for name, url in initial.items()]
    return cluster_id(ids), [(member.id, member.peer_urls) for member in members]


def _verified(data: bytes, *, skips: bool) -> bytes:
    """Return a snapshot's database, whose hash is right. FailedError."""
    has_hash = len(data) % 512 == HASH_BYTES
    if not has_hash and not skips:
        raise FailedError("snapshot missing hash but --skip-hash-check=false")
    database = _without_hash(data)
    said, found = data[-HASH_BYTES:], hashlib.sha256(database).digest()
    if has_hash and not skips and said != found:
        raise FailedError(f"expected sha256 {_numbers(said)}, got {_numbers(found)}")
    return database


def _without_hash(data: bytes) -> bytes:
    return data[:-HASH_BYTES] if len(data) % 512 == HASH_BYTES else data


def _numbers(data: bytes) -> str:
    return f"[{' '.join(map(str, data))}]"


def _database(data: bytes) -> Store:
    try:
        return read_database(data)
    except DatabaseError as error:
        raise FailedError(str(error)) from error


def _read(invocation: Invocation, path: str) -> bytes:
    try:
        data = invocation.files.read(invocation.absolute(path))
    except OSError as error:
        raise FailedError(_opening(path, error)) from error
    invocation.moved(len(data))
    return data[: FILE_BYTES_MAX + PAGE_BYTES]


def _check_folder(invocation: Invocation, path: str) -> None:
    folder = invocation.absolute(path).rpartition("/")[0] or "/"
    if not is_directory(invocation.files, folder):
        raise FileNotFoundError(2, "No such file or directory")


def _has_entries(invocation: Invocation, directory: str) -> bool:
    return invocation.files.exists(directory) and bool(invocation.files.listdir(directory))


def _opening(path: str, error: OSError) -> str:
    return f"open {path}: {(error.strerror or '').lower()}"


def _log(invocation: Invocation, caller: str, message: str, fields: dict[str, object]) -> None:
    """Write a line to standard error as zap's console encoder does."""
    now = invocation.process.now()
    told = json.dumps(fields, ensure_ascii=False)
    invocation.err(f"{now:%Y-%m-%dT%H:%M:%SZ}\tinfo\t{caller}\t{message}\t{told}\n")
