"""`sh` without a file: it runs what it reads, as it comes."""

import asyncio

from cluster_engine.programs.keyboard import Keyboard


async def typed(sh, line, *keys):
    """Run a line, type to it, then Ctrl-D."""
    keyboard = Keyboard()
    running = asyncio.ensure_future(sh(line, stdin=keyboard))
    for key in keys:
        await asyncio.sleep(1)
        keyboard.type(key)
    await asyncio.sleep(1)
    keyboard.end()
    return await running


def test_at_a_terminal_it_asks_for_each_line_and_survives_one_that_makes_no_sense(workstation):
    async def story(sh):
        done = await typed(
            sh, "A=b; export C=d; sh", "echo $A$C\n", "for i in 1 2\n", "do echo $i\n", "done; fi\n", "cd /etc; pwd\n"
        )
        assert done.out == "d\n/etc\n"
        assert done.err.startswith("# # > > sh: ")
        assert done.err.endswith("# # ")
        assert (await sh("pwd")).out == "/root\n", "it was a shell of its own"
        assert (await typed(sh, "sh; echo $?", "exit 3\n")).out == "3\n"

    workstation(story)


def test_piped_in_a_script_runs_line_by_line_and_ends_where_it_makes_no_sense(workstation):
    async def story(sh):
        done = await sh("printf 'echo a\\nfor i in 1 2; do\\necho $i\\ndone\\nexit 4\\necho never' | sh")
        assert (done.code, done.out, done.err) == (4, "a\n1\n2\n", "")
        done = await sh("echo 'echo \"open' | sh")
        assert done.code == 2

    workstation(story)


def test_a_shell_in_a_container_is_typed_into_through_exec(workstation):
    async def story(sh):
        await sh.ok("kubectl run b --image=busybox -- sleep 3600; kubectl wait --for=condition=Ready pod/b")
        done = await typed(sh, "kubectl exec -it b -- sh", "hostname\n", "fi\n", "for i in 1 2\n", "do echo $i; done\n")
        assert "/ # b\n/ # " in done.out
        assert "> 1\n2\n/ # " in done.out

    workstation(story)
