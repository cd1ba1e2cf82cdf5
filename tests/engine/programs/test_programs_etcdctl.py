"""etcdctl: etcd itself, over gRPC, with the files that lie on the control plane."""

import json
import shutil
import subprocess

import pytest

PKI = "/etc/kubernetes/pki/etcd"
CERTIFICATES = (
    f"export ETCDCTL_CACERT={PKI}/ca.crt ETCDCTL_CERT={PKI}/healthcheck-client.crt "
    f"ETCDCTL_KEY={PKI}/healthcheck-client.key"
)


def on_the_control_plane(workstation):
    """Run a story there, with etcd's certificates in the environment."""

    def start(story):
        async def there(sh):
            await sh.ok("ssh control-plane")
            await sh.ok(CERTIFICATES)
            try:
                return await story(sh)
            finally:
                await sh("exit")

        return workstation(there)

    return start


@pytest.fixture
def etcdctl(workstation):
    return on_the_control_plane(workstation)


@pytest.fixture
def shared_etcdctl(shared_workstation):
    """For what leaves nothing behind."""
    return on_the_control_plane(shared_workstation)


def test_keys_are_written_read_and_deleted(etcdctl):
    async def story(sh):
        assert await sh.ok("etcdctl put foo one; etcdctl put foo two --prev-kv") == "OK\nOK\nfoo\none\n"
        assert await sh.ok("etcdctl get foo") == "foo\ntwo\n"
        assert await sh.ok("etcdctl get fo --prefix --print-value-only") == "two\n"
        assert await sh.ok("echo -n piped | etcdctl put bar; etcdctl get bar zoo --keys-only") == "OK\nbar\n\nfoo\n\n"
        assert await sh.ok("etcdctl del --prefix fo --prev-kv") == "1\nfoo\ntwo\n"
        assert await sh.ok("etcdctl get foo") == ""

    etcdctl(story)


def test_what_kubernetes_stores_lies_under_registry(etcdctl):
    async def story(sh):
        keys = await sh.ok("etcdctl get /registry/namespaces/ --prefix --keys-only --order descend --limit 1")
        assert keys == "/registry/namespaces/kube-system\n\n"
        stored = await sh.ok("etcdctl get /registry/namespaces/default --print-value-only")
        assert json.loads(stored)["metadata"]["name"] == "default"
        counted = await sh.ok("etcdctl get /registry/namespaces --prefix --count-only -w fields | tail -1")
        assert counted == '"Count" : 4\n'

    etcdctl(story)


def test_json_is_that_of_the_real_one(etcdctl):
    async def story(sh):
        await sh.ok("etcdctl put foo bar")
        found = json.loads(await sh.ok("etcdctl get foo -w json"))
        (pair,) = found["kvs"]
        assert list(found) == ["header", "kvs", "count"]
        assert list(pair) == ["key", "create_revision", "mod_revision", "version", "value"]
        assert (pair["key"], pair["value"]) == ("Zm9v", "YmFy")
        done = json.loads(await sh.ok("printf '\\nput foo 2\\n\\n\\n' | etcdctl txn -w json"))
        assert list(done) == ["header", "succeeded", "responses"]
        assert list(done["responses"][0]["Response"]) == ["ResponsePut"]

    etcdctl(story)


def test_a_transaction_compares_then_acts(etcdctl):
    async def story(sh):
        line = 'printf \'mod("foo") = "0"\\n\\nput foo "a b"\\n\\nget foo\\n\\n\' | etcdctl txn'
        assert await sh.ok(line) == "SUCCESS\n\nOK\n"
        assert await sh.ok(line) == "FAILURE\n\nfoo\na b\n"
        refused = await sh("echo nonsense | etcdctl txn")
        assert (refused.code, refused.err) == (3, "Error: malformed comparison: nonsense\n")

    etcdctl(story)


def test_a_watch_begins_at_a_revision_and_goes_on_until_ctrl_c(etcdctl):
    async def story(sh):
        revision = json.loads(await sh.ok("etcdctl put foo one -w json"))["header"]["revision"]
        await sh.ok("etcdctl put foo two; etcdctl del foo")
        watched = await sh(f"etcdctl watch foo --rev {revision}", interrupt_after=5)
        assert watched.code == 130
        assert watched.out == "PUT\nfoo\none\nPUT\nfoo\ntwo\nDELETE\nfoo\n\n"

    etcdctl(story)


def test_history_that_is_compacted_is_refused_in_etcds_words(etcdctl):
    async def story(sh):
        revision = json.loads(await sh.ok("etcdctl put foo one -w json"))["header"]["revision"]
        await sh.ok("etcdctl put foo two")
        assert await sh.ok(f"etcdctl compact {revision + 1}") == f"compacted revision {revision + 1}\n"
        gone = await sh(f"etcdctl get foo --rev {revision}")
        warning, error = gone.err.splitlines()
        assert gone.code == 1
        assert "code = OutOfRange" in json.loads(warning)["error"]
        assert error == "Error: etcdserver: mvcc: required revision has been compacted"
        watched = await sh(f"etcdctl watch foo --rev {revision}")
        assert watched.code == 5
        assert watched.err.startswith("watch was canceled (etcdserver: mvcc: required revision has been compacted)")

    etcdctl(story)


