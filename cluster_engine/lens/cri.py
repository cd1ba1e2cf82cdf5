"""The Container Runtime Interface: pods and containers by name where the wire has only ids.

A kubelet names a pod when it has its sandbox made; from then on both sides speak of ids. What was named is remembered
(bounded), so that `StartContainer 7f3a…` can be shown as the start of a container of that pod, and belongs to it.

    RunPodSandbox    metadata {name web-1, namespace default, uid u1}  -> tokens ("u1", "pods/default/web-1")
    answer           pod_sandbox_id "s1"                               -> s1 is known by these
    CreateContainer  pod_sandbox_id "s1", name nginx;  answer "c1"     -> c1 too
    StartContainer   "c1"                                              -> "StartContainer web-1/nginx"
"""

from typing import Any

from cluster_engine.journal.recent import Recent
from cluster_engine.lens.calls import Meaning

PACKAGE = "/runtime.v1."
IDS_MAX = 4096
POD_UID_LABEL = "io.kubernetes.pod.uid"
POD_NAME_LABEL = "io.kubernetes.pod.name"
HOUSEKEEPING = frozenset({"Version", "Status", "ListPodSandbox", "ListContainers", "ListImages", "ListContainerStats"})
EVENTS = {0: "CREATED", 1: "STARTED", 2: "STOPPED", 3: "DELETED"}


class Known:
    """What an id stands for: pod and container, and the tokens of the pod."""

    __slots__ = ("container", "pod", "tokens")

    def __init__(self, pod: str, container: str, tokens: tuple[str, ...]) -> None:
        self.pod = pod
        self.container = container
        self.tokens = tokens

    @property
    def called(self) -> str:
        """The name in a label."""
        return f"{self.pod}/{self.container}" if self.container else self.pod

    def fields(self) -> dict[str, Any]:
        """The names as an entry shows them."""
        return {"pod": self.pod, "container": self.container} if self.container else {"pod": self.pod}


class Runtime:
    """Reads the messages of all container runtimes of a cluster; remembers at most `IDS_MAX` ids."""

    def __init__(self) -> None:
        self._ids: Recent[str, Known] = Recent(IDS_MAX)

    def request(self, method: str, message: Any) -> Meaning:
        """Describe what a kubelet asks."""
        known, what = self._about(method, message)
        fields = known.fields() if known is not None else {}
        image = getattr(getattr(message, "image", None), "image", "")
        if image:
            fields["image"] = image
        tokens = known.tokens if known is not None else ()
        heartbeat = method in HOUSEKEEPING and not tokens
        return Meaning(f"{method} {what}".rstrip(), fields, tokens, heartbeat=heartbeat)

    def response(self, method: str, message: Any, question: Any) -> Meaning:
        """Describe what a runtime answers, and learn the ids it gave."""
        about, _ = self._about(method, question)
        fields = about.fields() if about is not None else {}
        if method == "RunPodSandbox" and about is not None:
            self._learn(message.pod_sandbox_id, about)
            fields["sandboxId"] = message.pod_sandbox_id
        elif method == "CreateContainer" and about is not None:
            self._learn(message.container_id, about)
            fields["containerId"] = message.container_id
        elif method in ("ListPodSandbox", "ListContainers", "ListContainerStats", "ListImages"):
            items = next((value for _, value in message.ListFields()), ())
            fields["items"] = len(items)
        return Meaning(f"{method} done", fields, about.tokens if about is not None else ())

    def event(self, message: Any) -> Meaning:
        """Describe one message of GetContainerEvents."""
        metadata = message.pod_sandbox_status.metadata
        known = self._ids.get(message.container_id) or _pod(metadata)
        event = EVENTS.get(message.container_event_type, "")
        fields = {**known.fields(), "event": event, "id": message.container_id}
        tokens = (*known.tokens, f"cri:{message.container_id}")
        return Meaning(f"{event} {known.called}".lstrip(), fields, tokens)

    def _about(self, method: str, message: Any) -> tuple[Known | None, str]:
        """Tell what a request is about: the known pod or container, and its name in a label."""
        if method == "RunPodSandbox":
            known = _pod(message.config.metadata)
            return known, known.called
        if method == "CreateContainer":
            pod = _pod(message.sandbox_config.metadata)
            sandbox = self._ids.get(message.pod_sandbox_id)
            tokens = pod.tokens or (sandbox.tokens if sandbox else ())
            name = pod.pod or (sandbox.pod if sandbox else "")
            known = Known(name, message.config.metadata.name, (*tokens, f"cri:{message.pod_sandbox_id}"))
            return known, known.called
        if method == "PullImage":
            known = _pod(message.sandbox_config.metadata)
            return (known if known.pod else None), message.image.image
        if method in ("ImageStatus", "RemoveImage"):
            return None, message.image.image
        for field in ("container_id", "pod_sandbox_id"):
            identity = getattr(message, field, "")
            if identity:
                known_id = self._ids.get(identity)
                return known_id or Known(identity[:13], "", (f"cri:{identity}",)), (
                    known_id.called if known_id else identity[:13]
                )
        return self._filtered(message), ""

    def _filtered(self, message: Any) -> Known | None:
        """A list may be asked for one pod only: then it is about that pod."""
        if not hasattr(message, "filter"):
            return None
        chosen = message.filter
        labels = getattr(chosen, "label_selector", {})
        if POD_UID_LABEL in labels:
            uid = labels[POD_UID_LABEL]
            return Known(labels.get(POD_NAME_LABEL, uid), "", (uid,))
        identity = getattr(chosen, "pod_sandbox_id", "") or getattr(chosen, "id", "")
        return self._ids.get(identity) if identity else None

    def _learn(self, identity: str, known: Known) -> None:
        self._ids[identity] = Known(known.pod, known.container, (*known.tokens, f"cri:{identity}"))


def _pod(metadata: Any) -> Known:
    if not metadata.name:
        return Known("", "", ())
    return Known(metadata.name, "", (metadata.uid, f"pods/{metadata.namespace}/{metadata.name}"))
