"""`python -m cluster_engine shell`, as a process of this machine."""

import os
import pty
import select
import signal
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest

from cluster_engine.cluster import INTERRUPTED
from cluster_engine.console import Interrupts, _wait
from cluster_engine.programs.keyboard import Keyboard
from cluster_engine.programs.window import Window

ROOT = Path(__file__).parents[3]
START_SECONDS_MAX = 300


def shell(*arguments, stdin=""):
    return subprocess.run(
        [sys.executable, "-m", "cluster_engine", "shell", "--nodes=1", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS_MAX,
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "out"),
    [
        (["-c", "kubectl get nodes -o name | wc -l; sleep 600; exit 3"], "", 3, "1\n"),
        (["--on", "worker-1", "-c", "hostname; cd /etc; pwd"], "", 0, "worker-1\n/etc\n"),
        (["-c", "kubectl create -f - -o name"], "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", 0,
         "configmap/a\n"),
        ([], "A=b\nfor i in 1 2\ndo echo $A$i\ndone\nssh worker-1\nhostname\nexit\nexit 4\necho not\n", 4,
         "b1\nb2\nworker-1\n"),
        ([], "false\n", 1, ""),
        ([], "head -n 1\na\nsort\nc\nb\n", 0, "a\nb\nc\n"),
    ],
    ids=["a line", "on a host", "standard input", "lines", "the end", "read by programs"],
)  # fmt: skip
def test_it_runs_lines_and_ends_with_their_code(arguments, stdin, code, out):
    done = shell(*arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (code, out), done.stderr


def test_a_host_that_is_not_there_is_refused_in_words():
    done = shell("--on", "worker-9", "-c", "true")
    assert done.returncode == 2
    assert done.stderr == "glassplane: no host 'worker-9' in this cluster: control-plane, worker-1, workstation\n"


class Screen:
    """A program at a terminal of its own."""

    def __init__(self, *arguments):
        self.controller, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cluster_engine", "shell", "--nodes=1", *arguments],
            stdin=terminal, stdout=terminal, stderr=terminal, cwd=ROOT, start_new_session=True,
            env={**os.environ, "TERM": "dumb"},
        )  # fmt: skip
        os.close(terminal)
        self.seen = ""

    def until(self, text):
        """Read until the screen has the text, and forget what came before its end."""
        while text not in self.seen:
            assert select.select([self.controller], [], [], START_SECONDS_MAX)[0], self.seen
            self.seen += os.read(self.controller, 4096).decode()
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text):
        os.write(self.controller, text.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.controller)


def test_ctrl_c_while_a_line_is_handed_over_ends_the_line_and_not_the_program():
    interrupts, running = Interrupts(), Future()
    with interrupts.heard():
        signal.raise_signal(signal.SIGINT)
        assert _wait(None, Keyboard(window=Window()), running, interrupts) == INTERRUPTED
        with pytest.raises(KeyboardInterrupt), interrupts.raised():
            signal.raise_signal(signal.SIGINT)
    assert running.cancelled()


def test_ctrl_c_ends_what_runs_and_ctrl_d_the_shell():
    screen = Screen()
    try:
        screen.until("workstation:~$ ")
        screen.type("echo begun; kubectl get pods -A -w; echo 'not this'\n")
        screen.until("\nbegun\r\n")  # the terminal echoes what is typed before anybody reads it
        os.kill(screen.process.pid, signal.SIGINT)
        assert "not this" not in screen.until("workstation:~$ ")
        screen.type("echo reading; sort; echo over\n")
        screen.until("\nreading\r\n")  # before, what is typed still belongs to the line's editor, where ^D is a key
        screen.type("b\na\n\x04")
        screen.until("b\r\na\r\na\r\nb\r\nover\r\n")
        screen.until("workstation:~$ ")
        screen.type("ssh worker-1\n")
        screen.until("worker-1:~$ ")
        screen.type("echo $((40 + 2))\n")
        screen.until("42")
        screen.until("worker-1:~$ ")
        screen.type("\x04")
        assert screen.process.wait(timeout=START_SECONDS_MAX) == 0
    finally:
        screen.close()
