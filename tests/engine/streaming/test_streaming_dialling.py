"""What has been upgraded: the end of its connection is told alike, whatever the library under it raises."""

import asyncio

import anyio
import httpcore
import pytest

from cluster_engine.streaming.dialling import Upgraded


class Broken:
    """A network stream that is at its end."""

    def __init__(self, error):
        self._error = error

    async def read(self, _):
        raise self._error

    async def write(self, _):
        raise self._error


@pytest.mark.parametrize(
    "error", [anyio.EndOfStream(), httpcore.WriteError(), httpcore.RemoteProtocolError(), OSError()], ids=repr
)
def test_a_connection_that_has_ended_reads_as_its_end_and_cannot_be_written_to(error):
    duplex = Upgraded(Broken(error))
    assert asyncio.run(duplex.read()) == b""
    with pytest.raises(ConnectionResetError):
        asyncio.run(duplex.write(b"x"))
