"""etcdctl and etcdutl for who looks after etcd: snapshots and what is restored from them, members, auth, locks."""

import hashlib
import re
import shutil
import subprocess

import pytest

PKI = "/etc/kubernetes/pki/etcd"
CERTIFICATES = (
    f"export ETCDCTL_CACERT={PKI}/ca.crt ETCDCTL_CERT={PKI}/healthcheck-client.crt "
    f"ETCDCTL_KEY={PKI}/healthcheck-client.key"
)
KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf"
RESTORED = (
    "etcdutl snapshot restore /root/etcd.db --data-dir /var/lib/etcd-restored && systemctl stop etcd && "
    "mv /var/lib/etcd /var/lib/etcd-old && mv /var/lib/etcd-restored /var/lib/etcd && systemctl start etcd && "
    "systemctl restart kube-apiserver"
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


def test_a_cluster_restored_from_a_snapshot_has_what_was_deleted_since_and_not_what_was_made(etcdctl):
    async def story(sh):
        await sh.ok(f"{KUBECTL} create configmap kept --from-literal=a=1")
        await sh.ok("etcdctl snapshot save /root/etcd.db")
        await sh.ok(f"{KUBECTL} delete configmap kept; {KUBECTL} create configmap late --from-literal=a=1")
        await sh.ok(RESTORED)
        found = await sh.wait_for(f"{KUBECTL} get configmaps -o name", "configmap/kept")
        assert "configmap/late" not in found.out
        await sh.ok(f"{KUBECTL} create configmap later --from-literal=a=1")

    etcdctl(story)


def test_an_etcd_that_is_a_static_pod_is_restored_while_its_manifest_is_away(workstation):
    async def story(sh):
        await sh.ok("ssh control-plane")
        await sh.ok(CERTIFICATES)
        await sh.ok(f"{KUBECTL} create configmap kept --from-literal=a=1; etcdctl snapshot save /root/etcd.db")
        await sh.ok(f"{KUBECTL} delete configmap kept; etcdutl snapshot restore etcd.db --data-dir /var/lib/etcd-new")
        await sh.ok("mv /etc/kubernetes/manifests/etcd.yaml /root/; sleep 30")
        assert await sh.ok("crictl ps -q --name '^etcd$'") == ""
        await sh.ok("mv /var/lib/etcd /var/lib/etcd-old; mv /var/lib/etcd-new /var/lib/etcd")
        await sh.ok("mv /root/etcd.yaml /etc/kubernetes/manifests/; sleep 30")
        await sh.wait_for(f"{KUBECTL} get configmaps -o name", "configmap/kept")

    workstation(story, system_pods=True)


def test_a_data_directory_that_was_moved_away_is_lost_and_moved_back_is_there_again(etcdctl):
    async def story(sh):
        await sh.ok("etcdctl put foo bar; systemctl stop etcd; mv /var/lib/etcd /root/old; systemctl start etcd")
        assert await sh.ok("etcdctl get foo") == ""
        await sh.ok("systemctl stop etcd; rm -rf /var/lib/etcd; cp -r /root/old /var/lib/etcd; systemctl start etcd")
        assert await sh.ok("etcdctl get foo --print-value-only") == "bar\n"

    etcdctl(story)


def test_etcd_does_not_start_on_a_database_that_is_none(etcdctl):
    async def story(sh):
        await sh.ok("systemctl stop etcd; echo junk > /var/lib/etcd/member/snap/db; systemctl start etcd")
        assert "invalid database" in (await sh.wait_for("journalctl -u etcd", "invalid database")).out

    etcdctl(story)


def test_a_snapshot_says_what_is_in_it_and_is_refused_when_it_was_changed(etcdctl):
    async def story(sh):
        saved = await sh("etcdctl snapshot save snap.db")
        assert saved.out == "Snapshot saved at snap.db\n"
        assert '"msg":"fetched snapshot","endpoint":"127.0.0.1:2379"' in saved.err
        data = sh.cluster.world.host("control-plane").files.read("/root/snap.db")
        assert hashlib.sha256(data[:-32]).digest() == data[-32:]
        table = (await sh.ok("etcdutl snapshot status snap.db -w table")).splitlines()
        assert table[1].split("|")[2].strip() == "REVISION"
        revision = table[3].split("|")[2].strip()
        assert f'"revision":{revision},' in await sh.ok("etcdutl snapshot status snap.db -w json")
        files = sh.cluster.world.host("control-plane").files
        files.write("/root/changed.db", data[:500] + b"?" + data[501:])
        changed = await sh("etcdutl snapshot restore changed.db --data-dir out")
        assert (changed.code, "Error: expected sha256 [" in changed.err) == (1, True)
        files.write("/root/cut.db", data[:-32])
        cut = await sh("etcdutl snapshot restore cut.db --data-dir out")
        assert cut.err.endswith("Error: snapshot missing hash but --skip-hash-check=false\n")
        assert (await sh("etcdutl snapshot restore cut.db --data-dir out --skip-hash-check")).code == 0
        again = await sh("etcdutl snapshot restore cut.db --data-dir out")
        assert again.err == 'Error: data-dir "out" not empty or could not be read\n'
        assert (await sh("etcdctl snapshot save /nope/s.db")).code == 5

    etcdctl(story)


def test_a_restored_revision_can_be_bumped_so_that_every_watch_begins_anew(etcdctl):
    async def story(sh):
        await sh.ok("etcdctl snapshot save s.db")
        await sh.ok("etcdutl snapshot restore s.db --data-dir d --bump-revision 1000000 --mark-compacted")
        revision = int((await sh.ok("etcdutl snapshot status d/member/snap/db")).split(", ")[1])
        assert revision > 1_000_000
        refused = await sh("etcdutl snapshot restore s.db --data-dir e --bump-revision 5")
        assert (refused.code, refused.err) == (128, "Error: --mark-compacted required if --revision-bump > 0\n")

    etcdctl(story)


def test_a_voter_that_does_not_run_takes_the_majority_and_a_learner_does_not(etcdctl):
    async def story(sh):
        added = await sh.ok("etcdctl member add new --learner --peer-urls=http://10.0.0.9:2380")
        members = re.search(r'ETCD_INITIAL_CLUSTER="(.*)"', added)[1].split(",")  # by their IDs, which follow the date
        assert sorted(members) == ["control-plane=https://10.0.0.1:2380", "new=http://10.0.0.9:2380"]
        learner = added.split()[1]
        listed = await sh.ok("etcdctl member list")
        assert f"{learner}, unstarted, , http://10.0.0.9:2380, , true" in listed
        promoted = await sh(f"etcdctl member promote {learner}")
        assert promoted.err.endswith(
            "Error: etcdserver: can only promote a learner member which is in sync with leader\n"
        )
        assert (await sh.ok("etcdctl put a b; etcdctl member remove " + learner)).startswith("OK\nMember ")
        await sh.ok("etcdctl snapshot save /root/etcd.db")
        await sh.ok("etcdctl member add new --peer-urls=http://10.0.0.9:2380")
        stuck = await sh("etcdctl put a c")
        assert (stuck.code, stuck.err.splitlines()[-1]) == (1, "Error: context deadline exceeded")
        assert await sh.ok("etcdctl get a --consistency=s --print-value-only") == "b\n"
        assert "etcdserver: no leader" in await sh.ok("etcdctl endpoint status")
        refused = await sh(f"{KUBECTL} create namespace shop")
        assert "etcdserver: request timed out" in refused.err
        await sh.ok(RESTORED)
        assert await sh.ok("etcdctl get a --print-value-only") == "b\n"

    etcdctl(story)


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("move-leader 1", 1, "etcdserver: bad leader transferee"),
        ("move-leader zz", 128, 'strconv.ParseUint: parsing "zz": invalid syntax'),
        ("member remove 8e9e05c52164694d", 1,
         "etcdserver: re-configuration failed due to not enough started members"),
        ("member remove 77", 1, "etcdserver: member not found"),
        ("member remove zz", 128,
         'bad member ID arg (strconv.ParseUint: parsing "zz": invalid syntax), expecting ID in Hex'),
        ("member add", 128, "member name not provided"),
        ("member add new", 128, "member peer urls not provided"),
        ("member add new --peer-urls=junk", 1, "URL scheme must be http, https, unix, or unixs: junk"),
        ("auth enable", 1, "etcdserver: root user does not exist"),
        ("user get x", 1, "etcdserver: user name not found"),
        ("role delete x", 1, "etcdserver: role name not found"),
        ("elect e", 128, "no proposal argument but -l not set"),
        ("endpoint health -w protobuf", 4, "protobuf not supported as output format"),
        ("alarm list -w table", 4, "table not supported as output format"),
        ("user list -w fields", 4, "fields not supported as output format"),
        ("snapshot save", 128, "snapshot save expects one argument"),
    ],
)  # fmt: skip
def test_what_the_real_one_refuses_is_refused_in_its_words(shared_etcdctl, line, code, error):
    async def story(sh):
        done = await sh(f"etcdctl {line}")
        assert (done.code, done.err.splitlines()[-1]) == (code, f"Error: {error}")

    shared_etcdctl(story)


