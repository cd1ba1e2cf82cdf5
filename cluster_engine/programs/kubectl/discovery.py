"""What resources the server has: asked once, kept in a file for six hours.

`kubectl get po` cannot know by itself what `po` is. It asks `/api` and `/apis` in the aggregated form (two requests)
and keeps the answers under ~/.kube/cache; a name that is not found there is asked for anew, in case it is new.

    find("po"), find("pods"), find("pod")       Resource(group="", version="v1", plural="pods", name="Pod", …)
    find("deployments.apps")                    the one of that group
    of_category("all")                          pods, services, deployments, replicasets

Modelled on client-go discovery/cached/disk and restmapper.
"""

import contextlib
from collections.abc import Iterable

import msgspec

from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.client.discovery import AGGREGATED, Discovered, preferred, read
from cluster_engine.programs.invocation import HOME
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.session import Session

CACHE_SECONDS = 6 * 3600


class Resource(Discovered):
    """One resource of the server, and how messages name it."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """What one of them is called: Deployment."""
        return self.name

    def label(self, name: str) -> str:
        """Name an object as messages do: deployment.apps/web."""
        singular = self.singular or self.kind.lower()
        return f"{singular}.{self.group}/{name}" if self.group else f"{singular}/{name}"


async def resources(session: Session, *, fresh: bool = False) -> list[Resource]:
    """Return all resources, from the cache when it is young enough."""
    if not fresh and "resources" in session.cache:
        return list(session.cache["resources"])
    documents = None if fresh else _cached(session)
    if documents is None:
        core = await session.get("/api", {"timeout": "32s"}, accept=AGGREGATED)
        groups = await session.get("/apis", {"timeout": "32s"}, accept=AGGREGATED)
        documents = [core, groups]
        content = {"fetched": session.process.now().timestamp(), "documents": documents}
        with contextlib.suppress(OSError):  # no room: then it is asked for again
            session.process.files.write(_path(session), msgspec.json.encode(content))
        session.cache["fresh"] = True
    found = [resource for document in documents for resource in read(document, Resource)]
    session.cache["resources"] = found
    return found


async def find(session: Session, name: str) -> Resource:
    """Find a resource by any of its names; CommandError when the server has none."""
    resource = _match(await resources(session), name)
    if resource is None and not session.cache.get("fresh"):
        resource = _match(await resources(session, fresh=True), name)
    if resource is None:
        raise CommandError(f'the server doesn\'t have a resource type "{name}"')
    return resource


async def of_category(session: Session, category: str) -> list[Resource]:
    """Return the resources of a category such as `all`."""
    return [resource for resource in preferred(await resources(session)) if category in resource.categories]


async def of_kind(session: Session, api_version: str, kind: str) -> Resource | None:
    """Find the resource of an object's kind."""
    for fresh in (False, True):
        for resource in await resources(session, fresh=fresh):
            if (resource.api_version, resource.kind) == (api_version, kind):
                return resource
        if session.cache.get("fresh"):
            break
    return None


def _match(known: Iterable[Resource], name: str) -> Resource | None:
    wanted, _, qualifier = name.lower().partition(".")
    for resource in known:
        names = (resource.plural, resource.singular, resource.kind.lower(), *resource.short_names)
        if wanted in names and qualifier in ("", resource.group, f"{resource.version}.{resource.group}".rstrip(".")):
            return resource
    return None


def _path(session: Session) -> str:
    server = session.server.replace(":", "_")
    return f"{HOME}/.kube/cache/discovery/{server}/servergroups.json"


def _cached(session: Session) -> list[dict[str, object]] | None:
    files = session.process.files
    if not files.exists(_path(session)):
        return None
    try:
        content = read_json(files.read(_path(session)))
        if session.process.now().timestamp() - content["fetched"] < CACHE_SECONDS:
            return list(content["documents"])
    except (Unreadable, KeyError, TypeError):
        pass
    return None
