"""The authorizers that `--authorization-mode` names, in its order.

    Node,RBAC              what kubeadm says        AlwaysAllow     no flag at all
    Node,RBAC,Webhook      RBAC first: what it does not allow the webhook is asked about
    ABAC                   a file only; nobody's roles count

Modelled on pkg/kubeapiserver/authorizer/reload.go and apiserver/pkg/authorization/authorizerfactory/builtin.go.
"""

from collections.abc import Callable

from cluster_engine.apiserver.authorization import abac
from cluster_engine.apiserver.authorization.attributes import Attributes, Authorizer, Chain, Decision, Remote
from cluster_engine.apiserver.authorization.webhook import WebhookAuthorizer
from cluster_engine.apiserver.flags import Flags
from cluster_engine.apiserver.webhooks import Webhook
from cluster_engine.world.process import Process


class Always:
    """Says one thing to all questions."""

    version = 0

    def __init__(self, decision: Decision) -> None:
        self._decision = decision

    def authorize(self, attributes: Attributes) -> Decision:
        """See `Authorizer`."""
        return self._decision


ALLOW = Decision(allowed=True)
DENY = Decision(allowed=False, reason="Everything is forbidden.")


class AuthorizationConfigError(ValueError):
    """A mode that cannot be had; the message is what the server ends with."""


def authorizer(process: Process, given: Flags, node: Authorizer, rbac: Authorizer) -> Chain:
    """Return what decides. AuthorizationConfigError."""
    remote: list[Remote] = []

    def webhook() -> Authorizer:
        made = WebhookAuthorizer(
            process,
            Webhook(process, given.authorization_webhook_config_file),
            given.authorization_webhook_version,
            given.authorization_webhook_cache_authorized_ttl,
            given.authorization_webhook_cache_unauthorized_ttl,
        )
        remote.append(made)
        return made

    def from_file() -> Authorizer:
        path = given.authorization_policy_file
        return abac.load(process.files.read(path), path)

    made: dict[str, Callable[[], Authorizer]] = {
        "Node": lambda: node,
        "RBAC": lambda: rbac,
        "ABAC": from_file,
        "Webhook": webhook,
        "AlwaysAllow": lambda: Always(ALLOW),
        "AlwaysDeny": lambda: Always(DENY),
    }
    try:
        return Chain(*[made[mode]() for mode in given.authorization_mode], remote=remote)
    except OSError as error:
        what = f"open {error.filename}: {(error.strerror or '').lower()}"
        raise AuthorizationConfigError(f"invalid authorization config: {what}") from error
    except ValueError as error:
        raise AuthorizationConfigError(f"invalid authorization config: {error}") from error
