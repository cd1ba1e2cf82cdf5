"""References to images: what "nginx", "nginx:1.27" and "quay.io/a/b@sha256:…" are in full.

Modelled on distribution/reference, as containerd's CRI plugin uses it.

    normalise("nginx:1.27")      "docker.io/library/nginx:1.27"
    split("quay.io/a/b:v1")      ("quay.io/a/b", "v1", "")
"""

import re

DEFAULT_REGISTRY = "docker.io"
_NAME = re.compile(r"[a-z0-9.:_/-]+")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def normalise(image: str) -> str:
    """Write an image's name in full: registry, path, tag or digest. Raises ValueError when it is no reference."""
    name, tag, digest = split(image)
    if not _NAME.fullmatch(name) or "//" in name or name.endswith("/"):
        raise ValueError(f'couldn\'t parse image name "{image}": invalid reference format')
    if digest and not _DIGEST.fullmatch(digest):
        raise ValueError(f'couldn\'t parse image name "{image}": invalid reference format')
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"{DEFAULT_REGISTRY}/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"{DEFAULT_REGISTRY}/{name}"
    return f"{name}@{digest}" if digest else f"{name}:{tag or 'latest'}"


def split(image: str) -> tuple[str, str, str]:
    """Take a reference apart: ("nginx", "1.27", ""). With a digest the tag does not count."""
    name, _, digest = image.partition("@")
    base, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return base, tag, digest
    return name, "", digest
