"""Static pods: pods of a node that stand in files on it, with no API server in between.

Theory of operation. Each file of MANIFESTS (`staticPodPath`) holds one pod. What is written, moved or deleted there
counts at once (inotify). A pod from a file gets the node's name behind its own, a uid that is the hash of file and
content (so a changed file is another pod), and tolerates whatever would drive it away:

    /etc/kubernetes/manifests/web.yaml {kind: Pod, metadata: {name: web}, …}    web-worker-1.default, uid 5d41402abc4b…

To the API they are shown by `mirror_pods`. That is how a control plane starts itself: the API server is a static pod of
a kubelet that has nobody to ask yet. A file that holds no pod is noted and passed over, the others are not.

Modelled on pkg/kubelet/config/file.go, file_linux.go and common.go. Left out: `staticPodURL`, links, subdirectories'
events, looking again every 20 s.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.api import strict
from cluster_engine.api.defaulting import default
from cluster_engine.api.documents import Unreadable, read_one_yaml
from cluster_engine.api.kinds import POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.api.time import rfc3339
from cluster_engine.api.validation import validate
from cluster_engine.kubelet import pods

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

MANIFESTS = "/etc/kubernetes/manifests"


class StaticPods:
    """The pods of this node's files, by full name (`pods.full_name`)."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._known: dict[str, Object] = {}
        self._read_before: dict[str, tuple[bytes, Object | None]] = {}
        self._changed = asyncio.Event()

    def get(self, full_name: str) -> Object | None:
        """Return the pod of that name, as its file has it."""
        return self._known.get(full_name)

    def items(self) -> list[Object]:
        """Return all of them."""
        return list(self._known.values())

    async def follow(self, on_change: Callable[[list[Object]], None]) -> None:
        """Look whenever a file has changed, for ever; tell those that are no longer."""
        with self._process.files.watched(MANIFESTS, self._changed.set):
            while True:
                self._changed.clear()
                on_change(self._look())
                await self._changed.wait()

    def _look(self) -> list[Object]:
        """Read all files; return the pods that are no longer."""
        before, self._known = self._known, self._read()
        new = {pods.uid(pod) for pod in self._known.values()}
        return [pod for pod in before.values() if pods.uid(pod) not in new]

    def _read(self) -> dict[str, Object]:
        files = self._process.files
        texts = {path: files.read(path) for path in sorted(files.below(MANIFESTS)) if _may_be_manifest(path)}
        self._read_before = {path: self._read_one(path, text) for path, text in texts.items()}
        return {pods.full_name(pod): pod for _, pod in self._read_before.values() if pod is not None}

    def _read_one(self, path: str, text: bytes) -> tuple[bytes, Object | None]:
        known = self._read_before.get(path)
        if known is not None and known[0] == text:
            return known
        try:
            return text, decoded(text, path, self._process.host.hostname, rfc3339(self._process.now()))
        except (Unreadable, Refusal, ValueError) as error:
            self._process.note("kubelet.manifest", f'Could not process manifest file "{path}": {error}', path=path)
            return text, None


def _may_be_manifest(path: str) -> bool:
    name = path.removeprefix(f"{MANIFESTS}/")
    return not name.startswith(".") and "/" not in name


def decoded(text: bytes, path: str, node: str, seen: str) -> Object:
    """Return the static pod of a file's text, complete. Unreadable, Refusal or ValueError where it holds none."""
    _, pod = strict.check(POD, read_one_yaml(text))
    if (pod.get("apiVersion"), pod.get("kind")) != ("v1", "Pod"):
        raise ValueError(f'no kind "{pod.get("kind", "")}" is registered for version "{pod.get("apiVersion", "")}"')
    default(POD, pod)
    hashed = f"host:{node}file:{path}".encode() + msgspec.json.encode(pod)
    uid = hashlib.md5(hashed, usedforsecurity=False).hexdigest()
    metadata, spec = pod.setdefault("metadata", {}), pod.setdefault("spec", {})
    metadata["uid"] = uid
    metadata["name"] = f"{metadata.get('name', '')}-{node}"
    metadata.setdefault("namespace", "default")
    said = {pods.HASH: uid, pods.SEEN: seen, pods.SOURCE: "file"}
    own = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != pods.MIRROR}
    metadata["annotations"] = {**own, **said}
    spec["nodeName"] = node
    spec["tolerations"] = [*(spec.get("tolerations") or ()), {"operator": "Exists", "effect": "NoExecute"}]
    if causes := validate(POD, pod):
        raise ValueError(f"invalid pod: {[f'{cause.field}: {cause.message}' for cause in causes]}")
    pod["status"] = {"phase": "Pending"}
    return pod
