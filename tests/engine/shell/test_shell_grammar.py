"""What the shell does with a line: expansions, lists, loops, redirections, the directory; as sh does."""

import asyncio

import pytest

from cluster_engine.world.process import Host


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("A=b; echo $A ${A} \"$A\" '$A' \\$A", "b b b $A $A\n"),
        ("A='b  c'; echo $A; echo \"$A\"", "b c\nb  c\n"),
        ("A=1 B=2; A=3 env | grep ^A=; echo $A$B", "A=3\n12\n"),
        ("A=1; env | grep ^A= || echo unset", "unset\n"),
        ("export A=1 B; B=2; env | grep '^[AB]='", "A=1\nB=2\n"),
        ("A=1; unset A; echo ${A-none} ${A:-none}", "none none\n"),
        ("A=; echo ${A-none} ${A:-none} ${A:+set} ${#A}", "none 0\n"),
        ("echo ${A:=new} $A; echo ${A:+set} ${#A}", "new new\nset 3\n"),
        ("echo ${A:-$(echo 'x  y')} \"${A:-$(echo 'x  y')}\"", "x y x  y\n"),
        ("echo $(echo a; echo b) \"$(echo a; echo b)\"", "a b a\nb\n"),
        ("echo `echo a` \"`echo \\`echo b\\``\"", "a b\n"),
        ("X=$(false); echo $?; X=$(true); echo $?", "1\n0\n"),
        ("x=$(exit 3) || echo $?", "3\n"),
        ("echo $((1 + 2 * 3)) $(( (1+2)*3 )) $((7/2)) $((-7%3)) $((1<2 && 2<1)) $((2*-3))", "7 9 3 -1 0 -6\n"),
        ("x=4; echo $((x*x)) $(($x+1)) $((y))", "16 5 0\n"),
        ("echo $((9223372036854775807 + 1))", "-9223372036854775808\n"),
        ("false; echo $?; true; echo $?; nope 2>/dev/null; echo $?", "1\n0\n127\n"),
        ("true && echo a || echo b; false && echo a || echo b", "a\nb\n"),
        ("! false && echo yes; if ! true; then echo a; else echo b; fi", "yes\nb\n"),
        ("for i in a 'b c' d; do echo $i; done", "a\nb c\nd\n"),
        ("for i in; do echo $i; done; echo end", "end\n"),
        ("for i in 1 2 3 4; do if [ $i = 2 ]; then continue; fi; [ $i = 4 ] && break; echo $i; done", "1\n3\n"),
        ("for i in 1 2; do for j in 1 2; do [ $j = 2 ] && continue 2; echo $i$j; done; done", "11\n21\n"),
        ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done", "1\n2\n3\n"),
        ("i=0; until [ $i -ge 2 ]; do i=$((i+1)); done; echo $i", "2\n"),
        ("if false; then echo a; elif true; then echo b; else echo c; fi", "b\n"),
        ("{ echo a; echo b; } | wc -l; (cd /; pwd); pwd", "2\n/\n/root\n"),
        ("A=1; (A=2; echo $A); echo $A; A=3 | true; echo $A", "2\n1\n1\n"),
        ("(exit 7); echo $?; sh -c 'exit 8'; echo $?", "7\n8\n"),
        ("A=1; export B=2; sh -c 'echo [$A] [$B]'; sh -c 'B=3'; echo $B", "[] [2]\n2\n"),
        ("echo 'echo from a file; exit 4' > s.sh; sh s.sh; echo $?; echo 'echo piped' | sh", "from a file\n4\npiped\n"),
        ("sudo echo a; sudo -u root A=b env | grep ^A=; sudo -E hostname", "a\nA=b\nworkstation\n"),
        ("cd /var/lib; pwd; cd glassplane; pwd; cd ..; cd -; cd; pwd",
         "/var/lib\n/var/lib/glassplane\n/var/lib/glassplane\n/root\n"),
        ("cd /var; cat ~/pod.yaml | wc -l; echo x > f; cat /var/f; cd ~; ls /var/f", "10\nx\n/var/f\n"),
        ("echo *.yaml | wc -w; echo c*.yaml; echo '*.yaml' \\*.yaml \"*.yaml\"",
         "7\nconfig.yaml crash.yaml\n*.yaml *.yaml *.yaml\n"),
        ("echo [cp]*.yaml [!a-v]*.yaml ???.yaml nothing*",
         "config.yaml crash.yaml pod.yaml web.yaml pod.yaml web.yaml nothing*\n"),
        ("echo /var/*/glass*/* ~/w*.yaml", "/var/lib/glassplane/examples /root/web.yaml\n"),
        ("A='w*.yaml'; echo $A \"$A\"; cat $A | head -1 | wc -l", "web.yaml w*.yaml\n1\n"),
        ("echo out; ls nope 2> err; wc -l < err; ls nope > both 2>&1; cat both | wc -l", "out\n1\n1\n"),
        ("ls nope 2>&1 >/dev/null | wc -l; ls nope &> f; wc -l < f; echo a 2>&1 1>/dev/null | wc -l; cat < /dev/null",
         "1\n1\n0\n"),
        ("echo a > f; echo b >> f; cat f; > f; cat f; cat f f 2>&1 | wc -c", "a\nb\n0\n"),
        ("for i in 1 2; do echo $i; done > f; while true; do echo x; break; done >> f; cat f", "1\n2\nx\n"),
        ("cat <<EOF\n$((1+1)) `echo b`\n\\$A\nEOF\n", "2 b\n$A\n"),
        ("cat <<'EOF' | sort\nb $A\na\nEOF\n", "a\nb $A\n"),
        ("cat <<-EOF\n\t\ta\n\tEOF\necho b", "a\nb\n"),
        ("cat <<< \"a b\"", "a b\n"),
        ("echo a # b; echo c\necho d", "a\nd\n"),
        ("echo a \\\n  b", "a b\n"),
        ("printf '%s-%d\\n' a 1 b 2; printf '%5s|%-3s|%03d\\n' x y 7; echo -n x; echo -e 'a\\tb'",
         "a-1\nb-2\n    x|y  |007\nxa\tb\n"),
        ("seq 3 | tail -1; seq 2 3; seq 5 -2 1 | head -2; seq 3 1", "3\n2\n3\n5\n3\n"),
        ("seq 500000 > lines; tail -n 1 lines; seq 1 999999999999999999 | head -n 1", "500000\n1\n"),
        ("[ a = a ] && [ a != b ] && [ 2 -gt 1 ] && test -n a && echo so", "so\n"),
        ("[ -f pod.yaml ] && [ -d /var ] && [ ! -e nope ] && [ -s pod.yaml ] && [ ! -z a ] && echo so",
         "so\n"),
        ("wc -l pod.yaml; echo a b | wc; printf 'a b' | wc -w; wc -l < pod.yaml",
         "10 pod.yaml\n      1       2       4\n2\n10\n"),
        ("grep -c a pod.yaml; grep -l kind pod.yaml web.yaml; grep kind: pod.yaml crash.yaml",
         "8\npod.yaml\nweb.yaml\npod.yaml:kind: Pod\ncrash.yaml:kind: Pod\n"),
        ("echo b | tee f | cat; cat f; echo c | tee -a f > /dev/null; cat f", "b\nb\nb\nc\n"),
        ("sort -n <<EOF\n10\n9\nEOF\nprintf 'a\\nb\\na\\n' | sort -u -r", "9\n10\nb\na\n"),
        ("rm f* 2>/dev/null; echo x > d/e/f 2>/dev/null; ls d; rm -r d; ls d 2>&1",
         "e\nls: cannot access 'd': No such file or directory\n"),
        ("true | false | true; echo $?; false | true; echo $?", "0\n0\n"),
    ],
)  # fmt: skip
def test_a_line_prints_what_it_does_in_sh(on_host, line, printed):
    async def story(sh):
        return await sh(line)

    said = on_host(story)
    assert (said.out, said.err) == (printed, "")


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("frobnicate", 127, "sh: frobnicate: command not found\n"),
        ("/opt/frob", 127, "sh: /opt/frob: No such file or directory\n"),
        ("sudo cd /", 1, "sudo: cd: command not found\n"),
        ("sudo", 1, "usage: sudo [-u user] [VAR=value] command [argument ...]\n"),
        ("cd nope", 1, "sh: cd: nope: No such file or directory\n"),
        ("cd pod.yaml", 1, "sh: cd: pod.yaml: Not a directory\n"),
        ("cat < nope", 1, "sh: nope: No such file or directory\n"),
        ("cat < /var", 1, "sh: /var: Is a directory\n"),
        ("echo a >&9", 1, "sh: 9: Bad file descriptor\n"),
        ("echo ${A:?not given}", 1, "sh: A: not given\n"),
        ("echo $((1/0))", 1, "sh: 1/0: division by 0\n"),
        ("echo $((1 +))", 1, "sh: 1 +: syntax error: operand expected\n"),
        ("export 1=2", 1, "sh: export: `1=2': not a valid identifier\n"),
        ("exit abc", 2, "sh: exit: abc: numeric argument required\n"),
        ("[ a = ", 2, "[: missing `]'\n"),
        ("[ a -gt 1 ]", 2, "[: a: integer expression expected\n"),
        ("wait %1", 127, "sh: wait: %1: no such job\n"),
        ("kill %1", 1, "sh: kill: %1: no such job\n"),
        ("sleep abc", 1, "sleep: invalid time interval 'abc'\nTry 'sleep --help' for more information.\n"),
        ("ssh nowhere", 255, "ssh: Could not resolve hostname nowhere: Name or service not known\n"),
        ("ssh ann@worker-1", 255, "ann@worker-1: Permission denied (publickey).\n"),
        ("cat pod.yaml | nope", 127, "sh: nope: command not found\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_the_real_words(on_host, line, code, words):
    said = on_host(lambda sh: sh(line))
    assert (said.code, said.out, said.err) == (code, "", words)


def test_what_help_lists_is_there(on_host):
    async def story(sh):
        words = (await sh.out("help")).partition("Try:")[0].replace(",", " ").split()
        listed = {"cat", "date", "ssh", "grep", "kubectl", "wait", "whoami", "clear", "export", "printf", "sleep"}
        missing = listed - set(words)
        return missing, [(name, (await sh(f"{name} < /dev/null")).err) for name in sorted(listed - {"kubectl"})]

    missing, said = on_host(story)
    assert not missing
    assert [name for name, err in said if "not found" in err] == []


def test_date_tells_the_hosts_clock(on_host):
    async def story(sh):
        before = await sh.out("date; date +%s; date -u '+%Y-%m-%d %H:%M:%S %% %%s'")
        await sh.out("sleep 1m 1.5s")
        return before, await sh.out("date +%s")

    before, after = on_host(story)
    assert before == "Thu Jan  1 00:00:00 UTC 2026\n1767225600\n2026-01-01 00:00:00 % %s\n"
    assert after == "1767225661\n"


# -- state, jobs, hosts ------------------------------------------------------------------------------------------------


def test_directory_and_variables_outlive_a_line_until_the_terminal_is_closed(on_host):
    async def story(sh):
        await sh.out("cd /var/lib; A=b; export C=d")
        told = await sh.out("pwd; echo $A; sh -c 'echo $C'"), sh.terminal.prompt
        await sh("false")
        status = await sh.out("echo $?")
        end = await sh("exit 9")
        return told, status, end.code, sh.terminal.is_closed, await sh.out("pwd; echo [$A]"), sh.terminal.is_closed

    told, status, code, closed, anew, still = on_host(story)
    assert told == ("/var/lib\nb\nd\n", "workstation:/var/lib$")
    assert (status, code, closed, anew, still) == ("1\n", 9, True, "/root\n[]\n", False)


def test_ssh_moves_to_a_host_and_exit_back(on_host):
    async def story(sh):
        await sh.out("cd /var; A=b")
        prompts = [sh.terminal.prompt]
        for line in ("ssh root@worker-1", "ssh 10.0.0.100", "ssh worker-1"):
            await sh.out(line)
            prompts.append(sh.terminal.prompt)
        inside = await sh.out("hostname; pwd; echo [$A] > f; cat f; ls /root")
        ends = [await sh("exit 3"), await sh("exit"), await sh("logout")]
        return prompts, inside, ends, await sh.out("pwd; echo $A; ls ~/f 2>&1 || true")

    prompts, inside, ends, back = on_host(story)
    assert prompts == ["workstation:/var$", "worker-1:~$", "workstation:~$", "worker-1:~$"]
    assert inside == "worker-1\n/root\n[]\nf\n"
    assert [(end.code, end.err) for end in ends] == [
        (3, "logout\nConnection to worker-1 closed.\n"),
        (0, "logout\nConnection to workstation closed.\n"),
        (0, "logout\nConnection to worker-1 closed.\n"),
    ]
    assert back == "/var\nb\nls: cannot access '/root/f': No such file or directory\n"


def test_ssh_runs_one_line_elsewhere_and_pipes_through_it(on_host):
    async def story(sh):
        told = await sh.out("ssh worker-1 hostname; ssh worker-1 'hostname; exit 4' || echo $?")
        piped = await sh.out("cat pod.yaml | ssh worker-1 'cat > /tmp/pod.yaml; wc -l < /tmp/pod.yaml' | cat")
        script = await sh.out("echo 'hostname; pwd' | ssh worker-1")
        return told, piped, script, sh.terminal.prompt, sh.worker.files.exists("/tmp/pod.yaml")

    assert on_host(story) == ("worker-1\nworker-1\n4\n", "10\n", "worker-1\n/root\n", "workstation:~$", True)


def test_ssh_fails_where_no_connection_would_live(on_host):
    async def story(sh):
        await sh.out("ssh worker-1")
        sh.worker.power_off()
        closed = await sh("hostname")
        began = sh.world.loop.time()
        dark = await sh("ssh worker-1"), sh.world.loop.time() - began
        sh.worker.power_on()
        sh.world.network.partition("workstation", "worker-1")
        cut = await sh("ssh worker-1")
        return closed, dark, cut, sh.terminal.prompt

    closed, (dark, seconds), cut, prompt = on_host(story)
    assert (closed.code, closed.err) == (255, "Connection to worker-1 closed by remote host.\n")
    assert (dark.err, seconds) == ("ssh: connect to host worker-1 port 22: No route to host\n", 3.0)
    assert cut.err == "ssh: connect to host worker-1 port 22: Connection timed out\n"
    assert prompt == "workstation:~$"


def test_a_loop_ends_with_the_host_that_it_runs_on(on_host):
    async def story(sh):
        await sh.out("ssh worker-1")
        here = asyncio.ensure_future(sh("while true; do sleep 1; done"))
        there = asyncio.ensure_future(sh("ssh localhost 'until false; do sleep 1; done'; echo on"))
        await asyncio.sleep(3.5)
        sh.worker.power_off()
        sh.worker.power_on()
        return await here, await there, sh.world.loop.time(), sh.terminal.prompt

    here, there, now, prompt = on_host(story)
    assert (here.code, there.code, there.out) == (255, 255, "")
    assert now < 3.6
    assert prompt == "workstation:~$"


def test_a_job_runs_beside_the_lines_and_its_end_is_told(on_host):
    async def story(sh):
        begun = await sh("(sleep 5; echo late; exit 2) &")
        between = await sh("jobs; echo now")
        waited = await sh("wait %1; echo $?")
        await sh("sleep 9 &")
        killed = await sh("kill %1; sleep 1; echo on")
        return begun, between, waited, killed, sh.world.loop.time()

    begun, between, waited, killed, now = on_host(story)
    assert begun.err.startswith("[1] ")
    assert between.out == "[1]+  Running                 (sleep 5; echo late; exit 2) &\nnow\n"
    assert (begun.out, waited.out) == ("late\n", "2\n")
    assert waited.err == "[1]+  Exit 2                  (sleep 5; echo late; exit 2)\n"
    assert (killed.out, killed.err) == ("on\n", "[1]+  Terminated              sleep 9\n")
    assert now == 6.0


def test_a_job_prints_where_its_line_did_and_also_what_it_begins(on_host):
    async def story(sh):
        begun = await sh("(sleep 1; (sleep 1; echo deep) & echo meanwhile) &")
        slow = asyncio.ensure_future(sh("sleep 3; echo slow"))
        await asyncio.sleep(2.5)
        seen = begun.out
        return seen, await slow, await sh("echo next")

    seen, slow, said = on_host(story)
    assert seen == "meanwhile\ndeep\n"
    assert (slow.out, said.out) == ("slow\n", "next\n")


def test_two_lines_at_once_share_the_place_and_nothing_else(on_host):
    async def story(sh):
        slow = asyncio.ensure_future(sh("for i in 1 2 3; do sleep 1; pwd; done"))
        await asyncio.sleep(1.5)
        stray = await sh("cd /var; break; echo $?")
        return await slow, stray, sh.terminal.prompt

    slow, stray, prompt = on_host(story)
    assert slow.out == "/root\n/var\n/var\n"
    assert (stray.out, prompt) == ("0\n", "workstation:/var$")


def test_a_worker_has_no_examples_and_hosts_are_machines(on_host):
    async def story(sh):
        assert isinstance(sh.host, Host)
        return await sh.out("ssh worker-1 ls"), await sh("ssh outside")

    listed, outside = on_host(story)
    assert listed == ""
    assert outside.code == 255
