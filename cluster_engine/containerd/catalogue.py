"""Which images exist out there: a few that are known well, and whatever looks like a public one.

Theory of operation. Of the images that tutorials use it is known which versions there are, how large they are and what
they run (`REPOSITORIES`). Of all others only what a name says: learners paste manifests from everywhere, and an image
that exists in reality must not be missing here. So a repository exists unless it is plainly wrong:

    docker.io/library/…        the official images, a list; "ngnix" is not on it
    other repositories         exist at a registry that everybody can reach, but for names made up to be missing
                               (`does-not-exist`) or to be filled in (`your-name/app`)
    their tags                 exist too, but for made-up ones
    tags of a known image      are made of the versions that were ever published, roughly, and of the words such tags
                               are made of: nginx has a 1.16.1 and a 1.27-alpine3.20, no 1.161 and no "lastest"

    find("docker.io/library/nginx", "1.27")       nginx, 72.4 MB
    find("quay.io/prometheus/node-exporter", "v1.8.2")     something of 15 to 180 MB that runs and says nothing
    find("docker.io/library/ngnix", "latest")     NoRepositoryError

Left out: everything that only the registry itself knows.
"""

import hashlib
import re
import tomllib
from importlib import resources

import msgspec

from cluster_engine.containerd.references import DEFAULT_REGISTRY
from cluster_engine.containerd.workloads import SERVICES, UNKNOWN, Workload