def test_a_lock_is_held_by_one_at_a_time_and_given_back(etcdctl):
    async def story(sh):
        assert await sh.ok("etcdctl lock m echo mine") == "mine\n"
        await sh.ok("timeout 5 etcdctl lock m > held; true")
        key = (await sh.ok("head -1 held")).strip()
        assert key.startswith("m/")
        waited = await sh.ok("(timeout 5 etcdctl lock m >/dev/null); etcdctl lock m echo next")
        assert waited == "next\n"
        assert await sh.ok("etcdctl get m --prefix --keys-only") == ""

    etcdctl(story)


@pytest.mark.skipif(shutil.which("etcdctl") is None, reason="there is no etcdctl to compare with")
def test_usage_errors_are_those_of_the_real_one(etcdctl):
    lines = ("member add", "member remove", "member remove zz", "move-leader", "snapshot save", "elect e")
    real = {line: _real(line) for line in lines}

    async def story(sh):
        for line in lines:
            done = await sh(f"etcdctl {line}")
            assert (done.code, done.err) == (real[line].returncode, real[line].stderr), line

    etcdctl(story)


def _real(line):
    environment = {"ETCDCTL_API": "3"}
    return subprocess.run(["etcdctl", *line.split()], capture_output=True, text=True, env=environment, check=False)
