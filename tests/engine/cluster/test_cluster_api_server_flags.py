"""The API server's command line as an administrator changes it: by a drop-in of its unit, and a restart."""

import asyncio
import json
import re

from cluster_engine.cast import with_flags

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
        watching = "kubectl get configmaps --watch-only & sleep 1"  # whose lines are about the same collection
        await sh.ok(f"{watching}; kubectl create configmap a --from-literal=x=1; kill %1")
        asked = f'jq -c \'select(.objectRef.resource == "configmaps" and .verb == "create")\' {LOG} | tail -n 1'
        event = json.loads(await on_control_plane(cluster, asked))
        assert (event["user"]["username"], event["objectRef"]["name"]) == ("kubernetes-admin", "a")
        assert event["responseStatus"]["code"] == 201

        entries = cluster.journal.since(0, 100_000)
        its = [entry for entry in entries if entry["fields"].get("auditID") == event["auditID"]]
        notes = [entry for entry in its if entry["kind"] == "audit.event"]
        assert [note["fields"]["stage"] for note in notes] == ["RequestReceived", "ResponseComplete"]
        assert json.loads(notes[1]["fields"]["line"]) == event
        (answer,) = (one for one in its if one["to"])
        assert (answer["kind"], answer["label"]) == ("http.response", "201 Created")
        assert notes[0]["cause"] == notes[1]["cause"] == answer["replyTo"]

        printed = (
            f"sed -i 's|path={LOG}|path=- --audit-log-format=legacy|' {DROP_IN}/audit.conf; systemctl daemon-reload"
        )
        await on_control_plane(cluster, f"{printed}; systemctl restart {UNIT}")
        await answers(cluster)
        await sh.ok("kubectl delete configmap a")
        told = await on_control_plane(cluster, f"journalctl -u {UNIT} -o cat | grep configmaps/a")
        assert re.search(r'^\S+Z AUDIT: id=".*" method="delete" user="kubernetes-admin" .* response="200"$', told, re.M)

    workstation(story, nodes=1, capture=True)


async def restarted(cluster, *flags):
    """Have the API server started again with other flags, by its drop-in."""
    usual = next(one for one in cluster.cast.components if one.program.name == UNIT).program
    (changed,) = with_flags((usual,), UNIT, flags)
    line = " ".join(changed.argv).replace("{address}", "10.0.0.1")
    await on_control_plane(cluster, f"mkdir -p {DROP_IN}; printf '[Service]\\nExecStart={line}\\n' > {DROP_IN}/a.conf")
    await on_control_plane(cluster, f"systemctl restart {UNIT}")


TOKENS = "/etc/kubernetes/tokens-webhook.yaml"
WEBHOOK = "/etc/kubernetes/authz-webhook.yaml"
ABAC_FILE = "/etc/kubernetes/abac.jsonl"


def test_authorization_modes_are_switched_by_flags(workstation):
    async def story(sh):
        cluster = sh.cluster
        jane = "kubectl auth can-i --as=jane"
        assert (await sh(f"{jane} list pods")).out == "no\n"

        terminal = cluster.terminal("webhook", on="control-plane")
        said = []
        line = f"authz-webhook --kubeconfig={WEBHOOK} --allow=jane:list:pods --deny=joe"
        line += f" --token=secret:jane:dev --token-kubeconfig={TOKENS}"
        serving = asyncio.ensure_future(terminal.run(line, lambda _, text: said.append(text)))
        await cluster.world.until(lambda: said, within_seconds=5)
        config = f"--authorization-webhook-config-file={WEBHOOK}"
        version, ttl = "--authorization-webhook-version=v1", "--authorization-webhook-cache-authorized-ttl=20s"
        tokens = f"--authentication-token-webhook-config-file={TOKENS}", "--authentication-token-webhook-version=v1"
        await sh.ok("sed -e /client-/d ~/.kube/config > nobody")
        await restarted(cluster, "--authorization-mode=Node,RBAC,Webhook", config, version, ttl, *tokens)
        await answers(cluster)
        assert "jane" in (await sh("kubectl --token=secret auth whoami --kubeconfig=/root/nobody")).out
        assert "Unauthorized" in (await sh("kubectl --token=wrong auth whoami --kubeconfig=/root/nobody")).err
        said.clear()
        for _ in range(2):
            assert (await sh(f"{jane} list pods -n default")).out == "yes\n"
        assert (await sh("kubectl get pods --as=jane")).code == 0
        assert "".join(said).count("jane list pods default: allowed\n") == 1  # the rest was remembered
        await asyncio.sleep(21)
        await sh.ok("kubectl get pods --as=jane")
        assert "".join(said).count("jane list pods default: allowed\n") == 2
        refused = await sh("kubectl get pods --as=joe")
        assert refused.err.endswith('in the namespace "default": denied by authz-webhook\n')
        serving.cancel()
        await asyncio.wait([serving])
        await asyncio.sleep(21)
        assert (await sh("kubectl get pods --as=jane")).code == 1
        assert 'Failed to make webhook authorizer request: Post \\"https://10.0.0.1:8443/authorize\\": dial tcp ' in (
            await on_control_plane(cluster, f"journalctl -u {UNIT}")
        )

        await on_control_plane(cluster, f'echo \'{{"user": "jane", "readonly": true}}\' > {ABAC_FILE}')
        file = f"--authorization-policy-file={ABAC_FILE}"
        await restarted(cluster, "--authorization-mode=Node,RBAC,ABAC", file)
        await answers(cluster)
        assert (await sh(f"{jane} list secrets -A")).out == "yes\n"
        assert (await sh("kubectl create configmap a --as=jane")).err.endswith("No policy matched.\n")

        await on_control_plane(cluster, f"echo '{{\"user\":' >> {ABAC_FILE}; systemctl restart {UNIT}")
        await cluster.world.until(lambda: not cluster.processes[f"control-plane/{UNIT}"].is_alive, within_seconds=5)
        log = await on_control_plane(cluster, f"journalctl -u {UNIT} -n 5")
        assert f"invalid authorization config: error reading policy file {ABAC_FILE}, line 2: " in log

    workstation(story, nodes=1)
