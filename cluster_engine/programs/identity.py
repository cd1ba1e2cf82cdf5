"""id and whoami: as whom one runs, by number and by the names in /etc/passwd and /etc/group.

    id              uid=1000 gid=3000 groups=2000,3000
    whoami          whoami: unknown uid 1000           in a container whose image does not know the user

Modelled on coreutils 9.1, and on BusyBox where a container has that. Left out: id of somebody else.
"""

from collections.abc import Sequence

from cluster_engine.programs.invocation import Invocation
from cluster_engine.world.files import FileSystem

USERS, GROUPS = "/etc/passwd", "/etc/group"


def name_of(files: FileSystem, number: int, table: str = USERS) -> str:
    """Return the name of a user, or of a group (table GROUPS); "" where nobody has that number."""
    if number == 0:
        return "root"
    lines = files.read(table).decode("utf-8", "replace").splitlines() if files.exists(table) else []
    fields = (line.split(":") for line in lines)
    return next((found[0] for found in fields if len(found) > 2 and found[2] == str(number)), "")


def shown(files: FileSystem, number: int, table: str = USERS) -> str:
    """Return a user's or group's name, or its number where it has none."""
    return name_of(files, number, table) or str(number)


async def whoami(invocation: Invocation) -> int:
    """Run whoami."""
    uid = invocation.process.user.uid
    name = name_of(invocation.files, uid)
    if name:
        invocation.out(f"{name}\n")
        return 0
    unknown = "unknown uid" if invocation.is_in_container else "cannot find name for user ID"
    invocation.err(f"whoami: {unknown} {uid}\n")
    return 1


async def id_(invocation: Invocation) -> int:
    """Run id: -u, -g and -G for one of the three alone, with -n by name."""
    flags = "".join(word[1:] for word in invocation.argv[1:] if word.startswith("-"))
    files, user = invocation.files, invocation.process.user
    numbers: Sequence[int] = {"u": (user.uid,), "g": (user.gid,), "G": user.groups}.get(flags.strip("nr"), ())
    if numbers:
        table = USERS if "u" in flags else GROUPS
        words = [shown(files, number, table) if "n" in flags else str(number) for number in numbers]
        invocation.out(f"{' '.join(words)}\n")
        return 0
    if flags or (len(invocation.argv) > 1 and invocation.argv[1] not in ("root", "0")):
        wrong = f"invalid option -- '{flags[0]}'" if flags else f"'{invocation.argv[1]}': no such user"
        invocation.err(f"id: {wrong}\n")
        return 1
    groups = ",".join(_both(files, group, GROUPS) for group in user.groups)
    invocation.out(f"uid={_both(files, user.uid)} gid={_both(files, user.gid, GROUPS)} groups={groups}\n")
    return 0


def _both(files: FileSystem, number: int, table: str = USERS) -> str:
    name = name_of(files, number, table)
    return f"{number}({name})" if name else str(number)
