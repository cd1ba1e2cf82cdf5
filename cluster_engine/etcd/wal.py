"""The write-ahead log as a file: what a member of several has agreed to, below its data directory.

    /var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal      lengths (8 bytes) and raftpb.Entry

As the database's file it is bound to what it stands for (`FileSystem.bind`): whoever moves it moves the log, whoever
deletes it has the member forget what it promised. A data directory with a database and no log is one that was restored
from a snapshot: the log begins behind it. Modelled on etcd's server/storage/wal; the checksums, the other records and
reading a log from bytes are left out.
"""

from cluster_engine.raft.storage import Storage
from cluster_engine.rpc import raft_pb2 as pb
from cluster_engine.world.files import FileSystem

FIRST_TERM = 1


class Wal:
    """A log as its file; see `world.files.Content`."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def __bytes__(self) -> bytes:
        parts = []
        for entry in self.storage.entries:
            data = pb.Entry(Term=entry.term, Index=entry.index, Data=entry.data).SerializeToString()
            parts += [len(data).to_bytes(8), data]
        return b"".join(parts)


def path_in(data_directory: str) -> str:
    """Return the file in which a data directory has its log."""
    return f"{data_directory.rstrip('/')}/member/wal/{0:016x}-{0:016x}.wal"


def open_wal(files: FileSystem, data_directory: str, *, after: int) -> Storage:
    """Return the log of a data directory; where there is none, one that begins `after` an entry. OSError."""
    path = path_in(data_directory)
    bound = files.bound(path)
    if isinstance(bound, Wal):
        return bound.storage
    storage = Storage(start=after, start_term=FIRST_TERM)
    files.bind(path, Wal(storage))
    return storage
