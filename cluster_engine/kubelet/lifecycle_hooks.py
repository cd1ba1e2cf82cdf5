"""Lifecycle hooks: what a container's spec wants done right after its start, and before SIGTERM is sent to it.

    postStart: {exec: {command: [sh, -c, "echo up > /tmp/up"]}}      fails: the container is killed, PostStartHookError
    preStop: {sleep: {seconds: 5}}                                   takes of the grace period; SIGTERM comes after it

An exec hook is a CRI ExecSync, an httpGet one a request to the pod. Modelled on pkg/kubelet/lifecycle/handlers.go.
Left out: tcpSocket hooks, which real kubelets do nothing for either.
"""

import asyncio

from cluster_engine.api.objects import Object
from cluster_engine.kubelet.prober import ProbeError, ProbeFailure, http_hook
from cluster_engine.kubelet.runtime import Runtime, RuntimeRefusal


class HookFailure(Exception):  # noqa: N818
    """A hook that did not do what it should; the text says why."""


async def run(hook: Object, container: Object, *, id_: str, ip: str, pod_name: str, runtime: Runtime) -> None:
    """Do what a hook says, however long it takes. HookFailure."""
    if pause := hook.get("sleep"):
        await asyncio.sleep(int(pause.get("seconds") or 0))
    elif action := hook.get("httpGet"):
        try:
            await http_hook(action, container, ip)
        except (ProbeFailure, ProbeError) as failure:
            path = action.get("path") or "/"
            raise HookFailure(
                f'HTTP lifecycle hook ({path}) for Container "{container["name"]}" in Pod "{pod_name}" failed - '
                f'error: {failure}, message: ""'
            ) from failure
    elif action := hook.get("exec"):
        command = list(action.get("command") or [])
        title = f'Exec lifecycle hook ([{" ".join(command)}]) for Container "{container["name"]}" in Pod "{pod_name}"'
        try:
            answer = await runtime.execute(id_, command, 0)
        except RuntimeRefusal as refusal:
            raise HookFailure(f'{title} failed - error: {refusal}, message: ""') from refusal
        if answer.exit_code:
            said = (answer.stdout + answer.stderr).decode("utf-8", "replace")[:1024]
            why = f"command '{' '.join(command)}' exited with {answer.exit_code}: {said}"
            raise HookFailure(f'{title} failed - error: {why}, message: "{said}"')
