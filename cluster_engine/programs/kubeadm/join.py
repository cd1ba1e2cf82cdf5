"""`kubeadm join`: makes a machine a node of a cluster.

    kubeadm join 10.0.0.1:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:8f4c…

    preflight       nothing of another cluster is here; whom to trust (`discovery`); how the cluster is set up
    kubelet-start   bootstrap-kubelet.conf and pki/ca.crt; no node of that name is Ready; kubelet's configuration;
                    the kubelet starts and asks for its certificate by itself; its Node is annotated

Whatever becomes of it the bootstrap kubeconfig is removed at the end, for it has the token in it. Modelled on
cmd/kubeadm/app/cmd/join.go and phases/join (1.32). Left out: --config, --discovery-file, --control-plane, --node-name,
--dry-run, phases by themselves.
"""

import asyncio
import contextlib

from cluster_engine.api import bootstrap_tokens
from cluster_engine.api.causes import go
from cluster_engine.api.durations import go_duration
from cluster_engine.api.kinds import CONFIG_MAP, NODE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.client import kubeconfig
from cluster_engine.client.rest import Client
from cluster_engine.pki.kubeconfig import write_with_token
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubeadm.api import USER_AGENT, asked, client_of, cluster_configuration
from cluster_engine.programs.kubeadm.discovery import Cluster, discover
from cluster_engine.programs.kubeadm.errors import KubeadmError, invalid
from cluster_engine.programs.kubeadm.preflight import BOOTSTRAP_CONF, CA_FILE, KUBELET_CONF, check
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.world.files import MODE, PRIVATE_MODE

FLAGS = (
    Flag("token", default=""),
    Flag("discovery-token", default=""),
    Flag("tls-bootstrap-token", default=""),
    Flag("discovery-token-ca-cert-hash", kind="strings"),
    Flag("discovery-token-unsafe-skip-ca-verification", kind="bool"),
    Flag("ignore-preflight-errors", kind="strings"),
    Flag("cri-socket", default=""),
)
USER = "tls-bootstrap-token-user"
CONFIG, FLAGS_ENV = "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env"
CRI_SOCKET = "unix:///var/run/containerd/containerd.sock"
CRI_ANNOTATION = "kubeadm.alpha.kubernetes.io/cri-socket"
KUBELET_ARGS = f"--container-runtime-endpoint={CRI_SOCKET} --pod-infra-container-image=registry.k8s.io/pause:3.10"
HEALTH = ("127.0.0.1", 10248)
HEALTH_URL = "http://127.0.0.1:10248/healthz"
HEALTH_SECONDS, HEALTH_RETRY_SECONDS = 240.0, 0.5
BOOTSTRAP_SECONDS, BOOTSTRAP_RETRY_SECONDS = 300.0, 1.0
CALL_SECONDS, CALL_RETRY_SECONDS = 60.0, 0.5
UNSAFE = (
    "using token-based discovery without caCertHashes can be unsafe. Set unsafeSkipCAVerification as true in your "
    "kubeadm config file or pass --discovery-token-unsafe-skip-ca-verification flag to continue"
)
FAILED = """
Unfortunately, an error has occurred:
	{error}

This error is likely caused by:
	- The kubelet is not running
	- The kubelet is unhealthy due to a misconfiguration of the node in some way (required cgroups disabled)

If you are on a systemd-powered system, you can try to troubleshoot the error with the following commands:
	- 'systemctl status kubelet'
	- 'journalctl -xeu kubelet'
"""
DONE = """
This node has joined the cluster:
* Certificate signing request was sent to apiserver and a response was received.
* The Kubelet was informed of the new secure connection details.

Run 'kubectl get nodes' on the control-plane to see this node join the cluster.

"""