OFFICIAL = f"{DEFAULT_REGISTRY}/library/"
MEGABYTES_MIN, MEGABYTES_MAX = 15, 180
MADE_UP = re.compile(
    r"(?:^|[-_./])(?:non-?exist\w*|does-?not-?exist|doesnt-?exist|(?:not|dont)-?exist\w*|no-?such\w*|not-?found|invalid"
    r"|broken|bogus|fake|missing|wrong|typo|nonsense|nope|your\w*|username|user-name)(?=$|[-_./])"
)
_NAMES = tomllib.loads(resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8"))
REGISTRIES, OFFICIAL_IMAGES, TAG_WORDS = (
    frozenset(_NAMES[kind].split()) for kind in ("registries", "official", "tag_words")
)
_VERSION = re.compile(r"v?\d+(?:\.\d+)*")
_NUMBER = re.compile(r"v?\d+(?:[a-z]{1,3}\d*)?|(?=[a-f]*\d)[0-9a-f]{7,64}")


class Repository(msgspec.Struct, frozen=True):
    """What one repository offers: `versions` is a regular expression of those that exist ("": nobody here knows)."""

    name: str
    versions: str
    megabytes: float
    workload: Workload
    slim_megabytes: float | None = None

    def has(self, tag: str) -> bool:
        """Return whether a tag exists."""
        if not self.versions:
            return not MADE_UP.search(tag)
        version = _VERSION.match(tag)
        if version is not None and not re.fullmatch(self.versions, version.group()):
            return False
        rest = tag[version.end() :] if version is not None else tag
        return all(_is_usual(word) for word in re.split(r"[-_.]", rest) if word)

    def size(self, tag: str) -> float:
        """Return the compressed size of a tag in megabytes."""
        return self.slim_megabytes if self.slim_megabytes and re.search("alpine|slim", tag) else self.megabytes


class NoRegistryError(LookupError):
    """Nobody can reach such a registry."""


class NoRepositoryError(LookupError):
    """The registry has no such repository, or not for everybody."""


class NoTagError(LookupError):
    """The repository has no such tag or digest."""


def find(name: str, tag: str, digest: str = "") -> Repository:
    """Find the repository of a full name that has a tag, or a digest. NoRegistry-, NoRepository- or NoTagError."""
    repository = REPOSITORIES.get(name) or _stranger(name)
    if not (_is_drawn(digest) if digest else repository.has(tag)):
        raise NoTagError(tag or digest)
    return repository


def _stranger(name: str) -> Repository:
    registry, _, path = name.partition("/")
    if registry not in REGISTRIES:
        raise NoRegistryError(registry)
    if name.startswith(OFFICIAL) and path.removeprefix("library/") not in OFFICIAL_IMAGES:
        raise NoRepositoryError(name)
    if MADE_UP.search(path):
        raise NoRepositoryError(name)
    span = MEGABYTES_MAX - MEGABYTES_MIN
    size = MEGABYTES_MIN + int(hashlib.sha256(name.encode()).hexdigest()[:6], 16) % (10 * span) / 10
    return Repository(name, "", size, UNKNOWN)


def _is_usual(word: str) -> bool:
    return bool(_NUMBER.fullmatch(word)) or word.rstrip("0123456789") in TAG_WORDS or word in TAG_WORDS


def _is_drawn(digest: str) -> bool:
    """Tell a hash from what somebody typed in its place ("000…", "deadbeef…")."""
    return len(set(digest.removeprefix("sha256:"))) > 8


def _hub(name: str, versions: str, megabytes: float, slim: float | None = None, workload: str = "") -> Repository:
    full = f"{DEFAULT_REGISTRY}/{name if '/' in name else 'library/' + name}"
    return Repository(full, versions, megabytes, SERVICES[workload or name], slim)


def _other(name: str, versions: str, megabytes: float, workload: str) -> Repository:
    return Repository(name, versions, megabytes, SERVICES[workload])


_MINOR = r"(?:\.\d{1,2}){0,2}"
_KNOWN = (
    _hub("nginx", rf"1{_MINOR}", 72.4, 21.6),
    _hub("httpd", r"2(?:\.[24](?:\.\d{1,2})?)?", 58.3, 24.1),
    _hub("redis", rf"[2-8]{_MINOR}", 45.6, 17.2),
    _hub("memcached", rf"1{_MINOR}", 32.1, 9.9),
    _hub("postgres", rf"(?:9|1[0-8]){_MINOR}", 151.9, 104.3),
    _hub("mysql", rf"[589]{_MINOR}", 233.7),
    _hub("mariadb", rf"(?:5|1[0-2]){_MINOR}", 115.0),
    _hub("mongo", rf"[2-8]{_MINOR}", 282.0),
    _hub("busybox", rf"1{_MINOR}", 2.16),
    _hub("alpine", rf"[23]{_MINOR}", 3.64),
    _hub("ubuntu", r"(?:1\d|2[0-5])\.(?:04|10)", 29.7),
    _hub("debian", r"(?:[6-9]|1[0-3])(?:\.\d{1,2})?", 48.5, 28.2),
    _hub("python", rf"[23]{_MINOR}", 370.0, 48.0),
    _hub("node", rf"\d{{1,2}}{_MINOR}", 390.0, 52.0),
    _hub("perl", rf"5{_MINOR}", 338.0, 56.0),
    _hub("hello-world", "", 0.01),
    _hub("traefik/whoami", rf"v1{_MINOR}", 2.8, workload="whoami"),
    _hub("curlimages/curl", r"[78](?:\.\d{1,3}){0,2}", 9.3, workload="curl"),
    _hub("nginxdemos/hello", r"0\.\d", 21.0, workload="nginx"),
    _hub("nginxinc/nginx-unprivileged", rf"1{_MINOR}", 72.4, 21.6, workload="nginx-unprivileged"),
    _hub("hashicorp/http-echo", rf"[01]{_MINOR}", 2.6, workload="http-echo"),
    _hub("polinux/stress", r"1\.0\.4", 4.1, workload="stress"),
    _hub("vish/stress", "", 1.5, workload="vish-stress"),
    _other("registry.k8s.io/pause", rf"[0-3]{_MINOR}|go", 0.32, "pause"),
    _other("registry.k8s.io/kube-apiserver", r"v1(?:\.\d{1,2}){2}", 28.7, "kube-apiserver"),
    _other("registry.k8s.io/kube-controller-manager", r"v1(?:\.\d{1,2}){2}", 26.3, "kube-controller-manager"),
    _other("registry.k8s.io/kube-scheduler", r"v1(?:\.\d{1,2}){2}", 20.7, "kube-scheduler"),
    _other("registry.k8s.io/kube-proxy", r"v1(?:\.\d{1,2}){2}", 30.9, "kube-proxy"),
    _other("registry.k8s.io/etcd", r"3(?:\.\d{1,2}){2}", 57.7, "etcd"),
    _other("registry.k8s.io/coredns/coredns", r"v1\.\d{1,2}\.\d", 18.6, "coredns"),
    _other("registry.k8s.io/busybox", rf"1{_MINOR}", 1.1, "busybox"),
    _other("registry.k8s.io/nginx-slim", r"0\.\d{1,2}", 24.0, "nginx"),
    _other("registry.k8s.io/echoserver", r"1\.\d{1,2}", 46.2, "echoserver"),
    _other("registry.k8s.io/e2e-test-images/agnhost", r"[12]\.\d{1,2}", 51.0, "agnhost"),
    _other("registry.k8s.io/e2e-test-images/busybox", rf"1{_MINOR}", 1.4, "busybox"),
    _other("registry.k8s.io/e2e-test-images/nginx", rf"1{_MINOR}", 51.0, "nginx"),
    _other("registry.k8s.io/e2e-test-images/httpd", rf"2{_MINOR}", 41.9, "httpd"),
    _other("gcr.io/google-samples/hello-app", r"[12]\.0", 12.0, "hello-app"),
    _other("gcr.io/google-samples/kubernetes-bootcamp", r"v[12]", 83.0, "bootcamp"),
)
REPOSITORIES: dict[str, Repository] = {repository.name: repository for repository in _KNOWN}
