"""The folder of the database and the secret key: for the server's own user, and nobody else of the machine.

Who reads the database reads sessions, and who reads the key can write them. What an older version left readable is
mended at every start. Of a folder that is everybody's (DATA_DIR=/tmp) only our own files are touched.

    keep(Path("var"), "glassplane.sqlite3")     var is 0700; var/glassplane.sqlite3 is there and 0600, -wal, -shm too
"""

import logging
import os
import stat
from pathlib import Path

logger = logging.getLogger(__name__)

FOLDER, FILE = 0o700, 0o600
UMASK = 0o077
ALONGSIDE = ("", "-wal", "-shm", "-journal")  # SQLite's, each with the mode that the database has when it is made


def keep(folder: Path, *files: str) -> None:
    """Make a folder and these files in it, or take from others what they may do with them. Raise OSError."""
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    if not folder.stat().st_mode & stat.S_ISVTX:
        _mend(folder, FOLDER)
    for name in files:
        os.close(os.open(folder / name, os.O_CREAT | os.O_WRONLY, FILE))  # so that SQLite does not choose the mode
        for suffix in ALONGSIDE:
            if (path := folder / f"{name}{suffix}").exists():
                _mend(path, FILE)


def _mend(path: Path, mode: int) -> None:
    """Take from group and others what they may do; say so where it is somebody else's and cannot be done."""
    if path.stat().st_mode & ~mode & 0o777:
        try:
            path.chmod(mode)
        except PermissionError:
            logger.warning("others may read %s, and it is not ours to change: chmod %o it", path, mode)
