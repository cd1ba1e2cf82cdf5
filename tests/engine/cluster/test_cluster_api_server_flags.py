"""The API server's command line as an administrator changes it: by a drop-in of its unit, and a restart."""

import json

POLICY = "/etc/kubernetes/audit-policy.yaml"
LOG = "/var/log/kubernetes/audit/audit.log"
UNIT = "kube-apiserver"
DROP_IN = f"/etc/systemd/system/{UNIT}.service.d"


async def on_control_plane(cluster, line, code=0):
    found, printed = await cluster.administer(line)
    assert found == code, f"{line}: {printed}"
    return printed


async def answers(cluster, seconds=60):
    await cluster.world.until(lambda: cluster.processes[f"control-plane/{UNIT}"].is_ready, within_seconds=seconds)


def test_an_audit_log_is_switched_on_by_a_drop_in_and_a_policy_that_cannot_be_read_keeps_the_server_down(workstation):
    async def story(sh):
        cluster = sh.cluster
        line = (await on_control_plane(cluster, f"systemctl cat {UNIT} | grep ExecStart=")).strip()
        await on_control_plane(
            cluster,
            f"mkdir -p {DROP_IN}; printf '[Service]\\nExecStart=\\n{line} --audit-policy-file={POLICY}"
            f" --audit-log-path={LOG}\\n' > {DROP_IN}/audit.conf",
        )
        await on_control_plane(
            cluster,
            f"printf 'apiVersion: audit.k8s.io/v1\\nkind: Policy\\nrules:\\n- level: Metadata\\n  verbs: : x\\n'"
            f" > {POLICY}; systemctl daemon-reload; systemctl restart {UNIT}",
        )
        assert f"# {DROP_IN}/audit.conf" in await on_control_plane(cluster, f"systemctl cat {UNIT}")
        await cluster.world.until(lambda: not cluster.processes[f"control-plane/{UNIT}"].is_alive, within_seconds=5)
        assert (
            'err="loading audit policy file: failed decoding: yaml: line 5: mapping values are not allowed in this '
            f'context: from file {POLICY}"'
        ) in await on_control_plane(cluster, f"journalctl -u {UNIT}")

        await on_control_plane(cluster, f"sed -i s/verbs.*// {POLICY}")
        await answers(cluster)
        await sh.ok("kubectl create configmap a --from-literal=x=1")
        asked = f'jq -c \'select(.objectRef.resource == "configmaps" and .verb == "create")\' {LOG} | tail -n 1'
        event = json.loads(await on_control_plane(cluster, asked))
        assert (event["user"]["username"], event["objectRef"]["name"]) == ("kubernetes-admin", "a")
        assert event["responseStatus"]["code"] == 201

        entries = cluster.journal.since(0, 100_000)
        notes = [entry for entry in entries if entry["kind"] == "audit.event" and entry["fields"]["name"] == "a"]
        assert json.loads(notes[0]["fields"]["line"]) == event
        (answer,) = (one for one in entries if one["to"] and one["fields"].get("auditID") == event["auditID"])
        assert (answer["kind"], answer["label"]) == ("http.response", "201 Created")
        assert notes[0]["cause"] == answer["replyTo"]

    workstation(story, nodes=1, capture=True)
