"""The hosts' files hold the identities of a real cluster."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cluster_engine.cast import PKI, cast
from cluster_engine.pki.authority import Authority, Usage
from cluster_engine.pki.layout import admin_kubeconfig, provision
from cluster_engine.world.process import Host

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def hosts():
    one = cast(1)
    there = {host.name: Host(host.name, host.address) for host in one.hosts}
    pki = provision(one, there.__getitem__, now=NOW)
    return there["control-plane"], there["worker-1"], there["workstation"], pki


def names(certificate: x509.Certificate) -> tuple[str, list[str]]:
    subject = certificate.subject
    organizations = [one.value for one in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    return subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value, organizations


def user_of(kubeconfig: bytes) -> x509.Certificate:
    user = yaml.safe_load(kubeconfig)["users"][0]["user"]
    return x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))


@pytest.mark.parametrize(
    ("host", "path", "who"),
    [
        (0, "/etc/kubernetes/admin.conf", ("kubernetes-admin", ["kubeadm:cluster-admins"])),
        (0, "/etc/kubernetes/super-admin.conf", ("kubernetes-super-admin", ["system:masters"])),
        (0, "/etc/kubernetes/controller-manager.conf", ("system:kube-controller-manager", [])),
        (0, "/etc/kubernetes/scheduler.conf", ("system:kube-scheduler", [])),
        (2, "/root/.kube/config", ("kubernetes-admin", ["kubeadm:cluster-admins"])),
    ],
)
def test_each_kubeconfig_holds_the_identity_of_a_real_cluster(hosts, host, path, who):
    assert names(user_of(hosts[host].files.read(path))) == who


def test_a_kubelet_is_its_node(hosts):
    pem = hosts[1].files.read("/var/lib/kubelet/pki/kubelet-client-current.pem")
    certificate = x509.load_pem_x509_certificate(pem)
    assert names(certificate) == ("system:node:worker-1", ["system:nodes"])
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_api_server_answers_to_all_its_names(hosts):
    certificate = x509.load_pem_x509_certificate(hosts[0].files.read(f"{PKI}/apiserver.crt"))
    names_ = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "kubernetes.default.svc" in names_.get_values_for_type(x509.DNSName)
    addresses = {str(address) for address in names_.get_values_for_type(x509.IPAddress)}
    assert {"10.96.0.1", "10.0.0.1", "127.0.0.1"} <= addresses


def test_every_leaf_is_signed_by_its_authority(hosts):
    for stem, authority in (("apiserver", "ca"), ("etcd/server", "etcd/ca"), ("apiserver-etcd-client", "etcd/ca")):
        leaf = x509.load_pem_x509_certificate(hosts[0].files.read(f"{PKI}/{stem}.crt"))
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(hosts[0].files.read(f"{PKI}/{authority}.crt")))


def test_a_certificate_can_be_expired_on_purpose():
    pair = Authority("ca", now=NOW).issue("late", usage=Usage.CLIENT, lifetime=timedelta(minutes=-1))
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    assert certificate.not_valid_before_utc < certificate.not_valid_after_utc < NOW


def test_the_admins_kubeconfig_can_point_to_another_door(hosts):
    config = yaml.safe_load(admin_kubeconfig(hosts[3], "https://127.0.0.1:40000"))
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:40000"
    assert config["current-context"] == "kubernetes-admin@kubernetes"


def test_with_a_secret_the_authority_has_the_same_key_each_time_and_without_one_never():
    def key(secret):
        host = Host("control-plane", "10.0.0.1")
        provision(cast(1), lambda _: host, now=NOW, secret=secret)
        return host.files.read(f"{PKI}/ca.key"), host.files.read(f"{PKI}/sa.key")

    assert key(b"one") == key(b"one") != key(b"two")
    assert key(b"") != key(b"")
    assert len({*key(b"one")}) == 2
