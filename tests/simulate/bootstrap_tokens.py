"""Bootstrap tokens: whoever wants to join can check who is meant, by those that there are and by no others.

    outlived        a token that has expired is deleted within NEWS_SECONDS, and cluster-info no longer signed with it
    badly signed    at rest cluster-info has a signature by each token that is for signing, a true one, and no other

After pkg/controller/bootstrap. Nothing has to happen in its time while the control plane is broken.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from cluster_engine.api import bootstrap_tokens as tokens
from cluster_engine.api.objects import Object
from tests.simulate.evictions import troubles
from tests.simulate.story import Entry, History, Violation

OUTLIVED = "a bootstrap token that has expired is of no use"
NEWS_SECONDS = 30.0
CLUSTER_INFO = "configmaps/kube-public/cluster-info"


def outlived(entries: list[Entry], history: History, epoch: datetime) -> Iterator[Violation]:
    """Judge each write of a token that has expired by what came of it."""
    broken = list(troubles(entries))
    end = history.writes[-1].at if history.writes else 0.0
    for write in history.of("secrets"):
        latest = write.at + NEWS_SECONDS
        if write.now is None or not tokens.is_token_secret(write.now) or latest > end:
            continue
        left = tokens.seconds_left(write.now, epoch + timedelta(seconds=write.at))
        if left is None or left > 0 or any(since < latest and until > write.at for since, until in broken):
            continue
        if not any(write.at <= one.at <= latest and one.now is None for one in history.about(write.token)):
            yield Violation(OUTLIVED, f"{write.token} had expired at {write.at:.0f} s, and was there at {latest:.0f} s")
        signed = f"{tokens.SIGNATURE_PREFIX}{tokens.value(write.now, 'token-id')}"
        infos = [one for one in history.about(CLUSTER_INFO) if one.at <= latest]
        known = [one for one in infos if one.at <= write.at][-1:] + [one for one in infos if one.at > write.at]
        if all(signed in (one.now or {}).get("data", {}) for one in known):
            yield Violation(OUTLIVED, f"cluster-info was signed with {write.token} for more than {NEWS_SECONDS:.0f} s")


def badly_signed(secrets: Iterable[Object], config_maps: Iterable[Object]) -> Iterator[str]:
    """Compare the signatures that there are with those that there should be."""
    infos = [one for one in config_maps if _token(one) == CLUSTER_INFO]
    for info in infos:
        content = info["data"]["kubeconfig"]
        wanted = {
            tokens.value(secret, "token-id"): tokens.value(secret, "token-secret")
            for secret in secrets
            if tokens.is_token_secret(secret) and tokens.value(secret, f"{tokens.USAGE_PREFIX}signing") == "true"
        }
        should = {f"{tokens.SIGNATURE_PREFIX}{id_}": tokens.signature(content, id_, wanted[id_]) for id_ in wanted}
        there = {name: text for name, text in info["data"].items() if name.startswith(tokens.SIGNATURE_PREFIX)}
        for name in sorted(should.keys() | there.keys()):
            if should.get(name) != there.get(name):
                yield f"cluster-info has {there.get(name)} as {name}, and should have {should.get(name)}"


def _token(config_map: Object) -> str:
    metadata = config_map["metadata"]
    return f"configmaps/{metadata['namespace']}/{metadata['name']}"
