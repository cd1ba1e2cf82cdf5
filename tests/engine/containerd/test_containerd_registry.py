import re

import pytest

from cluster_engine.containerd.registry import NotFoundError, PullError, normalise, resolve
from cluster_engine.containerd.timeline import NotExecutableError
from cluster_engine.containerd.workloads import SERVICES


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("traefik/whoami:v1.10", "docker.io/traefik/whoami:v1.10"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("localhost:5000/mine", "localhost:5000/mine:latest"),
        ("nginx@sha256:00", "docker.io/library/nginx@sha256:00"),
    ],
)
def test_a_short_name_is_completed_as_docker_does(written, full):
    assert normalise(written) == full


@pytest.mark.parametrize("written", ["", "NGINX", "a//b", "nginx/", "a b"])
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
