"""The registries of the internet, as far as this world has any: which images exist, how large they are, what they run.

A reference is resolved as containerd and Docker Hub do it: "nginx" is docker.io/library/nginx:latest, and what does not
exist is refused in their words, since learners will paste those words into a search engine. Digests are made from the
reference, so they are stable, and no image's real one.

Modelled on containerd's resolver and on the images that tutorials use, with sizes of about the real compressed ones.
Left out: layers, platforms, credentials, rate limits.

    normalise("nginx:1.27")      "docker.io/library/nginx:1.27"
    resolve("docker.io/library/nginx:1.27").bytes                  72_400_000
    resolve("docker.io/library/nginx:nonsense")                    NotFoundError "… not found"
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.containerd.timeline import Line, Timeline
from cluster_engine.containerd.workloads import SERVICES, Workload

DEFAULT_REGISTRY = "docker.io"
TROUBLE = "/var/lib/containerd-trouble"
CRASH_EXIT_CODE = 1
CRASH = Timeline(lines=(Line(0.3, "fatal: cannot go on, exiting", "stderr"),), ends_at=0.5, exit_code=CRASH_EXIT_CODE)
_VERSION = r"\d+(?:\.\d+){0,2}"


class PullError(Exception):
    """A pull that the registry refused; `code` is the name of the gRPC code that containerd gives it."""

    code = "UNKNOWN"


class NotFoundError(PullError):
    """The repository exists, the tag does not."""

    code = "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Repository:
    """What one repository offers: `tags` is a regular expression of those that exist."""

    name: str
    tags: str
    megabytes: float
    workload: Workload
    slim_megabytes: float | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """One image, as the registry describes it in its manifest."""

    reference: str
    repository: str
    digest: str
    id: str
    bytes: int
    workload: Workload


@dataclass(slots=True)
class Trouble:
    """What is wrong with images on a host, by full reference. Faults write it, `on_crash` is containerd's."""

    missing: dict[str, None] = field(default_factory=dict)
    crashing: dict[str, None] = field(default_factory=dict)
    on_crash: Callable[[str], None] | None = None

    def crash(self, reference: str) -> None:
        """Let every container of the image crash: those that run, now, and those that start, soon."""
        self.crashing[reference] = None
        if self.on_crash is not None:
            self.on_crash(reference)


def trouble_of(disk: dict[str, Any]) -> Trouble:
    """Give the trouble of the host whose disk this is."""
    trouble: Trouble = disk.setdefault(TROUBLE, Trouble())
    return trouble


def _hub(name: str, tags: str, megabytes: float, slim: float | None = None, workload: str | None = None) -> Repository:
    full = f"docker.io/{name if '/' in name else 'library/' + name}"
    return Repository(full, f"latest|{tags}", megabytes, SERVICES[workload or name], slim)


def _other(name: str, tags: str, megabytes: float, workload: str) -> Repository:
    return Repository(name, tags, megabytes, SERVICES[workload])


