"""A user, as every later step sees one: a name, a uid, groups, and extra facts (apiserver/pkg/authentication/user)."""

from typing import Any

import msgspec

ANONYMOUS = "system:anonymous"
AUTHENTICATED_GROUP = "system:authenticated"
UNAUTHENTICATED_GROUP = "system:unauthenticated"
PRIVILEGED_GROUP = "system:masters"
NODES_GROUP = "system:nodes"
NODE_PREFIX = "system:node:"
SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:"
SERVICE_ACCOUNTS_GROUP = "system:serviceaccounts"

CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
NODE_NAME = "authentication.kubernetes.io/node-name"
NODE_UID = "authentication.kubernetes.io/node-uid"
POD_NAME = "authentication.kubernetes.io/pod-name"
POD_UID = "authentication.kubernetes.io/pod-uid"

Extra = tuple[tuple[str, tuple[str, ...]], ...]


class User(msgspec.Struct, frozen=True):
    """Who asks. Hashable, so that decisions about users can be remembered."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Extra = ()

    @property
    def node(self) -> str | None:
        """The node this user is (pkg/auth/nodeidentifier), or None."""
        if self.name.startswith(NODE_PREFIX) and NODES_GROUP in self.groups:
            return self.name.removeprefix(NODE_PREFIX)
        return None

    def to_dict(self) -> dict[str, Any]:
        """Say it as authentication.k8s.io/v1 UserInfo does."""
        info: dict[str, Any] = {"username": self.name}
        if self.uid:
            info["uid"] = self.uid
        if self.groups:
            info["groups"] = list(self.groups)
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra}
        return info


NOBODY = User(ANONYMOUS, groups=(UNAUTHENTICATED_GROUP,))


def authenticated(name: str, *, uid: str = "", groups: tuple[str, ...] = (), extra: Extra = ()) -> User:
    """Make the user of a successful authentication: everyone who was recognised is in system:authenticated."""
    if name != ANONYMOUS and AUTHENTICATED_GROUP not in groups:
        groups = (*groups, AUTHENTICATED_GROUP)
    return User(name, uid, groups, extra)


def service_account_user(namespace: str, name: str, uid: str, extra: Extra = ()) -> User:
    """Make the user that a service account is."""
    groups = (SERVICE_ACCOUNTS_GROUP, f"{SERVICE_ACCOUNTS_GROUP}:{namespace}")
    return authenticated(f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}", uid=uid, groups=groups, extra=extra)
