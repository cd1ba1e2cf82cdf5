"""A bootstrap token that has expired: who cannot join, in kubeadm's words, who does not notice, how it is mended."""

import json

import pytest

from cluster_engine.faults import FaultError

CREATE = "ssh control-plane kubeadm token create abcdef.0123456789abcdef --print-join-command > join.sh"
MANAGER = "control-plane/kube-controller-manager"


def signed_with(it):
    (info,) = (
        one for one in it.cluster.stored("configmaps", "", "kube-public") if "cluster" in one["metadata"]["name"]
    )
    return {key for key in info["data"] if key.startswith("jws-kubeconfig-")}


def tokens(it):
    secrets = it.cluster.stored("secrets", "", "kube-system")
    return {one["metadata"]["name"]: one["data"] for one in secrets if one["type"] == "bootstrap.kubernetes.io/token"}


def test_an_expired_token_lets_nobody_join_and_what_has_joined_does_not_notice(workstation):
    async def story(sh):
        cluster = sh.cluster
        with pytest.raises(FaultError, match="there are no bootstrap tokens; `kubeadm token create`"):
            cluster.fail("bootstrap-token-expired")
        await sh.ok(f"machines add; {CREATE}")
        with pytest.raises(FaultError, match="there is no bootstrap token ffffff; there are abcdef"):
            cluster.fail("bootstrap-token-expired", target="ffffff")
        await cluster.world.until(lambda: bool(signed_with(sh)), within_seconds=5)
        before, head = tokens(sh), cluster.journal.head
        fault = cluster.fail("bootstrap-token-expired", target="abcdef")
        await cluster.world.until(lambda: not tokens(sh) and not signed_with(sh), within_seconds=5)
        asked = [one for one in cluster.journal.since(head, 10**6) if one["kind"] == "http.request"]
        mine = [
            (one["fields"]["verb"], one["fields"]["name"])
            for one in asked
            if one["from"] == MANAGER and one["fields"]["verb"] in ("delete", "update")
            if one["fields"]["resource"] in ("secrets", "configmaps")
        ]
        shown = await sh(
            "curl -ks -H 'Authorization: Bearer abcdef.0123456789abcdef' https://10.0.0.1:6443/api/v1/nodes"
        )
        late = await sh("ssh worker-2 < join.sh")
        node = await sh.ok("kubectl get nodes --no-headers")
        await cluster.heal(fault)
        given_back = tokens(sh)
        await cluster.world.until(lambda: bool(signed_with(sh)), within_seconds=5)
        joined = await sh("ssh worker-2 < join.sh")
        return before, given_back, mine, json.loads(shown.out)["code"], late, node, joined

    before, given_back, mine, code, late, node, joined = workstation(story, nodes=1, capture=True)
    assert sorted(mine) == [("delete", "bootstrap-token-abcdef"), ("update", "cluster-info")]
    assert code == 401
    assert late.code == 1
    assert 'could not find a JWS signature in the cluster-info ConfigMap for token ID "abcdef"' in late.err
    assert node.split()[1] == "Ready"
    assert given_back == before
    assert joined.code == 0, joined


def test_all_tokens_expire_together_and_while_no_controller_cleans_up_the_secret_says_when(workstation):
    async def story(sh):
        cluster = sh.cluster
        await sh.ok(f"{CREATE}; ssh control-plane kubeadm token create fedcba.0123456789abcdef")
        cluster.fail("stop", target=MANAGER)
        before = tokens(sh)
        cluster.fail("bootstrap-token-expired")
        await cluster.world.until(
            lambda: all(tokens(sh)[name] != data for name, data in before.items()), within_seconds=5
        )
        shown = await sh(
            "curl -ks -H 'Authorization: Bearer fedcba.0123456789abcdef' https://10.0.0.1:6443/api/v1/nodes"
        )
        listed = await sh.ok("ssh control-plane kubeadm token list")
        await cluster.heal_all()
        return json.loads(shown.out)["code"], listed, tokens(sh), await sh.ok("ssh control-plane kubeadm token list")

    code, listed, left, again = workstation(story, nodes=1)
    assert code == 401
    assert listed.count("<invalid>") == 2
    assert set(left) == {"bootstrap-token-abcdef", "bootstrap-token-fedcba"}
    assert again.count("23h") + again.count("24h") == 2
