"""Which kinds there are: those that are built in, and those that an API server serves while it runs.

`BUILT_IN` is what every API server begins with and every client is compiled with; it is shared and never changes. An
API server owns one `Kinds`, which begins as that and may gain and lose others. Whoever serves something for each kind
(a watch cache, a document) asks `served` anew or is called when kinds come and go; nobody keeps a table of its own.

    kinds = Kinds()
    kinds.on(add=start_cache, drop=stop_cache)
    kinds.add(WIDGET)                      kinds.served.by_resource("example.com", "v2alpha1", "widgets") is WIDGET

To build a kind in: describe it in `schemas/`, and name it below.
"""

from collections.abc import Callable
from contextlib import suppress

from cluster_engine.api.kind_set import KindSet
from cluster_engine.api.schema import Kind
from cluster_engine.api.schemas.apps import DEPLOYMENT, REPLICA_SET
from cluster_engine.api.schemas.authentication import SELF_SUBJECT_REVIEW, TOKEN_REQUEST, TOKEN_REVIEW
from cluster_engine.api.schemas.authorization import (
    LOCAL_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_RULES_REVIEW,
    SUBJECT_ACCESS_REVIEW,
)
from cluster_engine.api.schemas.autoscalers import HORIZONTAL_POD_AUTOSCALER, HORIZONTAL_POD_AUTOSCALER_V1
from cluster_engine.api.schemas.autoscaling import SCALE
from cluster_engine.api.schemas.batch import JOB
from cluster_engine.api.schemas.certificates import CERTIFICATE_SIGNING_REQUEST
from cluster_engine.api.schemas.configuration import CONFIG_MAP, NAMESPACE, SECRET, SERVICE_ACCOUNT
from cluster_engine.api.schemas.coordination import LEASE
from cluster_engine.api.schemas.cron_jobs import CRON_JOB
from cluster_engine.api.schemas.daemons import CONTROLLER_REVISION, DAEMON_SET
from cluster_engine.api.schemas.discovery import ENDPOINT_SLICE
from cluster_engine.api.schemas.events import EVENT
from cluster_engine.api.schemas.meta import DELETE_OPTIONS, STATUS
from cluster_engine.api.schemas.networking import INGRESS, INGRESS_CLASS, NETWORK_POLICY
from cluster_engine.api.schemas.nodes import NODE
from cluster_engine.api.schemas.pods import BINDING, POD
from cluster_engine.api.schemas.policy import EVICTION, POD_DISRUPTION_BUDGET
from cluster_engine.api.schemas.quotas import LIMIT_RANGE, RESOURCE_QUOTA
from cluster_engine.api.schemas.rbac import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from cluster_engine.api.schemas.scheduling import PRIORITY_CLASS
from cluster_engine.api.schemas.services import ENDPOINTS, SERVICE
from cluster_engine.api.schemas.stateful import STATEFUL_SET

BUILT_IN = KindSet(
    # Groups in the order in which the real server offers them: kubectl takes the first that knows a short name.
    (
        POD,
        NODE,
        NAMESPACE,
        SERVICE,
        ENDPOINTS,
        CONFIG_MAP,
        SECRET,
        SERVICE_ACCOUNT,
        RESOURCE_QUOTA,
        LIMIT_RANGE,
        EVENT,
        BINDING,
        DEPLOYMENT,
        REPLICA_SET,
        DAEMON_SET,
        STATEFUL_SET,
        CONTROLLER_REVISION,
        TOKEN_REQUEST,
        TOKEN_REVIEW,
        SELF_SUBJECT_REVIEW,
        SELF_SUBJECT_ACCESS_REVIEW,
        SELF_SUBJECT_RULES_REVIEW,
        SUBJECT_ACCESS_REVIEW,
        LOCAL_SUBJECT_ACCESS_REVIEW,
        HORIZONTAL_POD_AUTOSCALER,
        HORIZONTAL_POD_AUTOSCALER_V1,
        JOB,
        CRON_JOB,
        CERTIFICATE_SIGNING_REQUEST,
        INGRESS,
        INGRESS_CLASS,
        NETWORK_POLICY,
        POD_DISRUPTION_BUDGET,
        EVICTION,
        ROLE,
        ROLE_BINDING,
        CLUSTER_ROLE,
        CLUSTER_ROLE_BINDING,
        PRIORITY_CLASS,
        LEASE,
        ENDPOINT_SLICE,
        SCALE,
        DELETE_OPTIONS,
        STATUS,
    ),
    everywhere=(DELETE_OPTIONS, STATUS),
)

Listener = Callable[[Kind], None]


class Kinds:
    """The kinds that one API server serves at present. What is built in stays."""

    def __init__(self) -> None:
        self.served = BUILT_IN
        self._listeners: list[tuple[Listener, Listener]] = []

    def add(self, kind: Kind) -> None:
        """Serve one more. ValueError when its resource or its name is taken."""
        self.served = self.served.with_kind(kind)
        for added, _ in list(self._listeners):
            added(kind)

    def drop(self, kind: Kind) -> None:
        """Serve one less; what is stored of it stays where it is. ValueError when it is built in, or not served."""
        if kind in BUILT_IN:
            raise ValueError(f"{kind.resource_name} is built in")
        self.served = self.served.without_kind(kind)
        for _, dropped in list(self._listeners):
            dropped(kind)

    def on(self, *, add: Listener, drop: Listener) -> Callable[[], None]:
        """Call a function for every kind that comes from now on, or goes; return what ends that."""
        both = (add, drop)
        self._listeners.append(both)

        def end() -> None:
            with suppress(ValueError):
                self._listeners.remove(both)

        return end
