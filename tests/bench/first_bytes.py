"""What a program costs from being typed to its first byte, the first time in a process: its modules are loaded then.

Theory of operation. Each program is typed twice in a process and a cluster of its own, which has come to rest, after
`true`, with which the shell is loaded: as in `python -m cluster_engine shell`. Processes that serve pages have loaded
all programs before they fork; there every time is `again`.

    python -m tests.bench.first_bytes "ss -tan"      [11.2, 0.6]: milliseconds of CPU, the first time and again
"""

import asyncio
import json
import subprocess
import sys
import time

from cluster_engine.cluster import Cluster
from cluster_engine.collecting import collect_seldom
from tests.bench.figures import ROOT, in_cluster

LINES = {
    "kubectl": "kubectl get nodes",
    "curl": "curl -sk https://10.0.0.1:6443/healthz",
    "openssl": "openssl s_client -connect 10.0.0.1:6443",
    "wget": "wget -qO- --no-check-certificate https://10.0.0.1:6443/healthz",
    "dig": "dig +short worker-1",
    "ss": "ss -tan",
    "jq": "jq -n 1+1",
    "awk": "awk 'BEGIN { print 1 }'",
    "tcpdump": "tcpdump -D",
}
REST_SECONDS = 5.0
"""What the cluster still does after its start is not the programs'."""


def measure() -> dict[str, float]:
    """Return the milliseconds of CPU for each program, loaded anew and loaded before."""
    numbers: dict[str, float] = {}
    for name, line in LINES.items():
        command = [sys.executable, "-m", "tests.bench.first_bytes", line]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        numbers[f"first_byte_of_{name}"], numbers[f"first_byte_of_{name}_again"] = json.loads(done.stdout)
    return numbers


async def first_bytes(cluster: Cluster, line: str) -> list[float]:
    """Type a line twice."""
    heard: list[float] = []
    await asyncio.sleep(REST_SECONDS)
    await cluster.command("true", lambda *_: None)
    for _ in range(2):
        typed, heard_before = time.process_time(), len(heard)
        await cluster.command(line, lambda *_, since=typed: heard.append((time.process_time() - since) * 1000))
        del heard[heard_before + 1 :]
        await asyncio.sleep(1)  # so that nothing of it is under way when it is typed again
    return heard


if __name__ == "__main__":
    collect_seldom()
    print(json.dumps(in_cluster(lambda cluster: first_bytes(cluster, sys.argv[1]), capture=False)))
