"""Certificate signing requests: who approves them, who signs them, who clears them away.

Theory of operation. Approving and signing are two decisions of two controllers. The *approver* knows one kind of
request: a kubelet's, for its own client certificate. It asks the API server whether who made the request may have such
a request approved (`create` on the subresource `nodeclient`, or `selfnodeclient` for one that is that node already).
All other requests wait for a person. The *signer* signs, with the cluster's key, what is approved for one of the
`kubernetes.io/` signers, if it is what that signer signs; else it says Failed. The *cleaner* looks once an hour.

    POST csr (system:bootstrap:abcdef, CN=system:node:w3)   SubjectAccessReview: yes   PUT …/approval   PUT …/status
    approved or denied an hour ago, pending for a day, or its certificate expired:     DELETE

Modelled on pkg/controller/certificates/{certificate_controller.go,approver,signer,cleaner}. Left out: a key pair of its
own for each signer, and reloading it (it is read for each request).
"""

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from cryptography import x509

from cluster_engine.api import time
from cluster_engine.api.kinds import CERTIFICATE_SIGNING_REQUEST, SUBJECT_ACCESS_REVIEW
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.certificates import (
    APPROVED,
    CLIENT_SIGNER,
    DENIED,
    FAILED,
    KUBELET_CLIENT_SIGNER,
    KUBELET_SERVING_SIGNER,
    common_name,
    conditions,
    decoded,
    request_of,
    signer_problem,
)
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers.context import Context
from cluster_engine.pki.authority import LEAF_LIFETIME, Authority, KeyPair

SIGNING_LIFETIME = LEAF_LIFETIME
"""--cluster-signing-duration: the longest that a certificate is signed for."""
LIFETIME_MIN = timedelta(minutes=10)
CA_FILES = ("/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/pki/ca.key")
SIGNERS = (CLIENT_SIGNER, KUBELET_CLIENT_SIGNER, KUBELET_SERVING_SIGNER)
RETRY_SECONDS, RETRY_SECONDS_MAX = 0.2, 1000.0
POLL_SECONDS = 3600.0
DECIDED_AGE, PENDING_AGE = timedelta(hours=1), timedelta(hours=24)
RECOGNIZED = (
    ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview."),
    ("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview."),
)
"""What the approver asks about, and what it then says."""


class _NotYetError(Refusal):
    """Nothing went wrong: the answer may be another later."""

    code, reason = 403, "Forbidden"


class _Requests:
    """Every request that comes or changes, handed to `handle`; again, with a back-off, when that fails."""

    def __init__(self, context: Context, handle: Callable[[Object], Awaitable[None]]) -> None:
        self._handle = handle
        self._process = context.process
        self._requests = context.informers.informer(CERTIFICATE_SIGNING_REQUEST)
        self._queue = WorkQueue[str](
            "certificate", base_delay_seconds=RETRY_SECONDS, delay_seconds_max=RETRY_SECONDS_MAX
        )
        self._requests.on(
            add=lambda new: self._queue.add(key_of(new)), update=lambda _, new: self._queue.add(key_of(new))
        )

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, on_error=self._failed)

    async def _sync(self, key: str) -> None:
        request = self._requests.get(key)
        if request is not None and not (request.get("status") or {}).get("certificate"):
            await self._handle(request)

    def _failed(self, key: str, error: Exception) -> None:
        if not isinstance(error, _NotYetError):
            self._process.note("certificates.failed", f"Sync {key} failed with : {error}")


class CertificateApprover:
    """Approves kubelets' requests for their own client certificates, of whoever may ask for them."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._work = _Requests(context, self._handle)

    async def run(self) -> None:
        """Work for ever."""
        await self._work.run()

    async def _handle(self, obj: Object) -> None:
        if conditions(obj, APPROVED) or conditions(obj, DENIED):
            return
        tried = []
        for subresource, message in _recognized(obj):
            tried.append(subresource)
            if await self._may(obj, subresource):
                approval = {"type": APPROVED, "status": "True", "reason": "AutoApproved", "message": message}
                await self._client.update(CERTIFICATE_SIGNING_REQUEST, _with_condition(obj, approval), "approval")
                return
        if tried:
            name = obj["metadata"]["name"]
            text = f'recognized csr "{name}" as [{" ".join(tried)}] but subject access review was not approved'
            raise _NotYetError(text)

    async def _may(self, obj: Object, subresource: str) -> bool:
        spec = obj["spec"]
        attributes = {
            "group": CERTIFICATE_SIGNING_REQUEST.group,
            "resource": CERTIFICATE_SIGNING_REQUEST.plural,
            "verb": "create",
            "subresource": subresource,
        }
        asked: Object = {"user": spec.get("username", ""), "resourceAttributes": attributes}
        asked |= {field: spec[field] for field in ("uid", "groups", "extra") if spec.get(field)}
        review = {"kind": "SubjectAccessReview", "apiVersion": SUBJECT_ACCESS_REVIEW.api_version, "spec": asked}
        return bool((await self._client.create(SUBJECT_ACCESS_REVIEW, review))["status"].get("allowed"))


def _recognized(obj: Object) -> tuple[tuple[str, str], ...]:
    """Return as what a request is recognized, if it is a kubelet's for its client certificate."""
    spec = obj["spec"]
    request = request_of(obj)
    if spec.get("signerName") != KUBELET_CLIENT_SIGNER:
        return ()
    if signer_problem(KUBELET_CLIENT_SIGNER, request, spec.get("usages") or ()):
        return ()
    return RECOGNIZED if spec.get("username") == common_name(request.subject) else RECOGNIZED[1:]


