"""Text tools against the real ones of this machine: same command line and files, same output and exit code."""

import msgspec
import pytest
from recent import EPOCH

from cluster_engine.shell import shell
from tests.engine.programs.comparing import assert_alike, ours

FILES = {
    "pods": "NAME    READY   STATUS\nweb-1   1/1     Running\nweb-2   0/1     Pending\nweb-2   0/1     Pending\n\nend",
    "csv": "a:b:c\n1:2:3\nno delimiter\n::\n",
    "more": "one\ntwo\nthree\n",
    "bytes": bytes(range(256)),
    "words": "a b  'c d' \"e f\"\\ g\nh\n",
}


@pytest.mark.parametrize(
    "line",
    [
        "base64 pods", "base64 -w 0 bytes", "base64 -w 10 csv", "base64 bytes | base64 -d | md5sum",
        "printf 'aGVs\\nbG8=' | base64 -d", "printf 'aGVsbG8' | base64 -d", "printf 'aGV!sbG8=' | base64 -d",
        "printf 'aGV!sbG8=' | base64 -di", "base64 -w x csv", "base64 nothing", "base64 a b", "base64 -z",
        "md5sum pods csv", "sha256sum < pods", "sha1sum --tag csv", "md5sum nothing pods",
        "cut -d : -f 1,3 csv", "cut -d: -f2- csv", "cut -d: -f -2 -s csv", "cut -c 1-3,5 pods", "cut -b 2- pods",
        "cut -d: -f 2 --complement csv", "cut -d: -f1,2 --output-delimiter=' / ' csv", "cut csv", "cut -f 0 csv",
        "cut -f 3-1 csv", "cut -f a csv", "cut -d ab -f 1 csv", "cut -c x csv", "cut -d: -c 1 csv",
        "cut -f 1 nothing",
        "tr a-z A-Z < pods", "tr -d '0-9' < pods", "tr -s ' ' < pods", "tr -cd '[:alpha:]\\n' < pods",
        "tr '[:lower:]' '[:upper:]' < pods", "tr ab x < csv", "tr -t abc x < csv", "tr ':' '\\n' < csv", "tr a", "tr",
        "tr -d a b", "tr -s '[:space:]' '\\n' < pods", "tr z-a x < csv", "tr a b c", "tr -ds a b < pods",
        "uniq pods", "uniq -c pods", "uniq -d pods", "uniq -u pods", "uniq -ci pods", "uniq -f 1 pods",
        "uniq -w 3 pods",
        "uniq -s 4 pods", "uniq -f x pods", "uniq nothing", "sort pods | uniq -c | sort -rn",
        "rev pods", "tac more", "tac pods", "nl pods", "nl -b a pods", "nl -w 3 -s ': ' pods", "nl -w 0 pods",
        "comm more more", "comm csv more", "comm -12 more more", "comm more",
        "paste more csv", "paste -d , more csv", "paste -s more", "paste -s -d , more csv", "paste - - < more",
        "column -t pods", "column -t -s : csv", "column -t -s : -o ' | ' csv",
        "xargs < words", "xargs -n 1 < more", "xargs -n 2 echo x < more", "xargs -I {} echo '<{}>' < more",
        "xargs -d '\\n' < pods", "echo -n a:b c: | tr : '\\0' | xargs -0 -n 1", "xargs -r echo nothing < /dev/null",
        "xargs echo something < /dev/null", "xargs -t -n 2 < more", "xargs false < more", "xargs nothing < more",
        "xargs -L 1 echo < more", "echo \"it's\" | xargs", "xargs -n 0 < more", "xargs -n 1 sh -c 'exit 3' < more",
        "env -i A=1 B=2", "env -i A=1 printenv A", "env -u HOME printenv HOME", "env nothing",
        "env -i sh -c 'echo x$A'",
        "env A=5 sh -c 'echo $A'", "timeout 5 echo x", "timeout 1 sleep 5", "timeout x echo", "timeout 1 nothing",
        "date -u -d @0", "date -u -d '2026-01-01 10:00:00' +%s", "date -u -d 2026-01-01T10:00:00Z '+%F %T'",
        "date -u -d '@86400' -R", "date -u -d 'nonsense'", "date -u -d '2026-03-01 1 day ago' +%F",
        "date -u -d '2026-03-01 +2 hours' +%H:%M", "date -u -d @1 -Iseconds",
    ],
)  # fmt: skip
def test_it_does_what_the_real_one_does(run, tmp_path, line):
    assert_alike(run, tmp_path, line, FILES)


def test_watch_prints_again_and_again_until_ctrl_c(workstation):
    async def story(sh):
        watched = await sh("watch -n 10 'echo x; date +%S'", interrupt_after=25)
        assert watched.code == 130
        assert watched.out == "".join(
            f"{'Every 10.0s: echo x; date +%S':<43}workstation: "
            f"{EPOCH:%a %b}  1 10:00:{at:02} {EPOCH:%Y}\n\nx\n{at:02}\n\n"
            for at in (0, 10, 20)
        )
        assert (await sh("watch")).code == 1

    workstation(story)


def test_programs_are_found_by_which_type_and_command(run):
    assert ours(run, "which kubectl nothing; type cd kubectl k; command -v jobs tr; command -v nothing", {}) == (
        1,
        "/usr/bin/kubectl\ncd is a shell builtin\nkubectl is /usr/bin/kubectl\nk is aliased to `kubectl'\n"
        "jobs\n/usr/bin/tr\n",
        "",
    )


def test_what_a_program_runs_counts_for_the_line(run, monkeypatch):
    """Else `xargs` would be a way round the bound on commands."""
    monkeypatch.setattr(shell, "LIMITS", msgspec.structs.replace(shell.LIMITS, steps=1000))
    code, out, err = ours(run, "seq 1 2000 | xargs -n 1 true", {})
    assert (code, out, err) == (2, "", f"sh: {shell.SPENT}\n")
