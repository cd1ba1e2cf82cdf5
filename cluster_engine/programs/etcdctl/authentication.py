"""etcdctl auth, user and role: of an etcd that knows its clients by their certificates alone.

kubeadm enables no authentication, so that there are neither users nor roles: lists are empty, whoever is named is not
found. Making a user or a role is left out, and etcd answers so (UNIMPLEMENTED). Modelled on etcdctl/ctlv3/command.
"""

from collections.abc import Awaitable, Callable, Sequence

from cluster_engine.programs.etcdctl.failures import bad_arguments
from cluster_engine.programs.etcdctl.session import Session
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.rpc import etcd_pb2 as pb

USER_FLAGS = (Flag("new-user-password", default=""), Flag("no-password", kind="bool"), Flag("interactive", kind="bool"))
Run = Callable[[Session, Sequence[str], Parsed], Awaitable[int]]


async def status(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl auth status."""
    _expect(words, 0, "auth status command does not accept any arguments")
    answer = await session.call("Auth", "AuthStatus", pb.AuthStatusRequest())
    enabled = "true" if answer.enabled else "false"
    session.show(answer, f"Authentication Status: {enabled}\nAuthRevision: {answer.authRevision}\n", fields=None)
    return 0


async def enable(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl auth enable: refused, since there is no user called root."""
    _expect(words, 0, "auth enable command does not accept any arguments")
    await session.call("Auth", "AuthEnable", pb.AuthEnableRequest())
    session.out("Authentication Enabled\n")
    return 0


async def disable(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl auth disable."""
    _expect(words, 0, "auth disable command does not accept any arguments")
    await session.call("Auth", "AuthDisable", pb.AuthDisableRequest())
    session.out("Authentication Disabled\n")
    return 0


async def users(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl user list."""
    _expect(words, 0, "user list command requires no arguments")
    answer = await session.call("Auth", "UserList", pb.AuthUserListRequest())
    session.show(answer, "".join(f"{name}\n" for name in answer.users), fields=None)
    return 0


async def roles(session: Session, words: Sequence[str], _: Parsed) -> int:
    """etcdctl role list."""
    _expect(words, 0, "role list command requires no arguments")
    answer = await session.call("Auth", "RoleList", pb.AuthRoleListRequest())
    named = "".join(f' "{name}"' for name in answer.roles)
    session.show(answer, "".join(f"{name}\n" for name in answer.roles), fields=f'"Roles" :{named}\n')
    return 0


def named(kind: str, verb: str) -> Run:
    """Return what runs `etcdctl user get NAME` and the like."""

    async def run(session: Session, words: Sequence[str], _: Parsed) -> int:
        whose = "role name" if kind == "role" else "user name"
        _expect(words, 1, f"{kind} {verb} command requires {whose} as its argument")
        request = getattr(pb, f"Auth{kind.title()}{verb.title()}Request")
        key = "role" if kind == "role" and verb != "add" else "name"
        answer = await session.call("Auth", f"{kind.title()}{verb.title()}", request(**{key: words[0]}))
        session.show(answer, "")
        return 0

    return run


def _expect(words: Sequence[str], count: int, complaint: str) -> None:
    if len(words) != count:
        raise bad_arguments(complaint)
