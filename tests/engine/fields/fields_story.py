"""One story with every protocol in it, for the tests that dissect what crosses a cluster's wires."""

import contextlib

from engine_workstation import living

LINES = (
    "kubectl create deployment web --image=nginx",
    "kubectl rollout status deployment web",
    "kubectl expose deployment web --port=80",
    "kubectl run box --image=busybox --restart=Never -- sleep 1h",
    "kubectl wait --for=condition=Ready pod/box --timeout=60s",
    "kubectl exec box -- nslookup web",
    "kubectl logs box",
    "kubectl get pods -A -o yaml",
    "ping -c 1 worker-1",
)


@contextlib.contextmanager
def journal_of(lines=LINES, **spec):
    """Type these lines into a cluster; keep it standing, for its journal."""

    async def typed(sh):
        for line in lines:
            await sh.ok(line)
        return sh.cluster.journal

    with living(**{"nodes": 1, "capture": True, "system_pods": True, **spec}) as tell:
        yield tell(typed)
