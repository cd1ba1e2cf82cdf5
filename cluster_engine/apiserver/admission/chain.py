"""The admission plug-ins, in their order.

Theory of operation. Each plug-in looks at one write. Mutating ones fill in what the user left out (which service
account, how long to tolerate a node that does not answer), validating ones refuse. All read the watch caches, none
waits: so an update can be admitted again at once when it has to be computed again.

    pod without a service account  ──►  serviceAccountName: default, a projected token volume, two tolerations,
    priority 0

Modelled on kubeapiserver's default plug-ins (pkg/kubeapiserver/options/plugins.go): NamespaceLifecycle, LimitRanger,
ServiceAccount, TaintNodesByCondition, Priority, DefaultTolerationSeconds, CertificateApproval, CertificateSigning,
CertificateSubjectRestriction, DefaultIngressClass, NodeRestriction;
ResourceQuota, which waits, is asked after validation (`registry/quotas`). Left out: storage, webhooks.
"""

from cluster_engine.api.kinds import CERTIFICATE_SIGNING_REQUEST, NAMESPACE, NODE, POD, PRIORITY_CLASS
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause, Forbidden, NotFound
from cluster_engine.apiserver.admission import certificates, classes, node_restriction, node_taint, pods
from cluster_engine.apiserver.authorization.attributes import Chain
from cluster_engine.apiserver.authorization.escalation import Escalation
from cluster_engine.apiserver.registry.backend import Backend, Call

IMMORTAL = ("default", "kube-system", "kube-public")


async def namespace_for_create(backend: Backend, call: Call) -> None:
    """NamespaceLifecycle: nothing is created in a namespace that is missing or going."""
    namespace = await backend.find_surely(NAMESPACE, "", call.namespace)
    if namespace is None:
        raise NotFound(NAMESPACE, call.namespace)
    if "deletionTimestamp" in namespace["metadata"]:
        why = f"unable to create new content in namespace {call.namespace} because it is being terminated"
        cause = Cause("metadata.namespace", "NamespaceTerminating", f"namespace {call.namespace} is being terminated")
        raise Forbidden.because(call.kind, call.name, why, causes=[cause])


class Admission:
    """All plug-ins of one API server, and what RBAC asks of who writes its objects. Objects are changed in place; a
    refusal is a `Refusal`.
    """

    def __init__(self, backend: Backend, escalation: Escalation, authorizer: Chain) -> None:
        self._backend = backend
        self._authorizer = authorizer
        self._escalation = escalation

    def on_create(self, call: Call, new: Object) -> None:
        """Admit a new object."""
        self._escalation.check(call.kind, call.user, call.namespace, new)
        if call.kind is POD:
            pods.admit(self._backend, call, new)
        elif call.kind is NODE:
            node_taint.admit(new)
        elif call.kind is CERTIFICATE_SIGNING_REQUEST:
            certificates.admit(call, new)
        elif (admit := classes.BY_KIND.get(call.kind)) is not None:
            admit(self._backend, call, new)
        node_restriction.on_create(call, new)

    def on_update(self, call: Call, new: Object, old: Object) -> None:
        """Admit a change, of the object or of its status."""
        self._escalation.check(call.kind, call.user, call.namespace, new, old)
        if call.kind is POD and not call.subresource:
            pods.admit_update(new)
        elif call.kind is PRIORITY_CLASS:
            classes.one_default(self._backend, call, new)
        elif call.kind is CERTIFICATE_SIGNING_REQUEST:
            certificates.admit_update(self._authorizer, call, new, old)
        node_restriction.on_update(call, new, old)

    def on_delete(self, call: Call, obj: Object) -> None:
        """Admit a deletion."""
        if call.kind is NAMESPACE and call.name in IMMORTAL:
            raise Forbidden.because(call.kind, call.name, "this namespace may not be deleted")
        node_restriction.on_delete(call, obj)

    def on_token(self, call: Call, request: Object) -> None:
        """Admit a TokenRequest."""
        node_restriction.on_token(self._backend, call, request)
