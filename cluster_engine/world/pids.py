"""Process namespaces: which processes see each other, and how they count them.

A machine's processes have numbers. Those of a container are numbered again from the first one of its namespace, and
what is outside cannot be named from within:

    the machine     812 nginx   813 sh   840 sleep        a shell of the host sees all, by these numbers
    a container       1 nginx     2 sh                    its namespace began with 812
    with hostPID    as the machine

Processes that see the same files see the same processes, so a namespace hangs on the files (`FileSystem.pids`), as the
user does. Modelled on pid_namespaces(7). Left out: namespaces in one another: what is in a container's is in the
machine's, and in no other.
"""


class PidNamespace:
    """Processes that see each other. `first` is the machine's number of number 1.

    Where there is an `init`, a command, it is number 1, and is not simulated; `name` is what it is called.
    """

    def __init__(self, first: int = 1, init: str = "", name: str = "") -> None:
        self.first = first
        self.init = init
        self.name = name

    def number(self, pid: int) -> int:
        """Return the number here of a process of the machine."""
        return pid - self.first + 1

    def pid(self, number: int) -> int:
        """Return the machine's number of a process here."""
        return number + self.first - 1


OF_MACHINES = PidNamespace(init="/sbin/init", name="systemd")
"""That of every machine: all its processes are seen, as they are numbered."""
