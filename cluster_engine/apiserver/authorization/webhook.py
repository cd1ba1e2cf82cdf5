"""Authorization by somebody else's server: each question a SubjectAccessReview, each answer remembered for a while.

    jane list pods      POST … → {allowed: true}              asked again after 5 minutes
    jane delete pods    POST … → {allowed: false}             no opinion: the next authorizer; asked again after 30 s
                        POST … → {allowed: false, denied: true}     no, whoever comes next
    no server           noted, no opinion, after five tries

Modelled on apiserver/plugin/pkg/authorizer/webhook (v1.32), with the failure policy NoOpinion, which the flags mean.
Left out: label selectors.
"""

import asyncio

from cluster_engine.apiserver.authorization.attributes import NO_OPINION, Attributes, Decision
from cluster_engine.apiserver.webhooks import REMEMBERED_MAX, Object, Webhook, WebhookError
from cluster_engine.world.process import Process

NAMES_LENGTH_MAX = 10_000
"""Questions whose names are longer are not remembered."""


class WebhookAuthorizer:
    """Asks a webhook. `api_version` is v1 or v1beta1, which calls groups `group`; the times are seconds."""

    version = 0

    def __init__(self, process: Process, webhook: Webhook, api_version: str, allowed: float, denied: float) -> None:
        self._process = process
        self._webhook = webhook
        self._version = api_version
        self._seconds = (denied, allowed)
        self._known: dict[Attributes, tuple[Decision, float]] = {}

    def authorize(self, attributes: Attributes) -> Decision:
        """See `Authorizer`."""
        decision, until = self._known.get(attributes, (NO_OPINION, -1.0))
        return decision if asyncio.get_running_loop().time() <= until else NO_OPINION

    async def prepare(self, attributes: Attributes) -> None:
        """See `Remote`."""
        now = asyncio.get_running_loop().time()
        _, until = self._known.get(attributes, (NO_OPINION, -1.0))
        if now < until:
            return
        try:
            status = await self._webhook.review(
                "SubjectAccessReview", f"authorization.k8s.io/{self._version}", self._spec(attributes)
            )
        except WebhookError as error:
            self._process.note("apiserver.webhook", f"Failed to make webhook authorizer request: {error}")
            return
        decision = _decision(status)
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        keeps = sum(map(len, (attributes.namespace, attributes.name, attributes.path))) < NAMES_LENGTH_MAX
        seconds = self._seconds[decision.allowed] if keeps else 0.0
        self._known[attributes] = (decision, asyncio.get_running_loop().time() + seconds)

    def _spec(self, attributes: Attributes) -> Object:
        user = attributes.user
        spec: Object = {"user": user.name}
        if user.uid:
            spec["uid"] = user.uid
        if user.groups:
            spec["group" if self._version == "v1beta1" else "groups"] = list(user.groups)
        if user.extra:
            spec["extra"] = {key: list(values) for key, values in user.extra}
        if attributes.is_resource:
            asked = {name: getattr(attributes, name) for name in ("namespace", "verb", "group", "resource")}
            asked |= {"subresource": attributes.subresource, "name": attributes.name}
            what: Object = {name: value for name, value in asked.items() if value}
            if attributes.field_selector:
                what["fieldSelector"] = {"rawSelector": attributes.field_selector}
            return {"resourceAttributes": what, **spec}
        return {"nonResourceAttributes": {"path": attributes.path, "verb": attributes.verb}, **spec}


def _decision(status: Object) -> Decision:
    allowed, denied = status.get("allowed") is True, status.get("denied") is True
    reason = str(status.get("reason") or "")
    return Decision(allowed=allowed and not denied, reason=reason, denied=denied)
