"""Tables: what `kubectl get` asks for and prints as it comes.

A Table has column definitions, and a row of cells for each object. The same columns serve lists, single objects
and watch events; in a watch only the first event brings the definitions (`headers`).

    {"kind": "Table", "columnDefinitions": [{"name": "Name", …}], "rows": [{"cells": ["web-0", …], "object": {…}}]}
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from cluster_engine.api.cells.common import created_at, name
from cluster_engine.api.derived import derived
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import Column, Kind
from cluster_engine.api.status import BadRequest

META = "meta.k8s.io/v1"
_DEFAULT_COLUMNS = (name(), Column("Created At", created_at, "When the object was made.", type="date"))


def _columns(kind: Kind) -> Sequence[Column]:
    return kind.columns or _DEFAULT_COLUMNS


@derived
def column_definitions(kind: Kind) -> list[Object]:
    """Return the definitions of a kind's columns."""
    return [
        {
            "name": each.name,
            "type": each.type,
            "format": each.format,
            "description": each.doc,
            "priority": int(each.wide),
        }
        for each in _columns(kind)
    ]


def table(
    kind: Kind,
    objects: Iterable[Object],
    *,
    now: datetime,
    list_metadata: Object | None = None,
    include_object: str = "Metadata",
    headers: bool = True,
    api_version: str = META,
) -> Object:
    """Make the Table of some objects. `include_object` is None, Metadata or Object, else BadRequest.

    `list_metadata` is the list's (resourceVersion, continue, …); without it, the only object's version.
    """
    if include_object not in _EMBEDDERS:
        raise BadRequest(f'unrecognized includeObject value: "{include_object}"')
    embed = _EMBEDDERS[include_object]
    cells = [column.cell for column in _columns(kind)]
    found = list(objects)
    rows = [{"cells": [cell(obj, now) for cell in cells], "object": embed(obj, kind, api_version)} for obj in found]
    if list_metadata is None:
        version = found[0]["metadata"].get("resourceVersion") if len(found) == 1 else None
        list_metadata = {"resourceVersion": version} if version else {}
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": list_metadata,
        "columnDefinitions": column_definitions(kind) if headers else None,
        "rows": rows,
    }


def partial_object_metadata(obj: Object, api_version: str = META) -> Object:
    """Return only the metadata of an object, as `as=PartialObjectMetadata` asks."""
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": obj["metadata"]}


def _embed_metadata(obj: Object, kind: Kind, api_version: str) -> JSON:
    del kind
    return partial_object_metadata(obj, api_version)


def _embed_object(obj: Object, kind: Kind, api_version: str) -> JSON:
    del api_version
    return {**obj, "kind": kind.name, "apiVersion": kind.api_version}


def _embed_nothing(obj: Object, kind: Kind, api_version: str) -> JSON:
    del obj, kind, api_version


_EMBEDDERS = {"None": _embed_nothing, "Metadata": _embed_metadata, "": _embed_metadata, "Object": _embed_object}
