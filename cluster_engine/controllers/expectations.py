"""Expectations: what a controller has asked for and not yet seen in its cache.

Theory of operation. A controller that has just created three pods and syncs again before the watch has told it of them
would create three more. So it notes how many creations, and which deletions, it still expects to see; until all were
seen (or five minutes have passed, something was lost), it leaves the number of replicas alone.

    expect("default/web-5d", creations=3)     satisfied? no
    created ×3 (seen by the informer)         satisfied? yes

Modelled on `pkg/controller/controller_utils.go` (UIDTrackingControllerExpectations).
"""

import asyncio

import msgspec

TIMEOUT_SECONDS = 300.0


class _Expected(msgspec.Struct):
    creations: int = 0
    deletions: dict[str, None] = msgspec.field(default_factory=dict)
    at: float = 0.0


class Expectations:
    """By controller key."""

    def __init__(self) -> None:
        self._expected: dict[str, _Expected] = {}

    def satisfied(self, key: str) -> bool:
        """Return whether everything expected was seen, or has taken too long, or nothing ever was expected."""
        expected = self._expected.get(key)
        if expected is None or (expected.creations <= 0 and not expected.deletions):
            return True
        return asyncio.get_running_loop().time() - expected.at > TIMEOUT_SECONDS

    def expect(self, key: str, *, creations: int = 0, deletions: list[str] | None = None) -> None:
        """Expect so many to appear, and these to disappear."""
        now = asyncio.get_running_loop().time()
        self._expected[key] = _Expected(creations, dict.fromkeys(deletions or ()), now)

    def expect_creations(self, key: str, count: int) -> None:
        """Expect so many to appear."""
        self.expect(key, creations=count)

    def expect_deletions(self, key: str, names: list[str]) -> None:
        """Expect these to disappear."""
        self.expect(key, deletions=names)

    def created(self, key: str) -> None:
        """See one appear (or give one up)."""
        if expected := self._expected.get(key):
            expected.creations -= 1

    def deleted(self, key: str, name: str) -> None:
        """See one disappear (or give it up)."""
        if expected := self._expected.get(key):
            expected.deletions.pop(name, None)

    def forget(self, key: str) -> None:
        """Forget a controller that is gone."""
        self._expected.pop(key, None)
