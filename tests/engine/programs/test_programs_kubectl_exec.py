"""`kubectl exec` and `attach`: through API server and kubelet to containerd, and back with an exit code."""

import pytest


@pytest.fixture
def with_pod(workstation):
    """Run `story(sh)` beside a pod `web` of busybox that runs."""

    def start(story):
        async def beside(sh):
            await sh.ok("kubectl run web --image=busybox -- sleep 3600")
            await sh.ok("kubectl wait --for=condition=Ready pod/web")
            await story(sh)

        workstation(beside)

    return start


def test_a_command_in_a_container_writes_here_and_its_exit_code_is_kubectls(with_pod):
    async def story(sh):
        done = await sh("kubectl exec web -- echo hello")
        assert (done.code, done.out, done.err) == (0, "hello\n", "")
        failed = await sh("kubectl exec web -- sh -c 'echo no; exit 3'")
        assert (failed.code, failed.out) == (3, "no\n")
        assert failed.err == "command terminated with exit code 3\n"

    with_pod(story)
