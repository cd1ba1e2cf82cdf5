import pytest
import yaml

from cluster_engine.client.kubeconfig import KubeConfigError, load
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
        ({"clusters": [{"name": "k", "cluster": {"server": "ftp://x"}}]}, "has no https server"),
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
