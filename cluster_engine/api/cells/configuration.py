"""The cells of namespaces, config maps, secrets and service accounts."""

from datetime import datetime

from cluster_engine.api.cells.common import status_of
from cluster_engine.api.objects import Object


def namespace_status(namespace: Object, now: datetime) -> str:
    """`Active` or `Terminating`."""
    del now
    phase: str = status_of(namespace).get("phase", "")
    return phase


def config_map_data(config_map: Object, now: datetime) -> int:
    """Number of keys, text or not."""
    del now
    return len(config_map.get("data") or ()) + len(config_map.get("binaryData") or ())


def secret_type(secret: Object, now: datetime) -> str:
    """Kind of secret."""
    del now
    kind: str = secret.get("type", "")
    return kind


def secret_data(secret: Object, now: datetime) -> int:
    """Number of keys."""
    del now
    return len(secret.get("data") or ())


def service_account_secrets(account: Object, now: datetime) -> int:
    """Number of secrets."""
    del now
    return len(account.get("secrets") or ())
