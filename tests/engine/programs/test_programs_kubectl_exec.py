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


def test_a_program_that_no_shell_has_started_runs_others_up_to_a_bound(with_pod):
    async def story(sh):
        ended = await sh("kubectl exec web -- timeout 2 sleep 60")
        assert (ended.code, ended.err) == (143, "command terminated with exit code 143\n")
        assert await sh.ok("kubectl exec web -- env A=b printenv A") == "b\n"
        deep = await sh(f"kubectl exec web -- {'timeout 9 ' * 500} true")
        assert "sh: can't fork: Resource temporarily unavailable" in deep.err

    with_pod(story)


def test_what_is_piped_in_is_the_commands_standard_input_and_ends_it(with_pod):
    async def story(sh):
        assert await sh.ok("echo one two | kubectl exec -i web -- wc -w") == "2\n"
        assert await sh.ok("echo 'echo from $0' | kubectl exec -i web -- sh") == "from sh\n"
        without = await sh("echo lost | kubectl exec web -- cat")
        assert (without.code, without.out) == (0, "")
        large = await sh.ok("seq 50000 | kubectl exec -i web -- wc -l")
        assert large == "50000\n"

    with_pod(story)


def test_a_terminal_is_only_had_from_one(with_pod):
    async def story(sh):
        done = await sh("echo date | kubectl exec -it web -- sh")
        assert done.err == "Unable to use a TTY - input is not a terminal or the right kind of file\n"
        assert done.code == 0

    with_pod(story)


def test_what_cannot_be_done_is_said_as_kubectl_does(with_pod):
    async def story(sh):
        said = {line: (await sh(line)).err for line in (
            "kubectl exec web date",
            "kubectl exec web",
            "kubectl exec nosuch -- date",
            "kubectl exec web -c side -- date",
            "kubectl exec web -- nosuch",
            "kubectl attach",
        )}  # fmt: skip
        assert said["kubectl exec web date"] == (
            "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n"
            "See 'kubectl exec -h' for help and examples\n"
        )
        assert said["kubectl exec web"] == "error: you must specify at least one command for the container\n"
        assert said["kubectl exec nosuch -- date"] == 'Error from server (NotFound): pods "nosuch" not found\n'
        assert said["kubectl exec web -c side -- date"] == "error: container side not found in pod web\n"
        assert 'exec: "nosuch": executable file not found in $PATH: unknown\n' in said["kubectl exec web -- nosuch"]
        assert said["kubectl attach"] == "error: at least 1 argument is required for attach\n"

    with_pod(story)


def test_who_is_attached_sees_what_the_container_writes_from_now_on_until_its_end(workstation):
    async def story(sh):
        script = "echo before; sleep 20; echo now; sleep 1"
        await sh.ok(f"kubectl run web --image=busybox --restart=Never -- sh -c '{script}'")
        await sh.ok("kubectl wait --for=condition=Ready pod/web")
        return await sh("kubectl attach web")

    done = workstation(story)
    assert (done.code, done.out) == (0, "now\n")
    assert done.err == "If you don't see a command prompt, try pressing enter.\n"


def test_files_are_copied_there_and_back(with_pod):
    async def story(sh):
        await sh.ok("echo hello > /tmp/a.txt; kubectl cp /tmp/a.txt web:/srv/b.txt")
        assert await sh.ok("kubectl exec web -- cat /srv/b.txt") == "hello\n"
        back = await sh("kubectl cp web:/srv/b.txt /tmp/c.txt")
        assert (back.code, back.out) == (0, "tar: Removing leading `/' from member names\n")
        assert await sh.ok("cat /tmp/c.txt") == "hello\n"
        await sh.ok("kubectl cp /tmp/a.txt default/web:/srv")  # a directory there: into it
        assert await sh.ok("kubectl exec web -- cat /srv/a.txt") == "hello\n"
        await sh.ok("kubectl cp web:/srv /tmp/all")
        assert await sh.ok("cat /tmp/all/a.txt /tmp/all/b.txt") == "hello\nhello\n"
        await sh.ok("kubectl exec web -- sh -c 'for i in 1 2 3; do yes | head -c 6000000 > /srv/$i; done'")
        await sh.ok("kubectl cp web:/srv /tmp/much")  # more than any program may hold
        assert await sh.ok("cat /tmp/much/[123] | wc -c") == "18000000\n"
        missing = await sh("kubectl cp /tmp/none web:/srv")
        assert (missing.code, missing.err) == (1, "error: /tmp/none doesn't exist in local filesystem\n")
        far = await sh("kubectl cp web:/none /tmp/none")
        assert far.code == 2
        assert "tar: /none: Cannot stat: No such file or directory\n" in far.out

    with_pod(story)


def test_a_flood_that_is_carried_takes_time(with_pod):
    async def story(sh):
        before = sh.cluster.loop.time()
        assert await sh.ok("kubectl exec web -- seq 1 100000 | wc -l") == "100000\n"
        assert sh.cluster.loop.time() - before > 0.1

    with_pod(story)