class CertificateSigner:
    """Signs what is approved, with the key of the cluster's authority."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._process = context.process
        self._work = _Requests(context, self._handle)

    async def run(self) -> None:
        """Work for ever."""
        await self._work.run()

    async def _handle(self, obj: Object) -> None:
        spec, signer = obj["spec"], obj["spec"].get("signerName")
        if signer not in SIGNERS or not conditions(obj, APPROVED) or conditions(obj, FAILED):
            return
        if conditions(obj, DENIED):
            return
        request, usages = request_of(obj), spec.get("usages") or []
        if problem := signer_problem(signer, request, usages):
            failure = {"type": FAILED, "status": "True", "reason": "SignerValidationFailure", "message": problem}
            await self._client.update(CERTIFICATE_SIGNING_REQUEST, _with_condition(obj, failure), "status")
            return
        try:
            pem = self._authority().sign_request(
                request, usages, lifetime(spec.get("expirationSeconds")), self._process.now()
            )
        except (ValueError, FileNotFoundError) as error:
            raise Refusal(f"error auto signing csr: {error}", code=500, reason="InternalError") from error
        status = {**(obj.get("status") or {}), "certificate": base64.b64encode(pem).decode()}
        await self._client.update(CERTIFICATE_SIGNING_REQUEST, {**obj, "status": status}, "status")

    def _authority(self) -> Authority:
        certificate, key = (self._process.files.read(path) for path in CA_FILES)
        return Authority.of(KeyPair(certificate, key), now=self._process.now())


def lifetime(seconds: int | None) -> timedelta:
    """Return for how long to sign what is wanted for so many seconds; None: as long as may be."""
    if seconds is None:
        return SIGNING_LIFETIME
    return max(LIFETIME_MIN, min(timedelta(seconds=seconds), SIGNING_LIFETIME))


class CertificateCleaner:
    """Deletes requests that nobody needs any more."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._process = context.process
        self._requests = context.informers.informer(CERTIFICATE_SIGNING_REQUEST)

    async def run(self) -> None:
        """Look once an hour, for ever."""
        while True:
            for obj in self._requests.items():
                if is_over(obj, self._process.now()):
                    with contextlib.suppress(NotFound):
                        await self._delete(obj["metadata"]["name"])
            await asyncio.sleep(POLL_SECONDS)

    async def _delete(self, name: str) -> None:
        try:
            await self._client.delete(CERTIFICATE_SIGNING_REQUEST, name)
        except (Refusal, ConnectionError, TimeoutError) as error:
            self._process.note("certificates.failed", f'Error while attempting to clean CSR "{name}": {error}')


def is_over(obj: Object, now: datetime) -> bool:
    """Return whether a request may be deleted: decided an hour ago, pending for a day, or its certificate expired."""
    status = obj.get("status") or {}
    if not status.get("conditions"):
        return now - time.parse(obj["metadata"]["creationTimestamp"]) > PENDING_AGE
    issued = decoded(status.get("certificate"))
    ends = (DENIED, FAILED, APPROVED) if issued else (DENIED, FAILED)
    decided = (time.parse(each["lastUpdateTime"]) for type_ in ends for each in conditions(obj, type_))
    return any(now - moment > DECIDED_AGE for moment in decided) or (bool(issued) and _has_expired(issued, now))


def _has_expired(pem: bytes, now: datetime) -> bool:
    try:
        return now > x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except ValueError:
        return False


def _with_condition(obj: Object, condition: Object) -> Object:
    status = obj.get("status") or {}
    return {**obj, "status": {**status, "conditions": [*(status.get("conditions") or ()), condition]}}
