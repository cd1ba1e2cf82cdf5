"""The table of etcdctl's commands, and of those that etcdutl has too."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from cluster_engine.programs.etcdctl import (
    authentication,
    keys,
    leases,
    locks,
    members,
    membership,
    requests,
    snapshots,
)
from cluster_engine.programs.etcdctl.session import Session
from cluster_engine.programs.kubectl.flags import Flag, Parsed

Run = Callable[[Session, Sequence[str], Parsed], Awaitable[int]]


class Command(msgspec.Struct, frozen=True):
    """One command: its words, what it says of itself, its flags, and what runs it."""

    name: str
    usage: str
    summary: str
    flags: Sequence[Flag]
    run: Run


async def snapshot_status(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl snapshot status."""
    return await snapshots.status(session.invocation, words, session.printer.name)


async def snapshot_restore(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl snapshot restore."""
    return await snapshots.restore(session.invocation, words, flags)


def _deprecated(run: Run, verb: str) -> Run:
    """Return what runs a command of which etcdutl is to be asked."""

    async def warn(session: Session, words: Sequence[str], flags: Parsed) -> int:
        session.err(f"Deprecated: Use `etcdutl snapshot {verb}` instead.\n\n")
        return await run(session, words, flags)

    return warn


COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        Command("get", "[options] <key> [range_end]", "Gets the key or a range of keys", requests.GET_FLAGS, keys.get),
        Command("put", "[options] <key> <value>", "Puts the given key into the store", requests.PUT_FLAGS, keys.put),
        Command(
            "del",
            "[options] <key> [range_end]",
            "Removes the specified key or range of keys [key, range_end)",
            requests.DELETE_FLAGS,
            keys.delete,
        ),
        Command("txn", "[options]", "Txn processes all the requests in one transaction", (), keys.txn),
        Command(
            "compaction",
            "[options] <revision>",
            "Compacts the event history in etcd",
            keys.COMPACTION_FLAGS,
            keys.compact,
        ),
        Command(
            "watch",
            "[options] <key> [range_end]",
            "Watches events stream on keys or prefixes",
            keys.WATCH_FLAGS,
            keys.watch,
        ),
        Command("lease grant", "<ttl>", "Creates leases", (), leases.grant),
        Command("lease revoke", "<leaseID>", "Revokes leases", (), leases.revoke),
        Command(
            "lease timetolive",
            "<leaseID> [options]",
            "Get lease information",
            leases.TIME_TO_LIVE_FLAGS,
            leases.time_to_live,
        ),
        Command("lease list", "", "List all active leases", (), leases.list_),
        Command(
            "lease keep-alive",
            "[options] <leaseID>",
            "Keeps leases alive (renew)",
            leases.KEEP_ALIVE_FLAGS,
            leases.keep_alive,
        ),
        Command(
            "endpoint health",
            "",
            "Checks the healthiness of endpoints specified in `--endpoints` flag",
            members.CLUSTER_FLAGS,
            members.health,
        ),
        Command(
            "endpoint status",
            "",
            "Prints out the status of endpoints specified in `--endpoints` flag",
            members.CLUSTER_FLAGS,
            members.status,
        ),
        Command(
            "endpoint hashkv",
            "",
            "Prints the KV history hash for each endpoint in --endpoints",
            members.HASH_FLAGS,
            members.hash_kv,
        ),
        Command("member list", "", "Lists all members in the cluster", (), membership.member_list),
        Command(
            "member add",
            "<memberName> [options]",
            "Adds a member into the cluster",
            membership.ADD_FLAGS,
            membership.add,
        ),
        Command("member remove", "<memberID>", "Removes a member from the cluster", (), membership.remove),
        Command(
            "member update",
            "<memberID> [options]",
            "Updates a member in the cluster",
            membership.URL_FLAGS,
            membership.update,
        ),
        Command("member promote", "<memberID>", "Promotes a non-voting member in the cluster", (), membership.promote),
        Command(
            "move-leader",
            "<transferee-member-id>",
            "Transfers leadership to another etcd cluster member.",
            (),
            members.move_leader,
        ),
        Command(
            "snapshot save", "<filename>", "Stores an etcd node backend snapshot to a given file", (), snapshots.save
        ),
        Command(
            "snapshot status",
            "<filename>",
            "[deprecated] Gets backend snapshot status of a given file",
            (),
            _deprecated(snapshot_status, "status"),
        ),
        Command(
            "snapshot restore",
            "<filename> [options]",
            "Restores an etcd member snapshot to an etcd directory",
            snapshots.RESTORE_FLAGS,
            _deprecated(snapshot_restore, "restore"),
        ),
        Command(
            "lock", "<lockname> [exec-command arg1 arg2 ...]", "Acquires a named lock", locks.LOCK_FLAGS, locks.lock
        ),
        Command(
            "elect",
            "<election-name> [proposal]",
            "Observes and participates in leader election",
            locks.ELECT_FLAGS,
            locks.elect,
        ),
        Command("auth status", "", "Returns authentication status", (), authentication.status),
        Command("auth enable", "", "Enables authentication", (), authentication.enable),
        Command("auth disable", "", "Disables authentication", (), authentication.disable),
        Command("user list", "", "Lists all users", (), authentication.users),
        Command(
            "user add",
            "<user name or user:password> [options]",
            "Adds a new user",
            authentication.USER_FLAGS,
            authentication.named("user", "add"),
        ),
        Command(
            "user get", "<user name>", "Gets detailed information of a user", (), authentication.named("user", "get")
        ),
        Command("user delete", "<user name>", "Deletes a user", (), authentication.named("user", "delete")),
        Command("role list", "", "Lists all roles", (), authentication.roles),
        Command("role add", "<role name>", "Adds a new role", (), authentication.named("role", "add")),
        Command(
            "role get", "<role name>", "Gets detailed information of a role", (), authentication.named("role", "get")
        ),
        Command("role delete", "<role name>", "Deletes a role", (), authentication.named("role", "delete")),
        Command("alarm list", "", "Lists all alarms", (), members.alarms),
        Command("alarm disarm", "", "Disarms all alarms", (), members.disarm),
        Command("defrag", "", "Defragments the storage of the etcd members", members.CLUSTER_FLAGS, members.defrag),
    )
}
UTILITIES = {name: COMMANDS[name] for name in ("snapshot restore", "snapshot status")}
SYNONYMS = {"compact": "compaction"}
GROUPS = frozenset(name.split()[0] for name in COMMANDS if " " in name)
