"""The table of programs: each is there, and is loaded only when it is run."""

import inspect
import subprocess
import sys

import pytest

from cluster_engine.containerd.tools import KNOWN


@pytest.mark.parametrize("name", KNOWN)
def test_every_program_that_can_be_typed_is_there(name):
    assert inspect.iscoroutinefunction(KNOWN[name].load())


def test_a_cluster_loads_no_program_that_nobody_has_typed():
    loads = "import sys, cluster_engine.cluster, cluster_engine.cast as cast; [one.load() for one in cast.PROGRAMS]"
    script = f"{loads}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    rooms = {name.split(".")[2] for name in done.stdout.split() if name.startswith("cluster_engine.programs.")}
    assert not rooms & {"kubectl", "curl", "openssl", "etcdctl", "jq", "wget", "network", "capture", "crictl"}
