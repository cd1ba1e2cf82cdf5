import pytest
import yaml

from cluster_engine.client.kubeconfig import KubeConfigError, Overrides, load
from cluster_engine.world.files import FileSystem


def files(**changes):
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "shop"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://10.0.0.1:6443", "certificate-authority": "ca.crt"}}],
        "users": [{"name": "u", "user": {"tokenFile": "/var/run/token", "client-certificate": "pki/me.crt"}}],
        **changes,
    }
    system = FileSystem()
    system.write("/etc/kubernetes/x.conf", yaml.safe_dump(document).encode())
    system.write("/etc/kubernetes/ca.crt", b"CA")
    system.write("/etc/kubernetes/pki/me.crt", b"ME")
    return system


def test_paths_count_from_the_files_own_folder():
    config = load(files(), "/etc/kubernetes/x.conf")
    assert (config.host, config.port, config.namespace) == ("10.0.0.1", 6443, "shop")
    assert (config.ca, config.certificate, config.token_file) == (b"CA", b"ME", "/var/run/token")


def test_data_in_the_file_is_decoded():
    users = [{"name": "u", "user": {"client-certificate-data": "TUU=", "client-key-data": "S0VZ", "token": "t"}}]
    config = load(files(users=users), "/etc/kubernetes/x.conf")
    assert (config.certificate, config.key, config.token) == (b"ME", b"KEY", "t")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"current-context": "other"}, "context was not found for specified context: other"),
        ({"clusters": []}, 'cluster "k" does not exist'),
        ({"clusters": [{"name": "k", "cluster": {}}]}, 'no server found for cluster "k"'),
        (
            {"clusters": [{"name": "k", "cluster": {"server": "x:80/y"}}]},
            'host must be a URL or a host:port pair: "x:80/y"',
        ),
        ({"users": [{"name": "u", "user": {"client-key-data": "%"}}]}, "client-key-data is not base64"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_says_why(changes, message):
    with pytest.raises(KubeConfigError, match=message):
        load(files(**changes), "/etc/kubernetes/x.conf")


def test_garbage_is_no_kubeconfig():
    system = files()
    system.write("/etc/kubernetes/x.conf", b"{: not yaml")
    with pytest.raises(KubeConfigError, match="error loading config file"):
        load(system, "/etc/kubernetes/x.conf")


def test_what_a_command_line_says_stands_over_the_file():
    data = [{"name": "u", "user": {"client-certificate-data": "TUU=", "client-key-data": "S0VZ", "tokenFile": "/t"}}]
    said = Overrides(
        of_cluster={"server": "https://other:1", "insecure-skip-tls-verify": True},
        of_user={"client-certificate": "/etc/kubernetes/pki/me.crt", "token": "t"},
    )
    config = load(files(users=data), "/etc/kubernetes/x.conf", said)
    assert (config.host, config.port, config.namespace, config.insecure) == ("other", 1, "shop", True)
    assert config.ca is None  # the file's authority goes with the check
    assert (config.certificate, config.key, config.token, config.token_file) == (b"ME", b"KEY", "t", None)


def test_a_server_on_the_command_line_needs_no_file():
    said = Overrides(of_cluster={"server": "https://10.0.0.9", "certificate-authority": "/ca"})
    system = FileSystem()
    system.write("/ca", b"CA")
    config = load(system, "/root/.kube/config", said)
    assert (config.host, config.port, config.ca, config.certificate) == ("10.0.0.9", 443, b"CA", None)


def test_a_server_by_plain_http_is_shown_no_credentials():
    users = [{"name": "u", "user": {"client-key-data": "%", "token": "t"}}]
    config = load(files(users=users), "/etc/kubernetes/x.conf", Overrides(of_cluster={"server": "localhost:8001"}))
    assert (config.url, config.ca, config.key, config.token) == ("http://localhost:8001", None, None, None)
    behind = load(files(), "/etc/kubernetes/x.conf", Overrides(of_cluster={"server": "https://k8s.example/one/"}))
    assert behind.url == "https://k8s.example:443/one"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (Overrides(context="x"), "context was not found for specified context: x"),
        (Overrides(cluster="x"), 'no server found for cluster "x"'),
        (Overrides(user="x"), 'auth info "x" does not exist'),
        (
            Overrides(of_cluster={"certificate-authority": "/nope"}),
            "unable to read certificate-authority /nope for k due to open /nope: no such file or directory",
        ),
        (
            Overrides(of_cluster={"certificate-authority": "/x", "insecure-skip-tls-verify": True}),
            "specifying a root certificates file with the insecure flag is not allowed",
        ),
    ],
)
def test_what_a_command_line_names_and_nobody_has_is_refused(said, message):
    with pytest.raises(KubeConfigError, match=message):
        load(files(), "/etc/kubernetes/x.conf", said)
