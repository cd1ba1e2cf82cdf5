"""The WebSocket of a page that was opened by a link: what the cluster's feed has, and nothing to say back.

The token in the path is what admits; no cookie is looked at, for in a frame on another site there is none. That the
page is ours says its Origin (`security.SameOrigin`), in a frame as anywhere. Nobody who reads wakes the cluster, or
keeps it awake. A link that is taken back ends the socket, as soon as the cluster's stream says that rights changed.
"""

from typing import Any
from urllib.parse import parse_qs

from visualizer import access
from visualizer.access import Access, Action
from visualizer.consumers import ClusterConsumer
from visualizer.hosting.hub import Feed
from visualizer.sharing.language import known


class ReaderConsumer(ClusterConsumer):
    """One page at one shared run."""

    NAMED = "token"
    READS_ONLY = True

    async def connect(self) -> None:
        """See ClusterConsumer; it speaks the language that its address names."""
        asked = parse_qs(self.scope.get("query_string", b"").decode("latin1")).get("lang", [""])[0]
        self._language = known(asked) or self._language
        await super().connect()

    def _find(self) -> Access | None:
        found = access.by_link(self._id)
        return found if found is not None and found.may(Action.SEE) else None

    def _enter(self) -> Access | None:
        return self._find()

    def _cluster_fields(self, feed: Feed) -> dict[str, Any]:
        """Tell what a reader is told: not what the cluster is called where its owner is, nor what took its place."""
        return super()._cluster_fields(feed) | {"id": self._id, "successor": None, "lesson": None}
