"""The machine that every host is: its processors, memory and disk, and what is used of them.

The disk is small, DISK_BYTES_MAX (`files`), and stands for one of DISK_KIB: a byte written counts for as many as that
is larger. Memory is what the system takes, SYSTEM_BYTES for a machine's own programs together, and for each program in
a container PROCESS_BYTES and what it says it holds (`Process.memory_bytes`).

    disk of 64 MiB, 32 MiB written         half of 58.4 GiB is left
    one container that holds 250 MB        850 MB are used
"""

from typing import TYPE_CHECKING

from cluster_engine.world.files import DISK_BYTES_MAX

if TYPE_CHECKING:
    from cluster_engine.world.files import FileSystem
    from cluster_engine.world.process import Host, Process

CPUS = 4
MEMORY_KIB = 8_130_232
DISK_KIB = 61_202_244
DISK_BYTES = DISK_KIB * 1024
KERNEL = "6.1.0-28-amd64"
OS_IMAGE = "Debian GNU/Linux 12 (bookworm)"
SYSTEM_BYTES = 600 * 1024 * 1024
"""What a node's system and its kubelet, containerd and kube-proxy hold."""
PROCESS_BYTES = 3 * 1024 * 1024
"""What a small program holds of itself."""
KERNEL_LOG = "kernel"
"""The unit and the name under which the kernel writes into a machine's log."""


def held_bytes(process: "Process") -> int:
    """Return what a process holds."""
    return PROCESS_BYTES + process.memory_bytes


def memory_used_bytes(machine: "Host") -> int:
    """Return what is used of a machine's memory."""
    return SYSTEM_BYTES + sum(
        held_bytes(one) if one.files is not machine.files else one.memory_bytes for one in machine.processes.values()
    )


def disk_bytes(simulated: int) -> int:
    """Return for how many bytes of the machine's disk bytes of the simulated one stand."""
    return simulated * DISK_BYTES // DISK_BYTES_MAX


def disk_left_bytes(files: "FileSystem") -> int:
    """Return what is left of a machine's disk."""
    return disk_bytes(DISK_BYTES_MAX - files.size)


def say_out_of_memory(process: "Process") -> None:
    """Write into the machine's log that the kernel ends a process for want of memory, as mm/oom_kill.c does."""
    machine = process.host.machine
    held = held_bytes(process) // 1024
    name = process.argv[0].rpartition("/")[2][:15]
    text = (
        f"Memory cgroup out of memory: Killed process {process.pid} ({name}) total-vm:{held}kB, anon-rss:{held}kB, "
        f"file-rss:0kB, shmem-rss:0kB, UID:{process.user.uid} pgtables:{held // 512}kB oom_score_adj:0"
    )
    machine.log.write(unit=KERNEL_LOG, at=process.now(), boot=machine.boots, by=KERNEL_LOG, pid=0, text=text)