async def join(invocation: Invocation, flags: Parsed) -> int:
    """Join this machine to a cluster."""
    endpoint, discovery_token, token = _checked(flags)
    invocation.out("[preflight] Running pre-flight checks\n")
    try:
        check(invocation, flags["ignore-preflight-errors"])
        pins = [one for given in flags["discovery-token-ca-cert-hash"] for one in given.split(",")]
        cluster = await discover(invocation, endpoint, discovery_token, pins)
        client = _newcomer(invocation, cluster, token)
        what = "unable to fetch the kubeadm-config ConfigMap"
        settings = await _settings(invocation, client, what)
    except KubeadmError as error:
        raise error.during("preflight") from error
    try:
        await _start_kubelet(invocation, cluster, client, token, settings)
    except KubeadmError as error:
        raise error.during("kubelet-start") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            invocation.files.remove(BOOTSTRAP_CONF)
    proxy = invocation.process.host.machine.units.get("kube-proxy")
    if proxy is not None:  # it is a process of the host here, where kubeadm's clusters have a DaemonSet
        proxy.start()
    invocation.out(DONE)
    return 0


def _checked(flags: Parsed) -> tuple[tuple[str, int], str, str]:
    """Return the endpoint, and the tokens for discovery and for the kubelet. KubeadmError with all that is wrong."""
    discovery_token = flags["discovery-token"] or flags["token"]
    token = flags["tls-bootstrap-token"] or flags["token"]
    if not flags.arguments:
        raise invalid(['discovery: Invalid value: "": bootstrapToken or file must be set'])
    path, given = "discovery.bootstrapToken", flags.arguments[0]
    problems = []
    if not flags["discovery-token-ca-cert-hash"] and not flags["discovery-token-unsafe-skip-ca-verification"]:
        problems.append(f'{path}.caCertHashes: Invalid value: "": {UNSAFE}')
    if bootstrap_tokens.parse(discovery_token) is None:
        problems.append(f"{path}.token: Invalid value: {go(discovery_token)}: the bootstrap token is invalid")
    host, colon, port = given.rpartition(":")
    if not colon:
        why = f"address {given}: missing port in address"
        problems.append(f"{path}.apiServerEndpoint: Invalid value: {go(given)}: {why}")
    elif not host or not port.isdecimal() or not 0 < int(port[:6]) < 65536:
        why = f"address {given}: invalid port"
        problems.append(f"{path}.apiServerEndpoint: Invalid value: {go(given)}: {why}")
    if bootstrap_tokens.parse(token) is None:
        problems.append(f"discovery.tlsBootstrapToken: Invalid value: {go(token)}: the bootstrap token is invalid")
    if problems:
        raise invalid(problems)
    return (host, int(port)), discovery_token, token


def _newcomer(invocation: Invocation, cluster: Cluster, token: str) -> Client:
    """Speak as who has the token, over TLS that the cluster's authority vouches for."""
    text = write_with_token("kubernetes", cluster.server, ca=cluster.authority, user=USER, token=token)
    path = f"/tmp/kubeadm-{invocation.process.pid}.conf"
    files = invocation.files
    files.write(path, text, PRIVATE_MODE)
    try:
        return client_of(invocation, kubeconfig.load(files, path))
    except ValueError as error:
        raise KubeadmError(f"malformed kubeconfig in the cluster-info ConfigMap: {error}") from error
    finally:
        files.remove(path)


async def _settings(invocation: Invocation, client: Client, what: str) -> Object:
    """Read how the cluster's kubelets are set up."""
    try:
        await cluster_configuration(invocation, client, "preflight")
        return await asked(client.get(CONFIG_MAP, "kubelet-config", "kube-system"), "failed to get component configs")
    except KubeadmError as error:
        raise KubeadmError(f"{what}: {error}") from error