def test_a_lease_takes_its_keys_with_it(etcdctl):
    async def story(sh):
        granted = await sh.ok("etcdctl lease grant 60")
        lease = granted.split()[1]
        assert granted == f"lease {lease} granted with TTL(60s)\n"
        await sh.ok(f"etcdctl put foo bar --lease={lease}")
        left = await sh.ok(f"etcdctl lease timetolive {lease} --keys")
        assert left == f"lease {lease} granted with TTL(60s), remaining(59s), attached keys([foo])\n"
        kept = await sh(f"etcdctl lease keep-alive {lease}", interrupt_after=50)
        assert kept.out == f"lease {lease} keepalived with TTL(60)\n" * 3, "at 0, 20 and 40 s"
        assert await sh.ok(f"etcdctl lease revoke {lease}") == f"lease {lease} revoked\n"
        assert await sh.ok(f"etcdctl get foo; etcdctl lease timetolive {lease}") == f"lease {lease} already expired\n"

    etcdctl(story)


def test_members_and_endpoints_say_how_they_are(etcdctl):
    async def story(sh):
        assert (await sh.ok("etcdctl member list")).startswith("8e9e05c52164694d, started, control-plane, https://")
        table = await sh.ok("etcdctl endpoint status -w table")
        assert table.splitlines()[1].split(" | ")[2].strip() == "VERSION"
        healthy = await sh.ok("etcdctl endpoint health --cluster")
        assert healthy.startswith("https://10.0.0.1:2379 is healthy: successfully committed proposal: took = ")

    etcdctl(story)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("unset ETCDCTL_CERT ETCDCTL_KEY; etcdctl get a", "tls: certificate required"),
        ("unset ETCDCTL_CACERT ETCDCTL_CERT ETCDCTL_KEY; etcdctl get a", "error reading server preface: EOF"),
        ("etcdctl --endpoints 127.0.0.1:1 get a", "dial tcp 127.0.0.1:1: connect: connection refused"),
    ],
)
def test_without_a_connection_it_waits_five_seconds_and_says_why(etcdctl, line, why):
    async def story(sh):
        began = sh.cluster.loop.time()
        done = await sh(line)
        warning, error = done.err.splitlines()
        assert (done.code, error) == (1, "Error: context deadline exceeded")
        assert why in json.loads(warning)["error"]
        assert 5 <= sh.cluster.loop.time() - began < 5.1

    etcdctl(story)


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("get", 128, "get command needs one argument as key and an optional argument as range_end"),
        ("put", 128, "put command needs 1 argument and input from stdin or 2 arguments"),
        ("get a --prefix --from-key", 128, "`--prefix` and `--from-key` cannot be set at the same time, choose one"),
        ("get a --count-only", 128, "--count-only is only for `--write-out=fields`"),
        ("get a -w yaml", 4, "unsupported output format"),
        ("get a -w table", 4, "table not supported as output format"),
        ("lease revoke zz", 128, 'bad lease ID arg (strconv.ParseInt: parsing "zz": invalid syntax), '
         "expecting ID in Hex"),
        ("--endpoints 127.0.0.1:99999 get a", 128, "invalid endpoint 127.0.0.1:99999"),
        ("--cacert /nowhere get a", 1, 'conflicting environment variable "ETCDCTL_CACERT" is shadowed by '
         "corresponding command-line flag (either unset environment variable or disable flag)"),
        ("lease grant " + "9" * 400, 128, f'bad TTL (strconv.ParseInt: parsing "{"9" * 400}": value out of range)'),
    ],
)  # fmt: skip
def test_a_bad_command_line_is_refused_in_etcdctls_words(shared_etcdctl, line, code, error):
    async def story(sh):
        done = await sh(f"etcdctl {line}")
        assert (done.code, done.err.splitlines()[-1]) == (code, f"Error: {error}")

    shared_etcdctl(story)


REAL = shutil.which("etcdctl")


@pytest.mark.skipif(REAL is None, reason="no real etcdctl here to compare with")
@pytest.mark.parametrize("line", ["get", "put", "del", "watch", "lease revoke zz", "lease grant x", "get a -w yaml"])
def test_the_real_one_refuses_in_the_same_words(shared_etcdctl, line):
    real = subprocess.run([REAL, *line.split()], env={"ETCDCTL_API": "3"}, capture_output=True, text=True, check=False)

    async def story(sh):
        done = await sh(f"etcdctl {line}")
        assert (done.code, done.err) == (real.returncode, real.stderr)

    shared_etcdctl(story)