_CATALOGUE = (
    _hub("nginx", r"stable|mainline|(?:1|1\.\d+(?:\.\d+)?|stable|mainline)(?:-alpine|-perl)?|alpine", 72.4, 21.6),
    _hub("httpd", r"2|2\.4(?:\.\d+)?|(?:2|2\.4(?:\.\d+)?)?-?alpine", 58.3, 24.1),
    _hub("redis", r"[4-8](?:\.\d+){0,2}(?:-alpine)?|alpine", 45.6, 17.2),
    _hub("memcached", r"1(?:\.\d+){0,2}(?:-alpine)?|alpine", 32.1, 9.9),
    _hub("postgres", r"1[0-8](?:\.\d+)?(?:-alpine)?|alpine", 151.9, 104.3),
    _hub("mysql", r"[589](?:\.\d+){0,2}|lts|innovation", 233.7),
    _hub("mariadb", r"1[01](?:\.\d+){0,2}|lts", 115.0),
    _hub("busybox", rf"{_VERSION}|stable|glibc|musl|uclibc|1\.\d+(?:\.\d+)?-(?:glibc|musl|uclibc)", 2.16),
    _hub("alpine", r"3|3\.\d+(?:\.\d+)?|edge", 3.64),
    _hub("ubuntu", r"\d\d\.\d\d|jammy|noble|focal|rolling", 29.7),
    _hub("debian", r"1[0-3](?:\.\d+)?(?:-slim)?|(?:bookworm|trixie|bullseye)(?:-slim)?|stable(?:-slim)?", 48.5, 28.2),
    _hub("python", r"3|3\.\d+(?:\.\d+)?(?:-slim|-alpine)?|slim|alpine", 370.0, 48.0),
    _hub("node", r"\d\d(?:\.\d+){0,2}(?:-slim|-alpine)?|lts|current|slim|alpine", 390.0, 52.0),
    _hub("hello-world", r"linux", 0.01),
    _hub("traefik/whoami", r"v1\.\d+(?:\.\d+)?", 2.8, workload="whoami"),
    _hub("curlimages/curl", rf"{_VERSION}", 9.3, workload="busybox"),
    _hub("nginxdemos/hello", r"plain-text|\d+\.\d+", 21.0, workload="nginx"),
    _other("registry.k8s.io/pause", r"3\.\d+(?:\.\d+)?", 0.32, "pause"),
    _other("registry.k8s.io/nginx-slim", r"0\.\d+", 24.0, "nginx"),
    _other("registry.k8s.io/echoserver", r"1\.\d+", 46.2, "nginx"),
    _other("registry.k8s.io/e2e-test-images/agnhost", r"2\.\d+", 51.0, "agnhost"),
    _other("registry.k8s.io/e2e-test-images/busybox", r"1\.\d+(?:-\d+)?", 1.4, "busybox"),
    _other("gcr.io/google-samples/hello-app", r"[12]\.0", 12.0, "whoami"),
    _other("gcr.io/google-samples/kubernetes-bootcamp", r"v[12]", 83.0, "whoami"),
)
REPOSITORIES: dict[str, Repository] = {repository.name: repository for repository in _CATALOGUE}


def normalise(image: str) -> str:
    """Write an image's name in full: registry, path, tag or digest. Raises ValueError when it is no reference."""
    name, tag, digest = _split(image)
    if not re.fullmatch(r"[a-z0-9.:_/-]+", name) or "//" in name or name.endswith("/"):
        raise ValueError(f'couldn\'t parse image name "{image}": invalid reference format')
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"{DEFAULT_REGISTRY}/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"{DEFAULT_REGISTRY}/{name}"
    return f"{name}@{digest}" if digest else f"{name}:{tag or 'latest'}"


def resolve(reference: str) -> Image:
    """Ask the registry for a full reference. Raises PullError in containerd's words."""
    name, tag, digest = _split(reference)
    repository = REPOSITORIES.get(name)
    prefix = f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}"'
    if repository is None:
        registry, _, path = name.partition("/")
        if registry == DEFAULT_REGISTRY:
            raise PullError(
                f"{prefix}: pull access denied, repository does not exist or may require authorization: "
                "server message: insufficient_scope: authorization failed"
            )
        if any(known.startswith(f"{registry}/") for known in REPOSITORIES):
            raise NotFoundError(f"{prefix}: {reference}: not found")
        raise PullError(
            f'{prefix}: failed to do request: Head "https://{registry}/v2/{path}/manifests/{tag or digest}": '
            f"dial tcp: lookup {registry}: no such host"
        )
    if digest or not re.fullmatch(repository.tags, tag):
        raise NotFoundError(f"{prefix}: {reference}: not found")
    slim = repository.slim_megabytes if re.search("alpine|slim", tag) else None
    return Image(
        reference=reference,
        repository=name,
        digest=f"sha256:{_hex(reference)}",
        id=f"sha256:{_hex('config of ' + reference)}",
        bytes=int((slim or repository.megabytes) * 1_000_000) + int(_hex(reference)[:4], 16),
        workload=repository.workload,
    )


def not_found(reference: str) -> str:
    """Say that a repository has no such tag."""
    resolved = f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}"'
    return f"{resolved}: {reference}: not found"


def _split(image: str) -> tuple[str, str, str]:
    """Take a reference apart: ("nginx", "1.27", "")."""
    name, _, digest = image.partition("@")
    base, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return base, tag, digest
    return name, "", digest


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
