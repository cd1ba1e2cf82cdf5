"""One fingerprint for all static files, in the address of each: `/static/<fingerprint>/js/main.js`.

A browser may then keep every file for ever and ask for none again until one of them has changed. It stands in the path,
before the name, and not in each file's name, so that modules go on importing each other by relative path: nothing is
rewritten, nothing is loaded twice, and what is served is what stands in the repository. The price is that a new version
fetches all files again, which it would mostly do anyway: a module whose name changes changes those that import it.

While files are served from the source tree, where they change under a running server, there is none.
"""

import hashlib
from pathlib import Path

from django.conf import settings
from whitenoise.storage import CompressedStaticFilesStorage

LETTERS = 16


def fingerprint(folder: Path) -> str:
    """Return what names the contents of a folder: other files, names or bytes give another."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gz"):
        name, data = str(path.relative_to(folder)).encode(), path.read_bytes()
        digest.update(b"%d:%b%d:" % (len(name), name, len(data)))
        digest.update(data)
    return digest.hexdigest()[:LETTERS]


class FingerprintedStorage(CompressedStaticFilesStorage):  # type: ignore[misc]
    """Compressed copies beside the files, and addresses with the fingerprint in them where there is one."""

    def url(self, name: str | None, force: bool = False) -> str:
        """Return the address of a file, or of a folder that a module completes."""
        inside = f"{settings.STATIC_FINGERPRINT}/" if settings.STATIC_FINGERPRINT else ""
        return str(super().url(f"{inside}{name}"))
