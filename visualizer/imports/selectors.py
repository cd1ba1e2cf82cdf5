"""What is read of files that people bring, and of their recordings."""

import zlib
from typing import IO

from django.db.models import Q

from visualizer.imports.models import Import, JournalPart
from visualizer.selectors import Owner


def of(owner: Owner) -> Q:
    """What is theirs."""
    return owner.owns()


def imports_of(owner: Owner) -> list[Import]:
    """Everything that somebody has brought, the newest first."""
    return list(Import.objects.filter(of(owner)).order_by("-created_at"))


def find(owner: Owner, file: str) -> Import | None:
    """A file, if it is theirs."""
    return Import.objects.filter(of(owner), pk=file).select_related("cluster").first()


def parts(file: str, *, is_key_log: bool) -> list[bytes]:
    """The bytes of a file, or of its key log, part by part."""
    row = Import.objects.get(pk=file)
    return [bytes(part.data) for part in row.parts.filter(is_key_log=is_key_log).order_by("n")]


def problems(cluster: str) -> list[str]:
    """What could not be read of the file that a recording is of, in the active language."""
    file = Import.objects.filter(cluster=cluster).first()
    return [] if file is None else file.not_read


def about(cluster: str) -> tuple[str, int]:
    """Which kind of file a recording is of, and the date at which its story begins."""
    return Import.objects.values_list("kind", "began_ns").get(cluster=cluster)


def journal_into(cluster: str, file: IO[bytes]) -> bool:
    """Write the saved journal of a recording into a file; False where there is none."""
    parts = JournalPart.objects.filter(cluster=cluster).order_by("n").values_list("data", flat=True)
    for part in parts.iterator(chunk_size=1):
        file.write(zlib.decompress(part))
    return file.tell() > 0
