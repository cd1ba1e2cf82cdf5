"""The registries of the internet, as far as this world has any: what a reference resolves to, and what is refused.

What does not exist (`catalogue`) is refused in the words of containerd and of Docker Hub, since learners will paste
those words into a search engine. Digests are made from the reference, so they are stable, and no image's real one; a
reference by digest has that digest.

Modelled on containerd's resolver. Left out: layers, platforms, credentials, rate limits.

    resolve("docker.io/library/nginx:1.27").bytes                  72_400_000
    resolve("docker.io/library/nginx:nonsense")                    NotFoundError "… not found"
"""

import hashlib
import re

import msgspec

from cluster_engine.containerd import catalogue
from cluster_engine.containerd.references import DEFAULT_REGISTRY, split
from cluster_engine.containerd.workloads import Workload

_VERSION = re.compile(r"v?(\d+(?:\.\d+){2})")


class PullError(Exception):
    """A pull that the registry refused; `code` is the name of the gRPC code that containerd gives it."""

    code = "UNKNOWN"


class NotFoundError(PullError):
    """The repository exists, the tag does not."""

    code = "NOT_FOUND"


class Image(msgspec.Struct, frozen=True):
    """One image, as the registry describes it in its manifest."""

    reference: str
    repository: str
    digest: str
    id: str
    bytes: int
    workload: Workload

    @property
    def version(self) -> str:
        """The version that its tag tells whole, "" where it does not."""
        found = _VERSION.match(split(self.reference)[1])
        return found[1] if found else ""


def resolve(reference: str) -> Image:
    """Ask the registry for a full reference. Raises PullError in containerd's words."""
    name, tag, digest = split(reference)
    prefix = f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}"'
    registry, _, path = name.partition("/")
    try:
        repository = catalogue.find(name, tag, digest)
    except catalogue.NoRegistryError:
        raise PullError(
            f'{prefix}: failed to do request: Head "https://{registry}/v2/{path}/manifests/{tag or digest}": '
            f"dial tcp: lookup {registry}: no such host"
        ) from None
    except catalogue.NoRepositoryError:
        if registry != DEFAULT_REGISTRY:
            raise NotFoundError(not_found(reference)) from None
        raise PullError(
            f"{prefix}: pull access denied, repository does not exist or may require authorization: "
            "server message: insufficient_scope: authorization failed"
        ) from None
    except catalogue.NoTagError:
        raise NotFoundError(not_found(reference)) from None
    return Image(
        reference=reference,
        repository=name,
        digest=digest or f"sha256:{_hex(reference)}",
        id=f"sha256:{_hex('config of ' + reference)}",
        bytes=int(repository.size(tag) * 1_000_000) + int(_hex(reference)[:4], 16),
        workload=repository.workload,
    )


def not_found(reference: str) -> str:
    """Say that a repository has no such tag."""
    resolved = f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}"'
    return f"{resolved}: {reference}: not found"


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