async def _start_kubelet(
    invocation: Invocation, cluster: Cluster, client: Client, token: str, settings: Object
) -> None:
    files, machine = invocation.files, invocation.process.host.machine
    text = write_with_token("kubernetes", cluster.server, ca=cluster.authority, user=USER, token=token)
    files.write(BOOTSTRAP_CONF, text, PRIVATE_MODE)
    if not files.exists(CA_FILE):
        files.write(CA_FILE, cluster.authority, MODE)
    await _refuse_a_double(client, machine.name)
    await client.aclose()
    kubelet = machine.units.get("kubelet")
    if kubelet is None:
        raise KubeadmError("kubelet service does not exist")
    if kubelet.state == "active":
        await kubelet.stop()
    invocation.out(f'[kubelet-start] Writing kubelet configuration to file "{CONFIG}"\n')
    files.write(CONFIG, str((settings.get("data") or {}).get("kubelet") or "").encode(), MODE)
    invocation.out(f'[kubelet-start] Writing kubelet environment file with flags to file "{FLAGS_ENV}"\n')
    files.write(FLAGS_ENV, f'KUBELET_KUBEADM_ARGS="{KUBELET_ARGS}"\n'.encode(), MODE)
    invocation.out("[kubelet-start] Starting the kubelet\n")
    kubelet.start()
    try:
        await _until_healthy(invocation)
        await _until_bootstrapped(invocation)
    except KubeadmError as error:
        invocation.out(FAILED.format(error=error))
        raise
    await _annotate(invocation, machine.name)


async def _refuse_a_double(client: Client, name: str) -> None:
    try:
        node = await client.get(NODE, name)
    except NotFound:
        return
    except (Refusal, OSError) as error:
        raise KubeadmError(f'cannot get Node "{name}": {error}') from error
    ready = [each for each in (node.get("status") or {}).get("conditions") or () if each["type"] == "Ready"]
    if any(each["status"] == "True" for each in ready):
        raise KubeadmError(
            f'a Node with name "{name}" and status "Ready" already exists in the cluster. You must delete the existing '
            "Node or change the name of this new joining Node"
        )


async def _until_healthy(invocation: Invocation) -> None:
    said = f"Waiting for a healthy kubelet at {HEALTH_URL}. This can take up to 4m0s"
    invocation.out(f"[kubelet-check] {said}\n")
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not await _is_healthy():
        if loop.time() - began >= HEALTH_SECONDS:
            invocation.out("[kubelet-check] The kubelet is not healthy after 4m0s\n")
            why = "dial tcp 127.0.0.1:10248: connect: connection refused"
            raise KubeadmError(
                f"The HTTP call equal to 'curl -sSL {HEALTH_URL}' returned error: Get \"{HEALTH_URL}\": {why}"
            )
        await asyncio.sleep(HEALTH_RETRY_SECONDS)
    invocation.out(f"[kubelet-check] The kubelet is healthy after {go_duration(loop.time() - began)}\n")


async def _is_healthy() -> bool:
    try:
        reader, writer = await asyncio.open_connection(*HEALTH)
    except OSError:
        return False
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:10248\r\nConnection: close\r\n\r\n")
        return b" 200 " in await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()


async def _until_bootstrapped(invocation: Invocation) -> None:
    invocation.out("[kubelet-start] Waiting for the kubelet to perform the TLS Bootstrap\n")
    loop = asyncio.get_running_loop()
    until = loop.time() + BOOTSTRAP_SECONDS
    while True:
        with contextlib.suppress(OSError, ValueError):
            kubeconfig.load(invocation.files, KUBELET_CONF)
            return
        if loop.time() >= until:
            raise KubeadmError("context deadline exceeded")
        await asyncio.sleep(BOOTSTRAP_RETRY_SECONDS)


async def _annotate(invocation: Invocation, name: str) -> None:
    """Write into the Node where its container runtime listens, as soon as there is a Node."""
    try:
        client = Client.from_kubeconfig(invocation.process, KUBELET_CONF, user_agent=USER_AGENT)
    except (OSError, ValueError) as error:
        raise KubeadmError(str(error)) from error
    loop = asyncio.get_running_loop()
    until = loop.time() + CALL_SECONDS
    while True:
        try:
            await client.get(NODE, name)
            await client.patch(NODE, name, {"metadata": {"annotations": {CRI_ANNOTATION: CRI_SOCKET}}})
            break
        except (Refusal, OSError) as error:
            if loop.time() >= until:
                raise KubeadmError(f"error writing CRISocket for this node: {error}") from error
        await asyncio.sleep(CALL_RETRY_SECONDS)
    await client.aclose()
