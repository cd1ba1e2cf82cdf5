"""Discovery, from the client's side: which resources a server has, as it says itself.

Two requests in the aggregated form say it all: GET /api for the core group, GET /apis for all others.

    for resource in preferred(await discover(client)):         pods, nodes, …, deployments, …
        await client.list(resource)

Modelled on client-go/discovery, ServerGroupsAndResources and ServerPreferredResources. Left out: servers that only know
the legacy form.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from cluster_engine.api.resource import Resource
from cluster_engine.client.rest import Client, refusal_of

AGGREGATED = ",".join(
    [f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")]
    + ["application/json"]
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Discovered(Resource):
    """A resource as the server describes it; `subresources` by their names."""

    subresources: tuple[str, ...]


D = TypeVar("D", bound=Discovered)


async def discover(client: Client) -> list[Discovered]:
    """Ask a server for all its resources, in its order: groups by priority, a group's best version first."""
    answers = await asyncio.gather(
        *(client.request("GET", path, headers={"accept": AGGREGATED}) for path in ("/api", "/apis"))
    )
    for answer in answers:
        if answer.status >= 400:
            raise refusal_of(answer.status, answer.body)
    return [each for answer in answers for each in read(msgspec.json.decode(answer.body), Discovered)]


def read(document: dict[str, Any], make: type[D]) -> Iterator[D]:
    """Read the resources of an aggregated document (an APIGroupDiscoveryList), as records of a type."""
    for group in document.get("items") or ():
        for version in group["versions"]:
            for found in version["resources"]:
                yield make(
                    group=group["metadata"].get("name") or "",
                    version=version["version"],
                    name=found["responseKind"]["kind"],
                    plural=found["resource"],
                    singular=found.get("singularResource", ""),
                    namespaced=found["scope"] == "Namespaced",
                    verbs=tuple(found.get("verbs") or ()),
                    short_names=tuple(found.get("shortNames") or ()),
                    categories=tuple(found.get("categories") or ()),
                    subresources=tuple(each["subresource"] for each in found.get("subresources") or ()),
                )


def preferred(resources: Iterable[D]) -> list[D]:
    """Return each resource once, in the best version of its group that has it."""
    best: dict[str, D] = {}
    for each in resources:
        best.setdefault(each.resource_name, each)
    return list(best.values())
