"""A port that nobody listens on, and that nobody gets who asks for any."""

import itertools
import os
import socket

FIRST, OF_EACH, WORKERS = 20_000, 250, 48  # below those that systems give away (Linux from 32,768)

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_numbers = itertools.cycle(range(OF_EACH))
for _ in range(os.getpid() % OF_EACH):  # runs of the tests side by side begin elsewhere
    next(_numbers)


def free_port() -> int:
    """Give a port that no other worker of this run is given, and that has not been given lately."""
    for number in itertools.islice(_numbers, OF_EACH):
        port = FIRST + _worker * OF_EACH + number
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
