"""The real tools of this machine in a network of their own, with a server, a client and what it has not read."""

import shutil
import subprocess
import sys

SOCKETS = """
import socket, subprocess, sys
server = socket.create_server(("127.0.0.1", 6443), backlog=4096)
everywhere = socket.create_server(("0.0.0.0", 10250), backlog=4096)
client = socket.create_connection(("127.0.0.1", 6443))
accepted, _ = server.accept()
accepted.send(b"x" * 100)
closed = socket.create_connection(("127.0.0.1", 6443))
server.accept()[0].close()
def is_quiet():
    found = [line.split()[3:5] for line in open("/proc/net/tcp")]
    sent = [queued.partition(":")[0] for state, queued in found if state == "01"]
    arrived = [queued for state, queued in found if queued == "00000000:00000064"]
    return bool(arrived) and set(sent) == {"00000000"} and not any(state == "04" for state, _ in found)
while not is_quiet():  # FIN-WAIT-1 and what is in a queue: all is acknowledged soon
    pass
for line in sys.argv[1:]:
    done = subprocess.run(line.split(), capture_output=True, text=True)
    print(done.stdout + done.stderr, end="\\0")
"""


def real_outputs(lines):
    """Return what the real tools print for each line; None where there are none or no right to a network."""
    if any(shutil.which(line.split()[0]) is None for line in lines) or shutil.which("unshare") is None:
        return None
    nameless = "(echo 40000 40999 > /proc/sys/net/ipv4/ip_local_port_range) 2> /dev/null"  # 57000 is "dircproxy"
    script = f'ip link set lo up && {{ {nameless}; exec {sys.executable} -c "$0" "$@"; }}'
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", script, SOCKETS, *lines], capture_output=True, text=True, timeout=60, check=False
    )
    return None if done.returncode else done.stdout.split("\0")[:-1]
