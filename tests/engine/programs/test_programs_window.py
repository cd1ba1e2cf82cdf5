"""A terminal's size: what programs make of it, and that it reaches those at the far end of `kubectl exec -it`."""

import asyncio

import pytest

from cluster_engine.programs.keyboard import Keyboard
from cluster_engine.programs.ls import in_columns
from cluster_engine.programs.window import CELLS_MAX, Size, Window
from cluster_engine.streaming import channels


class Typist:
    """Somebody at a terminal of 120 by 40 characters."""

    def __init__(self, sh):
        self.sh = sh
        self.window = Window(120, 40)

    async def __call__(self, line, *keys):
        """Type a line, then what its programs are to read, five seconds apart; a size resizes the terminal."""
        out = []
        keyboard = Keyboard(window=self.window)
        command = self.sh.cluster.command(line, lambda _, text: out.append(text), stdin=keyboard)
        running = asyncio.ensure_future(command)
        for key in keys:
            await asyncio.sleep(5)
            if isinstance(key, tuple):
                self.window.resize(*key)
            else:
                keyboard.type(key)
        await running
        return "".join(out)


def test_programs_know_the_size_of_their_terminal_and_none_of_what_is_piped(workstation):
    async def story(sh):
        typed = Typist(sh)
        assert await typed("stty size; tput cols; echo $COLUMNS $LINES; stty -a | head -1") == (
            "40 120\n120\n120 40\nspeed 38400 baud; rows 40; columns 120; line = 0;\n"
        )
        assert await typed("echo | stty size") == "stty: 'standard input': Inappropriate ioctl for device\n"
        assert await typed("stty cols 70 rows 20; stty size") == "20 70\n"
        assert typed.window.size == Size(70, 20)
        assert "invalid integer argument: '-1'" in await typed("stty cols -1")
        await sh.ok("ssh control-plane 'sleep 1'")
        lines = (await typed("ssh control-plane 'ps aux'")).splitlines()
        assert max(map(len, lines)) == 70, "lines are cut at the terminal's edge"
        assert max(map(len, (await typed("ssh control-plane 'ps auxww'")).splitlines())) > 132
        assert max(map(len, (await typed("ssh control-plane 'ps aux | cat'")).splitlines())) > 132
        assert max(map(len, (await typed("ssh control-plane 'ps auxw'")).splitlines())) == 132
        listed = await typed("ssh control-plane 'ls /etc/kubernetes/pki'")
        assert len(listed.splitlines()) < len(listed.split()), "in columns"
        assert await sh.ok("echo .$COLUMNS.") == "..\n", "nobody said"

    workstation(story)


def test_a_command_with_a_terminal_in_a_container_knows_its_size_and_hears_of_changes(workstation):
    async def story(sh):
        await sh.ok("kubectl run web --image=busybox -- sleep 3600")
        await sh.ok("kubectl run deb --image=debian -- sleep 3600")
        await sh.ok("kubectl wait --for=condition=Ready pod/web pod/deb")
        typed = Typist(sh)
        told = await typed("kubectl exec -it web -- sh", "stty size\n", (80, 24), "stty size; ps | cat\n", "exit\n")
        assert "40 120\n" in told
        assert "24 80\n" in told.partition("40 120\n")[2]
        assert await typed("kubectl exec -it deb -- bash", "echo =$COLUMNS=\n", "exit\n") == ("/ # =80=\n/ # "), (
            "bash sets it, at a terminal"
        )
        assert await typed("kubectl exec -i web -- stty size") == (
            "stty: 'standard input': Inappropriate ioctl for device\ncommand terminated with exit code 1\n"
        )
        line = "kubectl run own --image=busybox -it -- sh"
        told = await typed(line, "stty size\n", (90, 30), "stty size\n", "exit\n")
        assert "24 80\n" in told
        assert "30 90\n" in told, "also one that is attached to"
        node = await sh.ok("kubectl get pod web -o jsonpath='{.spec.nodeName}'")
        line = f"ssh {node}"
        typed.window.resize(100, 10)
        told = await typed(line + " 'crictl exec -it $(crictl ps -q --name web) sh -c \"sleep 1; stty size\"'")
        assert told == "10 100\n"

    workstation(story)


def test_a_window_takes_only_what_is_the_size_of_a_terminal():
    window = Window()
    for columns, rows in ((0, 24), (80, -1), (CELLS_MAX + 1, 24)):
        window.resize(columns, rows)
    assert window.size is None
    window.resize(80, 24)
    window.resize(0, 0)
    assert window.size == Size(80, 24)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"7", b'{"Width":1}', b'{"Width":"8","Height":2}', b'{"Width":1,"Height":true}']
)
def test_a_size_that_makes_no_sense_is_none(raw):
    assert channels.size_in(raw) == (0, 0)
    assert channels.size_in(channels.size_message(80, 24)[1:]) == (80, 24)


def test_names_stand_in_columns_as_ls_lays_them_out():
    names = ["apt.conf.d", "auth.conf.d", "keyrings", "preferences.d", "sources.list.d", "trusted.gpg", "trusted.gpg.d"]
    assert list(in_columns(names, 40)) == [  # coreutils 9.1 with `stty cols 40`
        "apt.conf.d     sources.list.d\n",
        "auth.conf.d    trusted.gpg\n",
        "keyrings       trusted.gpg.d\n",
        "preferences.d\n",
    ]
    assert list(in_columns(["a" * 50, "b"], 20)) == [f"{'a' * 50}\n", "b\n"]
    assert list(in_columns([], 80)) == []
