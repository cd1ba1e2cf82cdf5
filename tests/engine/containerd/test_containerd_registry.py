import re

import pytest

from cluster_engine.containerd.references import normalise
from cluster_engine.containerd.registry import NotFoundError, PullError, resolve
from cluster_engine.containerd.timeline import NotExecutableError
from cluster_engine.containerd.workloads import SERVICES

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


def test_an_image_of_which_only_the_name_is_known_runs_until_it_is_told_to_stop():
    runs = resolve(normalise("quay.io/prometheus/node-exporter:v1.8.2")).workload
    for command, args in (([], []), ([], ["--web.listen-address=:9100"]), (["/bin/node_exporter"], [])):
        assert runs.timeline(command=command, args=args, env={}).ends_at is None
    assert runs.timeline(command=["sleep", "5"], args=[], env={}).ends_at == 5.0
    assert runs.execute(["/bin/health"], {}, lambda path: False).exit_code == 0
    assert runs.offers([]) == {"port": "*", "paths": ""}


def test_perl_computes_pi_as_the_documentation_has_it_do():
    runs = resolve(normalise("perl:5.34.0")).workload
    timeline = runs.timeline(command=["perl", "-Mbignum=bpi", "-wle", "print bpi(2000)"], args=[], env={})
    assert timeline.exit_code == 0
    assert timeline.ends_at is not None
    digits = timeline.lines[0].text
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


def run(image, command=(), args=(), **env):
    return SERVICES[image].timeline(command=list(command), args=list(args), env=env)


@pytest.mark.parametrize("image", ["nginx", "httpd", "redis", "memcached", "pause", "whoami"])
def test_a_server_runs_for_ever_and_ends_soon_after_sigterm(image):
    timeline = run(image)
    assert timeline.ends_at is None
    assert timeline.on_term is not None
    assert timeline.on_term.seconds < 1


@pytest.mark.parametrize("image", ["busybox", "alpine", "ubuntu", "debian", "python", "hello-world"])
def test_an_image_without_a_server_ends_at_once_with_zero(image):
    timeline = run(image)
    assert timeline.ends_at is not None
    assert timeline.exit_code == 0


def test_a_command_replaces_what_the_image_would_run():
    assert run("nginx", ["sh", "-c", "exit 3"]).exit_code == 3
    assert run("busybox", args=["sleep", "5"]).ends_at == 5.0


def test_args_alone_go_through_the_entrypoint():
    assert run("nginx", args=["nginx-debug", "-g", "daemon off;"]).ends_at is None
    assert run("redis", args=["--appendonly", "yes"]).ends_at is None


def test_a_program_that_is_not_in_the_image_cannot_be_executed():
    with pytest.raises(NotExecutableError):
        run("hello-world", ["sh"])
    with pytest.raises(NotExecutableError):
        run("nginx", ["frobnicate"])


def test_sleep_as_process_one_ignores_sigterm():
    assert run("busybox", ["sleep", "3600"]).on_term is None


def test_postgres_needs_a_password():
    timeline = run("postgres")
    assert timeline.exit_code == 1
    assert "superuser password is not specified" in timeline.lines[0].text
    assert run("postgres", POSTGRES_PASSWORD="x").ends_at is None
