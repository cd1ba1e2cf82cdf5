"""What the names of a cluster stand for, and what a Corefile says."""

import pytest

from cluster_engine.coredns.corefile import Corefile, CorefileError, parse
from cluster_engine.coredns.records import Names
from cluster_engine.kubeadm.addons import manifests


def service(name, cluster_ip="10.96.4.7", ports=(("http", 80),), **spec):
    listed = [{"name": called, "port": number, "protocol": "TCP"} for called, number in ports]
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"clusterIP": cluster_ip, "ports": listed, **spec},
    }


def slice_(service_name, *endpoints):
    return {
        "metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": service_name}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": ready}, **({"hostname": host} if host else {})}
            for address, host, ready in endpoints
        ],
    }


NAMES = Names(
    "cluster.local",
    [
        service("web"),
        service("db", "None"),
        service("empty", "None"),
        service("docs", "", type="ExternalName", externalName="example.com"),
    ],
    [
        slice_("web", ("10.244.1.2", "", True)),
        slice_("db", ("10.244.1.3", "db-0", True), ("10.244.1.4", "db-1", True), ("10.244.1.5", "db-2", False)),
    ],
    ["shop", "default"],
)


def asked(name):
    found = NAMES.find(f"{name}.cluster.local")
    return [(one.type, one.value) for one in found.records] if found.there else None


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("web.shop.svc", [("A", "10.96.4.7"), ("SRV", "0 100 80 web.shop.svc.cluster.local.")]),
        ("_http._tcp.web.shop.svc", [("SRV", "0 100 80 web.shop.svc.cluster.local.")]),
        ("_tcp.web.shop.svc", []),
        ("_ftp._tcp.web.shop.svc", None),
        ("10-244-1-2.web.shop.svc", [("A", "10.244.1.2")]),
        ("db-0.db.shop.svc", [("A", "10.244.1.3")]),
        ("db-2.db.shop.svc", None),  # not ready
        (
            "_http._tcp.db.shop.svc",
            [(("SRV"), f"0 50 8080 db-{n}.db.shop.svc.cluster.local.") for n in (0, 1)],
        ),
        ("empty.shop.svc", None),
        ("docs.shop.svc", [("CNAME", "example.com.")]),
        ("10-244-9-9.shop.pod", [("A", "10.244.9.9")]),
        ("10-244-9-999.shop.pod", None),
        ("10-244-9-9.nowhere.pod", None),
        ("shop.svc", []),
        ("nowhere.svc", None),
        ("svc", []),
        ("dns-version", [("TXT", '"1.1.0"')]),
        ("web.other.svc", None),
        ("a.b.c.web.shop.svc", None),
    ],
)
def test_a_name_stands_for_what_the_specification_says(name, records):
    assert asked(name) == records


def test_a_headless_services_name_is_all_its_ready_endpoints():
    assert [value for kind, value in asked("db.shop.svc") if kind == "A"] == ["10.244.1.3", "10.244.1.4"]


def test_addresses_have_names_services_before_endpoints():
    def reverse(name):
        found = NAMES.reverse(f"{name}.in-addr.arpa")
        return [one.value for one in found.records] if found.there else None

    assert reverse("7.4.96.10") == ["web.shop.svc.cluster.local."]
    assert reverse("3.1.244.10") == ["db-0.db.shop.svc.cluster.local."]
    assert reverse("2.1.244.10") == ["10-244-1-2.web.shop.svc.cluster.local."]
    assert reverse("9.9.9.9") is None


def test_kubeadms_corefile_is_understood():
    arpa = ("in-addr.arpa", "ip6.arpa")
    assert parse(
        next(one for one in manifests("coredns") if one["kind"] == "ConfigMap")["data"]["Corefile"]
    ) == Corefile(53, ("cluster.local", *arpa), "insecure", arpa, 30, True, True, True)


@pytest.mark.parametrize(
    "text",
    [
        "}",
        ".:53 {\n {\n }\n}",
        ".:53 {",
        ".:x {\n}",
        ".:53 {\n kubernetes {\n ttl soon\n }\n}",
        ".:53 {\n kubernetes {\n pods x\n }\n}",
    ],
)
def test_a_corefile_that_cannot_be_read_is_refused(text):
    with pytest.raises(CorefileError):
        parse(text)
