"""Stories on a whole control plane."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from control_plane import ControlPlane


@pytest.fixture
def cluster(run: Any) -> Callable[..., Any]:
    """Run `story(cluster)` on a control plane with so many stub nodes."""

    def tell(story: Callable[[ControlPlane], Awaitable[Any]], *, nodes: int = 2) -> Any:
        async def whole(world: Any) -> Any:
            plane = ControlPlane(world)
            await plane.start(nodes=nodes, programs=("kube-controller-manager", "kube-scheduler"))
            return await story(plane)

        return run(whole)

    return tell
