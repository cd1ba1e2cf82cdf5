"""Manifests: the files after -f, read, and the resource that each document is one of."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from cluster_engine.programs.kubectl import discovery, documents
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.session import Session

SUFFIXES = (".yaml", ".yml", ".json")
WITHOUT_VALIDATION = "if you choose to ignore these errors, turn validation off with --validate=false"


class Manifest(msgspec.Struct, frozen=True):
    """One document of a file."""

    source: str
    document: dict[str, Any]

    @property
    def name(self) -> str:
        """The object's name."""
        return str((self.document.get("metadata") or {}).get("name") or "")

    @property
    def label(self) -> str:
        """Its kind and name, as messages have them where no server is asked."""
        group = str(self.document["apiVersion"]).rpartition("/")[0]
        kind = str(self.document["kind"]).lower()
        return f"{kind}.{group}/{self.name}" if group else f"{kind}/{self.name}"

    @property
    def namespace(self) -> str:
        """The object's namespace, "" when it does not say."""
        return str((self.document.get("metadata") or {}).get("namespace") or "")


def read_manifests(session: Session, paths: Sequence[str]) -> Iterator[Manifest]:
    """Read files and directories. CommandError when one is missing or cannot be understood."""
    for path in [path for given in paths for path in given.split(",")]:
        for source in _files(session, path, deeply=session.flags.values.get("recursive", False)):
            text = session.read(source)
            source = "STDIN" if source == "-" else source  # noqa: PLW2901
            try:
                read = list(documents.read_all(text))
            except documents.ManifestError as error:
                raise CommandError(f"error parsing {source}: {error}") from error
            for document in read:
                yield Manifest(source, _checked(source, document))


async def resource_of(session: Session, manifest: Manifest) -> Resource:
    """Find the resource of which a document is one. CommandError when the server has none."""
    document = manifest.document
    resource = await discovery.of_kind(session, document["apiVersion"], document["kind"])
    if resource is None:
        raise CommandError(
            f'resource mapping not found for name: "{manifest.name}" namespace: "{manifest.namespace}" from '
            f'"{manifest.source}": no matches for kind "{document["kind"]}" in version "{document["apiVersion"]}"\n'
            "ensure CRDs are installed first"
        )
    return resource


def namespace_of(session: Session, resource: Resource, manifest: Manifest) -> str | None:
    """Say in which namespace an object is to be; CommandError when -n says otherwise."""
    if not resource.namespaced:
        return None
    given = session.flags["namespace"]
    if manifest.namespace and given and manifest.namespace != given:
        raise CommandError(
            f'the namespace from the provided object "{manifest.namespace}" does not match the namespace "{given}". '
            f"You must pass '--namespace={manifest.namespace}' to perform this operation."
        )
    return manifest.namespace or session.namespace


def _files(session: Session, path: str, *, deeply: bool = False) -> list[str]:
    if path == "-":
        return [path]
    files = session.process.files
    full = session.absolute(path)
    try:
        files.read(full)
        return [path]
    except FileNotFoundError:
        if not files.exists(full):
            raise CommandError(f'the path "{path}" does not exist') from None
    base = path.rstrip("/")
    found = [f"{base}/{name}" for name in files.listdir(full) if name.endswith(SUFFIXES)]
    if deeply:
        for name in files.listdir(full):
            with contextlib.suppress(FileNotFoundError):  # a file has nothing in it
                files.listdir(f"{full.rstrip('/')}/{name}")
                found += _below(session, f"{base}/{name}")
    if not found:
        raise CommandError(f"error reading [{path}]: recognized file extensions are [.json .yaml .yml]")
    return found


def _below(session: Session, path: str) -> list[str]:
    try:
        return _files(session, path, deeply=True)
    except CommandError:
        return []  # nothing there can be read


def _checked(source: str, document: dict[str, Any]) -> dict[str, Any]:
    missing = [f"{field} not set" for field in ("apiVersion", "kind") if not document.get(field)]
    if not isinstance(document.get("metadata"), dict):
        missing.append("metadata not set")
    if missing:
        what = missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]"
        raise CommandError(f'error validating "{source}": error validating data: {what}; {WITHOUT_VALIDATION}')
    return document
