import re

import pytest

from cluster_engine.containerd.references import normalise
from cluster_engine.containerd.registry import NotFoundError, PullError, resolve
from cluster_engine.containerd.workloads import SERVICES, NotExecutableError

DIGEST = "sha256:1f1a2d56de1d604801a9671f301190704c25d604a416f59e03c04f5c6ffee0d6"


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("traefik/whoami:v1.10", "docker.io/traefik/whoami:v1.10"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("localhost:5000/mine", "localhost:5000/mine:latest"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
        (f"nginx:1.27@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
    ],
)
def test_a_short_name_is_completed_as_docker_does(written, full):
    assert normalise(written) == full


@pytest.mark.parametrize("written", ["", "NGINX", "a//b", "nginx/", "a b", "nginx@sha256:00"])
def test_what_is_no_reference_is_refused(written):
    with pytest.raises(ValueError, match="invalid reference format"):
        normalise(written)


@pytest.mark.parametrize(
    "reference",
    ["nginx", "nginx:1.27", "nginx:1.14.2", "nginx:1.27-alpine", "redis:7", "busybox:1.36", "httpd:2.4", "postgres:16",
     "alpine:3.20", "python:3.12-slim", "debian:12-slim", "httpd:alpine"],
)  # fmt: skip
def test_the_images_of_tutorials_exist(reference):
    image = resolve(normalise(reference))
    assert image.bytes > 1_000_000
    assert re.fullmatch("sha256:[0-9a-f]{64}", image.digest)


@pytest.mark.parametrize(
    "reference",
    ["registry.k8s.io/e2e-test-images/busybox:1.36.1-1", "registry.k8s.io/busybox", "mongo", "mongo:7.0-jammy", "perl",
     "perl:5.34.0", "hashicorp/http-echo:1.0", "polinux/stress", "vish/stress", "wordpress:6.2.1-apache", "redis:6.0.5",
     "quay.io/prometheus/node-exporter:v1.8.2", "ghcr.io/stefanprodan/podinfo:6.7.1", "k8s.gcr.io/pause:3.2",
     "gcr.io/google_containers/echoserver:1.4", "mcr.microsoft.com/dotnet/samples:aspnetapp", "grafana/grafana",
     "public.ecr.aws/nginx/nginx:1.27-alpine3.20-slim", "us-docker.pkg.dev/google-samples/containers/gke/hello-app:1.0",
     "bitnami/kubectl:1.30.2-debian-12-r3", "argoproj/rollouts-demo:9f2c1ab", "fluent/fluentd-kubernetes-daemonset:v1",
     f"nginx@{DIGEST}", f"quay.io/prometheus/node-exporter@{DIGEST}"],
)  # fmt: skip
def test_what_looks_like_a_public_image_exists(reference):
    assert resolve(normalise(reference)).bytes > 1_000_000


@pytest.mark.parametrize(
    "reference",
    ["ngnix", "ngnix:1.27", "nginxx", "nosuch", "my-app:1.0", "busybux", "nginx:1.161", "nginx:2.0", "redis:99",
     "nginx:doesnotexist", "nginx:does-not-exist", "nginx:no-such-tag", "busybox:1.999", "someone/does-not-exist",
     "your-name/app:v1", "registry.k8s.io/does-not-exist:1.0", "quay.io/org/app:nonsense", "ghcr.io/org/nonexistent",
     "nginx:lastest", "registry.example.com/app:1", "localhost:5000/mine", f"nginx@sha256:{'0' * 64}",
     f"nginx@sha256:{'deadbeef' * 8}"],
)  # fmt: skip
def test_what_is_plainly_wrong_does_not(reference):
    with pytest.raises(PullError, match="failed to pull and unpack image"):
        resolve(normalise(reference))


@pytest.mark.parametrize(
    ("command", "args", "ends_at"),
    [([], [], None), ([], ["--web.listen-address=:9100"], None), (["/bin/node_exporter"], [], None),
     (["sleep", "5"], [], 5.0)],
)  # fmt: skip
def test_an_image_of_which_only_the_name_is_known_runs_until_it_is_told_to_stop(container, command, args, ends_at):
    assert container("quay.io/prometheus/node-exporter:v1.8.2", command, args).ends_at == ends_at


def test_perl_computes_pi_as_the_documentation_has_it_do(container):
    ran = container("perl:5.34.0", ["perl", "-Mbignum=bpi", "-wle", "print bpi(2000)"])
    assert ran.exit_code == 0
    assert ran.ends_at is not None
    digits = ran.texts[0]
    assert digits.startswith("3.14159265358979323846")
    assert digits.endswith("780275901")
    assert len(digits) == 2001


def test_an_alpine_variant_is_smaller():
    assert resolve(normalise("nginx:alpine")).bytes < resolve(normalise("nginx")).bytes / 2


def test_an_unknown_tag_is_not_found_in_containerds_words():
    with pytest.raises(NotFoundError) as refused:
        resolve(normalise("nginx:doesnotexist"))
    assert str(refused.value) == (
        'failed to pull and unpack image "docker.io/library/nginx:doesnotexist": failed to resolve reference '
        '"docker.io/library/nginx:doesnotexist": docker.io/library/nginx:doesnotexist: not found'
    )


def test_an_unknown_repository_on_docker_hub_may_be_private():
    with pytest.raises(PullError, match="pull access denied, repository does not exist or may require authorization"):
        resolve(normalise("nosuchimage"))


def test_an_unknown_registry_has_no_address():
    with pytest.raises(PullError, match=r"lookup registry\.example\.com: no such host"):
        resolve(normalise("registry.example.com/app:1"))


@pytest.mark.parametrize("image", ["busybox", "alpine", "ubuntu", "debian", "python", "hello-world"])
def test_an_image_without_a_server_ends_at_once_with_zero(container, image):
    ran = container(image)
    assert ran.ends_at is not None
    assert ran.exit_code == 0


def test_a_command_replaces_what_the_image_would_run(container):
    assert container("nginx", ["sh", "-c", "exit 3"]).exit_code == 3
    assert container("busybox", args=["sleep", "5"]).ends_at == 5.0


def test_args_alone_go_through_the_entrypoint(container):
    assert container("nginx", args=["nginx-debug", "-g", "daemon off;"]).ends_at is None
    assert container("redis", args=["--appendonly", "yes"]).ends_at is None


def test_a_program_that_is_not_in_the_image_cannot_be_executed():
    with pytest.raises(NotExecutableError):
        SERVICES["hello-world"].started(["sh"])
    with pytest.raises(NotExecutableError, match=r'exec: "frobnicate": executable file not found in \$PATH'):
        SERVICES["nginx"].started(["frobnicate"])


def test_postgres_needs_a_password(container):
    ran = container("postgres")
    assert ran.exit_code == 1
    assert "superuser password is not specified" in ran.texts[0]
    assert container("postgres", POSTGRES_PASSWORD="x").ends_at is None
