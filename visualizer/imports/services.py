"""What is written of files that people bring, and of the recordings that become of them."""

import zlib
from collections.abc import Sequence
from datetime import timedelta
from typing import IO

import msgspec
from django.db import transaction
from django.utils import timezone

from visualizer import services
from visualizer.hosting.batches import Batch
from visualizer.imports import selectors
from visualizer.imports.models import Import, JournalPart, Part
from visualizer.models import Cluster
from visualizer.reasons import IMPORTED
from visualizer.selectors import Owner

IMPORTS_OF_OWNER_MAX = 5
IMPORTS_MAX = 200  # of all
FILE_BYTES_MAX = 50 * 1024 * 1024
PART_BYTES_MAX = 768 * 1024
UNFINISHED_KEPT = timedelta(hours=1)
JOURNAL_PART_BYTES = 1024 * 1024
NAME_MAX = 100
BROKEN = "the rest needs more time or memory than there is for a file"


class TooMany(Exception):  # noqa: N818
    """Somebody, or everybody, has as many recordings as there may be."""


class OutOfTurn(Exception):  # noqa: N818
    """A part came that is not the next one, or too much, or when nothing more is wanted."""


def begin(owner: Owner, name: str) -> Import:
    """Make ready for a file; what they have begun before and not finished is given up. Raise `TooMany`."""
    long_ago = timezone.now() - UNFINISHED_KEPT
    for stuck in Import.objects.filter(state=Import.State.READING, created_at__lt=long_ago):
        finish(stuck.pk, [BROKEN])  # a server that is gone was reading it
    with transaction.atomic():
        Import.objects.filter(selectors.of(owner), state=Import.State.ARRIVING).delete()
        Import.objects.filter(cluster=None, created_at__lt=long_ago).delete()
        theirs = Import.objects.filter(selectors.of(owner)).count()
        if theirs >= IMPORTS_OF_OWNER_MAX or Import.objects.count() >= IMPORTS_MAX:
            raise TooMany
        return Import.objects.create(visitor=owner.visitor, user_id=owner.user_id, name=name[:NAME_MAX])


def take_part(file: Import, n: int, data: bytes, *, is_key_log: bool) -> None:
    """Keep the next part of a file. Raise `OutOfTurn`."""
    with transaction.atomic():
        row = Import.objects.select_for_update().get(pk=file.pk)
        sizes = list(row.parts.values_list("is_key_log", "n"))
        is_next = n == sum(key_log == is_key_log for key_log, _ in sizes)
        too_much = len(data) > PART_BYTES_MAX or (len(sizes) + 1) * PART_BYTES_MAX > FILE_BYTES_MAX + 2 * PART_BYTES_MAX
        if row.state != Import.State.ARRIVING or not is_next or too_much or not data:
            raise OutOfTurn
        Part.objects.create(file=row, is_key_log=is_key_log, n=n, data=data)


def close(file: Import) -> bool:
    """Nothing more comes: it may be read. False where that is known, or nothing came."""
    arriving = Import.objects.filter(pk=file.pk, state=Import.State.ARRIVING)
    return file.parts.filter(is_key_log=False).exists() and bool(arriving.update(state=Import.State.WAITING))


def begin_recording(file: str) -> str:
    """Make the cluster that a recording is, ended from the beginning; give its id."""
    with transaction.atomic():
        row = Import.objects.select_for_update().get(pk=file)
        whose = {"visitor": row.visitor, "user_id": row.user_id}
        ended = {"state": Cluster.State.ENDED, "reason": IMPORTED, "ended_at": timezone.now()}
        row.cluster = Cluster.objects.create(**whose, **ended)
        row.state = Import.State.READING
        row.save(update_fields=["cluster", "state"])
        return row.cluster.pk


def keep(cluster: str, first: int, entries: Sequence[msgspec.Raw]) -> None:
    """Append entries to a recording."""
    services.record(cluster, [Batch(first, first + len(entries) - 1, b",".join(map(bytes, entries)))])


def keep_journal(cluster: str, saved: IO[bytes]) -> None:
    """Keep the journal that a file was read into."""
    with transaction.atomic():
        for n, data in enumerate(iter(lambda: saved.read(JOURNAL_PART_BYTES), b"")):
            JournalPart.objects.create(cluster_id=cluster, n=n, data=zlib.compress(data, 3))


def describe(file: str, kind: str, began_ns: int) -> None:
    """Note of which kind a file is, and when its story begins."""
    Import.objects.filter(pk=file).update(kind=kind, began_ns=began_ns if 0 < began_ns < 2**63 else 0)


def note_read(file: str, part: float) -> None:
    """How much of a file is read."""
    Import.objects.filter(pk=file).update(read=part)


def finish(file: str, problems: list[str]) -> None:
    """A file is read, as far as it went; what went before nothing came of it, a cluster too, goes."""
    row = Import.objects.select_related("cluster").get(pk=file)
    row.parts.all().delete()
    row.problems = problems
    if row.cluster is not None and row.cluster.recorded:
        row.state = Import.State.READ
        row.save(update_fields=["state", "problems"])
        return
    empty, row.cluster, row.state = row.cluster, None, Import.State.FAILED
    row.save(update_fields=["cluster", "state", "problems"])
    if empty is not None:
        empty.delete()


def forget(owner: Owner, file: str) -> bool:
    """Delete a file of theirs with its recording; False where there is none."""
    row = selectors.find(owner, file)
    if row is None:
        return False
    (row if row.cluster is None else row.cluster).delete()
    return True
