"""Bootstrap tokens that expire, made up: each invariant goes red, and only on what is wrong."""

import base64
from datetime import UTC, datetime, timedelta

from cluster_engine.api import bootstrap_tokens as tokens
from tests.simulate import bootstrap_tokens as b
from tests.simulate.story import History, Write

BEGUN = datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
CONTENT, SECRET = "clusters: []", "0123456789abcdef"
SIGNED = {"jws-kubeconfig-abcdef": tokens.signature(CONTENT, "abcdef", SECRET)}


def token(expires=3600.0):
    data = {
        "token-id": "abcdef",
        "token-secret": SECRET,
        "usage-bootstrap-signing": "true",
        "expiration": (BEGUN + timedelta(seconds=expires)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
    metadata = {"name": "bootstrap-token-abcdef", "namespace": "kube-system"}
    return {"type": tokens.TYPE, "metadata": metadata, "data": encoded}


def cluster_info(**signatures):
    metadata = {"name": "cluster-info", "namespace": "kube-public"}
    return {"metadata": metadata, "data": {"kubeconfig": CONTENT, **signatures}}


def secret(at, now):
    return Write(int(at), "/registry/secrets/kube-system/bootstrap-token-abcdef", token(), now, at)


def info(at, **signatures):
    now = cluster_info(**signatures)
    return Write(int(at), "/registry/configmaps/kube-public/cluster-info", now, now, at)


def found(*writes, entries=()):
    end = Write(999, "/registry/configmaps/default/end", None, {"metadata": {}}, 999.0)
    return {one.invariant for one in b.outlived(list(entries), History([*writes, end]), BEGUN)}


def test_a_token_that_has_expired_goes_and_so_does_its_signature():
    news = secret(1, token()), info(2, **SIGNED), secret(20, token(expires=-10.0))
    gone, unsigned = secret(22, None), info(23)
    assert found(*news, gone, unsigned) == set()
    assert found(*news, unsigned) == {b.OUTLIVED}
    assert found(*news, gone) == {b.OUTLIVED}
    assert found(*news[:2]) == set(), "it has not expired"
    fields = {"id": "fault-1", "name": "stop", "target": "control-plane/kube-controller-manager"}
    assert found(*news, entries=[{"kind": "fault.started", "at": 15.0, "fields": fields}]) == set()


def test_at_rest_each_token_has_signed_and_nobody_else():
    assert list(b.badly_signed([token()], [cluster_info(**SIGNED)])) == []
    assert list(b.badly_signed([], [cluster_info()])) == []
    assert len(list(b.badly_signed([token()], [cluster_info()]))) == 1
    assert len(list(b.badly_signed([], [cluster_info(**SIGNED)]))) == 1
    assert len(list(b.badly_signed([token()], [cluster_info(**{"jws-kubeconfig-abcdef": "eyJ.."})]))) == 1
