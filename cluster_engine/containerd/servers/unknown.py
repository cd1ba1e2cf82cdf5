"""What stands for a program of which nothing is known but its name: it serves whatever is asked, on whatever port.

An image that exists in reality must not fail here because nobody has written down what is in it. So it is taken for
granted that it does what its pod expects: whoever connects is let in, and any HTTP request is answered 200, with a
sentence that says so. In the network of its host it serves nothing, for there it would stand in others' way.
"""

from cluster_engine.containerd.servers import http
from cluster_engine.containerd.servers.http import Answer, Request
from cluster_engine.programs.invocation import Invocation
from cluster_engine.world.process import Namespace

SAID = b"This image is not simulated: any request is answered like this one.\n"


async def unknown(invocation: Invocation) -> int:
    """Serve until SIGTERM."""

    def answer(_: Request) -> Answer:
        return Answer(200, SAID, "text/plain")

    if isinstance(invocation.process.host, Namespace):
        async with http.serving(invocation, None, answer):
            await http.until_sigterm()
    else:
        await http.until_sigterm()
    return 0


async def nothing(_: Invocation) -> int:
    """Stand for a program of such an image that is called beside the first: it ends well."""
    return 0
