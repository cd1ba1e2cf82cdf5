"""`kubectl run -it --rm`, `logs` of several pods at once, and `top` where nobody measures."""

import asyncio

from cluster_engine.programs.keyboard import Keyboard


def test_a_pod_is_spoken_to_from_its_start_and_gone_after_its_end(workstation):
    async def story(sh):
        out = []
        keyboard = Keyboard()
        line = "kubectl run -it --rm probe --image=busybox --restart=Never -- sh"
        running = asyncio.ensure_future(sh.cluster.command(line, lambda _, text: out.append(text), stdin=keyboard))
        for typed in ("hostname\n", "exit 3\n"):
            await asyncio.sleep(15)
            keyboard.type(typed)
        code = await running
        return code, "".join(out), (await sh("kubectl get pods")).err

    code, out, left = workstation(story)
    assert code == 3
    assert "If you don't see a command prompt, try pressing enter.\n" in out
    assert "probe\n" in out
    assert 'pod "probe" deleted\n' in out
    assert "pod default/probe terminated (Error)\n" in out
    assert left == "No resources found in default namespace.\n"


def test_what_is_piped_in_reaches_a_pod_of_its_own(workstation):
    async def story(sh):
        return await sh("echo one two | kubectl run -i --rm count --image=busybox --restart=Never -q -- wc -w")

    done = workstation(story)
    assert (done.code, done.out) == (0, "2\n")


def test_run_says_what_does_not_go_together(workstation):
    async def story(sh):
        return [
            (await sh(f"kubectl run x --image=busybox {flags}")).err
            for flags in ("--rm", "-t", "-i --dry-run=client", "--restart=Now")
        ]

    rm, tty, dry, restart = workstation(story)
    assert rm == "error: --rm should only be used for attached containers\n"
    assert tty == "error: -i/--stdin is required for containers with -t/--tty=true\n"
    assert dry.startswith("error: --dry-run=[server|client] can't be used with attached containers options")
    assert restart.startswith("error: invalid restart policy: Now\n")


def test_logs_of_several_pods_are_followed_at_once_with_their_names(workstation):
    async def story(sh):
        script = "echo up; sleep 60; echo down"
        for name in ("a", "b"):
            await sh.ok(f"kubectl run {name} --image=busybox --restart=Never -l app=web -- sh -c '{script}'")
        await sh.ok("kubectl wait --for=condition=Ready pod -l app=web")
        followed = await sh.ok("kubectl logs -f -l app=web --prefix")
        tail = await sh.ok("kubectl logs a --tail=1")
        many = await sh("kubectl logs -f -l app=web --max-log-requests=1")
        both = await sh("kubectl logs a -l app=web")
        return followed, tail, many.err, both.err

    followed, tail, many, both = workstation(story)
    assert sorted(followed.splitlines()) == [f"[pod/{n}/{n}] {text}" for n in "ab" for text in ("down", "up")]
    assert tail == "down\n"
    assert many == (
        "error: you are attempting to follow 2 log streams, but maximum allowed concurrency is 1, "
        "use --max-log-requests to increase the limit\n"
    )
    assert both == "error: only a selector (-l) or a POD name is allowed\n"


def test_nobody_measures_for_top(workstation):
    async def story(sh):
        return await sh("kubectl top nodes")

    done = workstation(story)
    assert (done.code, done.err) == (1, "error: Metrics API not available\n")
