"""What kubeadm's commands ask the API server for: with whose kubeconfig, and in which words it fails."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from cluster_engine.api.kinds import CONFIG_MAP
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.client import kubeconfig
from cluster_engine.client.rest import Client
from cluster_engine.programs.invocation import HOME, Invocation
from cluster_engine.programs.kubeadm.errors import KubeadmError
from cluster_engine.version import user_agent

USER_AGENT = user_agent("kubeadm")
ADMIN, HOME_CONFIG = "/etc/kubernetes/admin.conf", f"{HOME}/.kube/config"

T = TypeVar("T")


def admin(invocation: Invocation, path: str) -> Client:
    """Make a client of the administrator's kubeconfig: that of the flag, of the person, or of this host."""
    if not path:
        path = HOME_CONFIG if invocation.files.exists(HOME_CONFIG) else ADMIN
    path = invocation.absolute(path)
    try:
        return Client.from_kubeconfig(invocation.process, path, user_agent=USER_AGENT)
    except FileNotFoundError as error:
        raise KubeadmError(f"failed to load admin kubeconfig: open {path}: no such file or directory") from error
    except ValueError as error:
        raise KubeadmError(f"failed to load admin kubeconfig: {error}") from error


def client_of(invocation: Invocation, config: kubeconfig.KubeConfig) -> Client:
    """Make a client of what was found out. KubeadmError where that is no good."""
    try:
        client = Client(config, invocation.process, USER_AGENT)
        client.show(config)
    except ValueError as error:
        raise KubeadmError(f"failed to create API client configuration from kubeconfig: {error}") from error
    return client


async def asked(doing: Awaitable[T], what: str) -> T:
    """Wait for an answer. KubeadmError, which begins with what was asked for."""
    try:
        return await doing
    except (Refusal, OSError) as error:
        raise KubeadmError(f"{what}: {error}") from error


async def cluster_configuration(invocation: Invocation, client: Client, phase: str) -> Object:
    """Read how the cluster was set up, and say so."""
    invocation.out(
        f'[{phase}] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...\n'
        f"[{phase}] Use 'kubeadm init phase upload-config --config your-config.yaml' to re-upload it.\n"
    )
    return await asked(client.get(CONFIG_MAP, "kubeadm-config", "kube-system"), "failed to get config map")


def short(left: timedelta) -> str:
    """Say a time to come in its largest unit (duration.ShortHumanDuration)."""
    seconds = int(left.total_seconds())
    if seconds < -1:
        return "<invalid>"
    units = ((60, 60, "s"), (3600, 3600, "m"), (86400, 86400, "h"), (365 * 86400, 365 * 86400, "d"))
    below = 1
    for limit, step, unit in units:
        if seconds < limit:
            return f"{max(seconds, 0) // below}{unit}"
        below = step
    return f"{seconds // (365 * 86400)}y"
