"""Service-account tokens in pods: renewed before they expire, kept while that is refused."""

import asyncio
import base64
import json

VOLUME = {
    "name": "tokens",
    "projected": {
        "sources": [
            {"serviceAccountToken": {"path": "api", "expirationSeconds": 3607}},
            {"serviceAccountToken": {"path": "vault", "audience": "vault", "expirationSeconds": 7200}},
        ]
    },
}


def tokens(node):
    """Give the claims of both tokens, as they lie on the host."""
    found = {}
    for path in node.host.files.below("/var/lib/kubelet/pods"):
        if "/volumes/kubernetes.io~projected/tokens/" in path:
            claims = node.host.files.read(path).split(b".")[1]
            found[path.rpartition("/")[2]] = json.loads(base64.urlsafe_b64decode(claims + b"=="))
    return found


async def run(node):
    container = {
        "name": "app",
        "image": "nginx",
        "volumeMounts": [{"name": "tokens", "mountPath": "/tokens"}],
    }
    await node.run_pod("web", "", containers=[container], volumes=[VOLUME])
    return tokens(node)


def test_each_token_is_renewed_once_four_fifths_of_its_life_have_gone(node):
    async def story(node):
        first = await run(node)
        await asyncio.sleep(3607 * 0.8 - 20)
        before = tokens(node)
        await asyncio.sleep(120)
        return first, before, tokens(node)

    first, before, after = node(story)
    assert first["vault"]["aud"] == ["vault"]
    assert before == first
    assert after["vault"] == first["vault"]
    assert after["api"]["iat"] - first["api"]["iat"] >= 3607 * 0.8 - 10


def test_while_a_new_token_is_refused_the_old_one_stays_and_the_pod_runs(node):
    async def story(node):
        first = await run(node)
        await node.kill("kube-apiserver")
        await asyncio.sleep(3500)
        kept, notes = tokens(node), [note.text for note in node.noted("kubelet.token")]
        await node.start("kube-apiserver")
        await asyncio.sleep(120)
        reasons = {reason for reason, _, _ in await node.events("web")}
        return first, kept, notes, tokens(node), reasons, (await node.pod("web"))["status"]["phase"]

    first, kept, notes, after, reasons, phase = node(story)
    assert kept == first
    assert notes
    assert notes[0].startswith('"Couldn\'t update token"')
    assert after["api"] != first["api"]
    assert "FailedMount" not in reasons
    assert phase == "Running"
