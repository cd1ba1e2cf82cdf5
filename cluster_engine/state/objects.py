"""The objects that etcd held, by kind, in kubectl's columns.

pods    web-6dc5cd68db-c92ds  1/1  Running  0  3s        since entry 812
"""

from collections.abc import Mapping
from datetime import datetime

from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Column
from cluster_engine.state.added import Added, added, definition_of
from cluster_engine.state.keys import Resource, Subject, cell_of, resource_of
from cluster_engine.state.moment import Moment, Standing, asked

ROWS_OF_A_KIND_MAX = 200
ROWS_MAX = 500


def view(moment: Moment, args: Mapping[str, str]) -> Object:
    """Answer `objects`: of one `kind`, or all; rows of those that are few, as long as there is room."""
    only = resource_of(args["kind"]) if args.get("kind") else None
    left, now = ROWS_MAX, moment.now
    kinds = []
    for resource in [only] if only else sorted(moment.fold.keys.of, key=lambda each: each.place):
        objects = moment.standing(resource)
        if objects:
            shown = moment.first(objects, left) if only or len(objects) <= min(left, ROWS_OF_A_KIND_MAX) else []
            left -= len(shown)
            kinds.append(_kind(moment, resource, objects, shown, now))
    return {"kinds": kinds}


def _kind(moment: Moment, resource: Resource, objects: list[Subject], shown: list[Standing], now: datetime) -> Object:
    read = [(one, moment.object_at(one.point)) for one in shown]
    said = next((obj for _, obj in read if obj is not None), {})
    kind = _known(moment, resource, said, namespaced=bool(objects[0].namespace))
    return {
        "resource": resource.plural,
        "group": resource.group,
        "version": kind.version,
        "kind": kind.kind,
        "namespaced": kind.namespaced,
        "count": len(objects),
        "columns": [{"name": column.name, "wide": column.wide} for column in kind.columns],
        "rows": [_row(one, kind.columns, obj, now) for one, obj in read],
    }


def _known(moment: Moment, resource: Resource, said: Object, *, namespaced: bool) -> Added:
    """Return what is known of a kind: it is built in, or defined, or its objects call themselves so."""
    kind = resource.kind
    if kind is not None:
        return Added(kind.version, kind.name, kind.namespaced, resource.columns)
    point = moment.point_of(definition_of(resource))
    defined = added(None if point is None else moment.object_at(point))
    version = said.get("apiVersion", "").rpartition("/")[2]
    return defined or Added(version, said.get("kind", ""), namespaced, resource.columns)


def _row(standing: Standing, columns: tuple[Column, ...], obj: Object | None, now: datetime) -> Object:
    subject = standing.subject
    cells = [subject.name] if obj is None else [cell_of(column, obj, now) for column in columns]
    names = {"namespace": subject.namespace, "name": subject.name}
    return {**names, "cells": cells, "seq": standing.point.seq, "gone": obj is None, **asked(standing.point)}
