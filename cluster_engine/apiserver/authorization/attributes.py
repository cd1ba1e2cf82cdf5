"""What is asked of authorization (apiserver/pkg/authorization/authorizer), and the chain that answers."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from cluster_engine.apiserver.authentication.users import PRIVILEGED_GROUP, User
from cluster_engine.apiserver.request_info import RequestInfo, parse_query

DECISIONS_MAX = 8192


class Attributes(msgspec.Struct, frozen=True):
    """One question: may `user` do `verb` to this? For non-resource requests only `path` and `verb` count."""

    user: User
    verb: str
    path: str = ""
    is_resource: bool = True
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""

    def selects(self, field: str, value: str) -> bool:
        """Return whether the field selector admits only objects whose `field` is `value`."""
        terms = self.field_selector.split(",")
        return f"{field}={value}" in terms or f"{field}=={value}" in terms


class Decision(msgspec.Struct, frozen=True):
    """Allowed, or no opinion; with the reason, where there is one. What is `denied` nobody else is asked about."""

    allowed: bool
    reason: str = ""
    denied: bool = False


NO_OPINION = Decision(allowed=False)


class Authorizer(Protocol):
    """Answers questions from what it knows now."""

    @property
    def version(self) -> int:
        """A number that changes when answers may have changed."""
        ...

    def authorize(self, attributes: Attributes) -> Decision:
        """Allow, or have no opinion."""
        ...


class Remote(Authorizer, Protocol):
    """Answers questions that somebody elsewhere was asked before."""

    async def prepare(self, attributes: Attributes) -> None:
        """Ask, unless the answer is known still."""
        ...


class Chain:
    """Asks authorizers in turn; the first that allows or denies wins, else all their reasons are given.

    `ask` awaits the answers of those that ask elsewhere; `authorize` has them say what they know by now. What is
    allowed is remembered until a version changes, so that a request seen before costs one look. What is not is
    decided anew each time: nobody can fill the memory with what he may not do.
    """

    def __init__(self, *authorizers: Authorizer, remote: Sequence[Remote] = ()) -> None:
        """`remote` are those of the authorizers that ask elsewhere."""
        self._authorizers = authorizers
        self._remote = remote
        self._decisions: dict[Attributes, Decision] = {}
        self._versions: list[int] = []

    async def ask(self, attributes: Attributes) -> Decision:
        """Decide, however long it takes."""
        for remote in self._remote:
            before = self._authorizers[: self._authorizers.index(remote)]
            if not _settled(attributes, before):
                await remote.prepare(attributes)
        return self.authorize(attributes)

    def authorize(self, attributes: Attributes) -> Decision:
        """Decide."""
        versions = [authorizer.version for authorizer in self._authorizers]
        if versions != self._versions or len(self._decisions) >= DECISIONS_MAX:
            self._decisions.clear()
            self._versions = versions
        decision = self._decisions.get(attributes)
        if decision is None:
            decision = self._decide(attributes)
            if decision.allowed and not self._remote:  # what somebody elsewhere says holds for a while only
                self._decisions[attributes] = decision
        return decision

    def _decide(self, attributes: Attributes) -> Decision:
        if PRIVILEGED_GROUP in attributes.user.groups:
            return Decision(allowed=True)
        reasons = []
        for authorizer in self._authorizers:
            decision = authorizer.authorize(attributes)
            if decision.allowed or decision.denied:
                return decision
            if decision.reason:
                reasons.append(decision.reason)
        return Decision(allowed=False, reason=", ".join(reasons))


def _settled(attributes: Attributes, authorizers: Sequence[Authorizer]) -> bool:
    if PRIVILEGED_GROUP in attributes.user.groups:
        return True
    decisions = (authorizer.authorize(attributes) for authorizer in authorizers)
    return any(decision.allowed or decision.denied for decision in decisions)


def attributes_of(user: User, info: RequestInfo, query: str) -> Attributes:
    """Ask about a request."""
    if not info.is_resource:
        return Attributes(user, info.verb, info.path, is_resource=False)
    selector = parse_query(query).get("fieldSelector", "") if info.verb in ("list", "watch", "deletecollection") else ""
    return Attributes(
        user=user,
        verb=info.verb,
        group=info.group,
        resource=info.resource,
        subresource=info.subresource,
        namespace=info.namespace,
        name=info.name,
        field_selector=selector,
    )


def refusal_text(attributes: Attributes, reason: str) -> str:
    """Say no as kubectl users know it (apiserver/pkg/endpoints/handlers/responsewriters/errors.go)."""
    user = attributes.user.name
    because = f": {reason}" if reason else ""
    if not attributes.is_resource:
        return f'forbidden: User "{user}" cannot {attributes.verb} path "{attributes.path}"{because}'
    resource = f"{attributes.resource}/{attributes.subresource}" if attributes.subresource else attributes.resource
    where = f'in the namespace "{attributes.namespace}"' if attributes.namespace else "at the cluster scope"
    qualified = f"{attributes.resource}.{attributes.group}" if attributes.group else attributes.resource
    named = f'{qualified} "{attributes.name}"' if attributes.name else qualified
    return (
        f'{named} is forbidden: User "{user}" cannot {attributes.verb} resource "{resource}" '
        f'in API group "{attributes.group}" {where}{because}'
    )
