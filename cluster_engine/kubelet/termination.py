"""A container's last words: what it wrote to its termination log, or the end of its log where the policy says so.

    echo "no database" > /dev/termination-log; exit 1        lastState.terminated.message: no database

Modelled on kuberuntime_container.go, getTerminationMessage.
"""

from collections.abc import Mapping

from cluster_engine.kubelet.cri_config import TERMINATION_POLICY, termination_log
from cluster_engine.kubelet.logs import LogOptions, select
from cluster_engine.kubelet.runtime_cache import POD_UID, PodRuntime
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.files import FileSystem
from cluster_engine.world.world import EPOCH

MESSAGE_BYTES_MAX = 4096
LOG_LINES_MAX, LOG_BYTES_MAX = 80, 2048


def messages(runtime: PodRuntime, files: FileSystem) -> Mapping[str, str]:
    """Return the messages of the containers that have ended, by id."""
    ended = [status for status in runtime.all_containers() if status.state == cri.CONTAINER_EXITED]
    found = {status.id: _message(status, files) for status in ended}
    return {id_: message for id_, message in found.items() if message}


def _message(status: cri.ContainerStatus, files: FileSystem) -> str:
    path = termination_log(status.labels[POD_UID], status.metadata.name, status.metadata.attempt)
    said = files.read(path)[:MESSAGE_BYTES_MAX] if files.exists(path) else b""
    falls_back = status.annotations[TERMINATION_POLICY] == "FallbackToLogsOnError" and status.exit_code
    if not said and falls_back and files.exists(status.log_path):
        lines = files.read(status.log_path).splitlines(keepends=True)
        said = b"".join(select(lines, LogOptions(tail_lines=LOG_LINES_MAX), EPOCH))[-LOG_BYTES_MAX:]
    return said.decode("utf-8", "replace")
