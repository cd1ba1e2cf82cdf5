"""Bootstrap tokens: whom they make of their bearer, what is signed with them, and when they go."""

import base64
import contextlib
from datetime import timedelta

import pytest

from cluster_engine.api import bootstrap_tokens, time
from cluster_engine.api.kinds import CONFIG_MAP, SECRET, SELF_SUBJECT_REVIEW
from cluster_engine.api.status import Forbidden, NotFound, Unauthorized

ID, TEXT = "abcdef", "0123456789abcdef"
GOOD = {
    "token-id": ID,
    "token-secret": TEXT,
    "usage-bootstrap-authentication": "true",
    "usage-bootstrap-signing": "true",
    "auth-extra-groups": bootstrap_tokens.NODE_GROUP,
}


def secret(**changed):
    data = {key: base64.b64encode(text.encode()).decode() for key, text in {**GOOD, **changed}.items()}
    metadata = {"name": f"bootstrap-token-{ID}", "namespace": "kube-system"}
    return {"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "type": bootstrap_tokens.TYPE, "data": data}


def test_who_shows_a_token_is_its_bootstrapper_while_the_secret_says_so(cluster):
    async def story(plane):
        client, name = plane.client, f"bootstrap-token-{ID}"
        await client.create(SECRET, secret())
        newcomer = client.with_token(f"{ID}.{TEXT}")

        async def who(token):
            review = {"kind": "SelfSubjectReview", "apiVersion": SELF_SUBJECT_REVIEW.api_version}
            return (await client.with_token(token).create(SELF_SUBJECT_REVIEW, review))["status"]["userInfo"]

        me = await who(f"{ID}.{TEXT}")
        read = await newcomer.get(CONFIG_MAP, "kubelet-config", "kube-system")
        with pytest.raises(Forbidden) as forbidden:
            await newcomer.get(SECRET, name, "kube-system")
        refused = []
        past = time.rfc3339(plane.world.now() - timedelta(seconds=1))
        for changed in (
            {"token-id": "abcdeg"},
            {"usage-bootstrap-authentication": "false"},
            {"auth-extra-groups": "system:masters"},
            {"token-secret": TEXT[::-1]},
            {"expiration": "soon"},
            {"expiration": past},
        ):
            with contextlib.suppress(NotFound):  # the cleaner may have been faster
                await client.delete(SECRET, name, "kube-system")
            await client.create(SECRET, secret(**changed))
            with pytest.raises(Unauthorized):
                await who(f"{ID}.{TEXT}")
            refused.append(changed)
        with pytest.raises(Unauthorized):
            await who("ffffff.0123456789abcdef")
        return me, read, str(forbidden.value), refused

    me, read, forbidden, refused = cluster(story, nodes=0)
    assert me["username"] == "system:bootstrap:abcdef"
    assert me["groups"] == ["system:bootstrappers", bootstrap_tokens.NODE_GROUP, "system:authenticated"]
    assert "rotateCertificates: true" in read["data"]["kubelet"]
    assert 'User "system:bootstrap:abcdef" cannot get resource "secrets"' in forbidden
    assert len(refused) == 6


def test_cluster_info_is_signed_with_each_token_until_it_expires_and_is_deleted(cluster):
    async def story(plane):
        client = plane.client

        async def info():
            return (await client.get(CONFIG_MAP, "cluster-info", "kube-public"))["data"]

        async def is_signed():
            return f"jws-kubeconfig-{ID}" in await info()

        async def is_gone():
            return not await is_signed() and not await plane.items(SECRET, "kube-system")

        before = await info()
        end = time.rfc3339(plane.world.now() + timedelta(minutes=2))
        await client.create(SECRET, secret(expiration=end))
        await plane.until(is_signed)
        signed, began = await info(), plane.world.loop.time()
        await plane.until(is_gone, within_seconds=130)
        return before, signed, plane.world.loop.time() - began

    before, signed, seconds = cluster(story, nodes=0)
    assert set(before) == {"kubeconfig"}
    assert signed[f"jws-kubeconfig-{ID}"] == bootstrap_tokens.signature(before["kubeconfig"], ID, TEXT)
    assert 115 < seconds < 125


@pytest.mark.parametrize(
    ("group", "may"),
    [
        ("system:bootstrappers:a", True),
        ("system:bootstrappers:a:b-1", True),
        ("system:bootstrappers:", False),
        ("system:masters", False),
        ("system:bootstrappers:A", False),
        ("system:bootstrappers:a-", False),
    ],
)
def test_a_token_gives_no_groups_but_those_of_bootstrappers(group, may):
    assert (bootstrap_tokens.group_problem(group) == "") is may
