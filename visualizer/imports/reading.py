"""Having a file read: by a process of its own (`reader`), one at a time, within a time; what it says is kept."""

import asyncio
import logging
import sys
import tempfile
import weakref
from pathlib import Path

import msgspec

from visualizer import ending
from visualizer.database import in_database
from visualizer.imports import selectors, services
from visualizer.imports.reader import Said

logger = logging.getLogger(__name__)

SECONDS_MAX = 180.0
LINE_BYTES_MAX = 64 * 1024 * 1024
INTERRUPTED = "the rest took too long"

_said = msgspec.json.Decoder(Said).decode
_turns: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]" = weakref.WeakKeyDictionary()


async def read(file: str) -> None:
    """Read a file that has arrived into a recording; whatever happens, it is said how far that went."""
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(1))
    problems = [services.BROKEN]
    async with turn:
        try:
            cluster = await in_database(services.begin_recording)(file)
            with tempfile.TemporaryDirectory() as folder:
                paths = [Path(folder) / name for name in ("file", "keys", "saved")]
                for path, is_key_log in zip(paths, (False, True), strict=False):
                    await _write(path, await in_database(selectors.parts)(file, is_key_log=is_key_log))
                problems = await _run(file, cluster, paths)
                if paths[-1].exists():
                    with paths[-1].open("rb") as saved:
                        await in_database(services.keep_journal)(cluster, saved)
        finally:
            await asyncio.shield(in_database(services.finish)(file, problems))


async def _write(path: Path, parts: list[bytes]) -> None:
    await asyncio.to_thread(path.write_bytes, b"".join(parts))


async def _run(file: str, cluster: str, paths: list[Path]) -> list[str]:
    command = (sys.executable, "-m", "visualizer.imports.reader", *map(str, paths))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, limit=LINE_BYTES_MAX
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS_MAX):
            async for line in process.stdout:
                said = _said(line)
                if said.entries:
                    await in_database(services.keep)(cluster, said.first, said.entries)
                if said.read is not None:
                    await in_database(services.note_read)(file, said.read)
                if said.problems is not None:
                    await in_database(services.describe)(file, said.kind, said.began_ns)
                if said.problems is not None or said.refused:
                    return said.problems or ([said.refused] if said.refused else [])
    except TimeoutError:
        return [INTERRUPTED]
    except (ValueError, msgspec.DecodeError):
        logger.exception("what the reader of a file said was not understood")
    finally:
        await ending.kill(process)
    return [services.BROKEN]
