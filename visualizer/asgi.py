"""The ASGI application: static files, Django for HTTP, Channels for WebSockets."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "visualizer.settings")
django_application = get_asgi_application()  # before anything that imports models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.urls import Resolver404  # noqa: E402

from visualizer.hosting import web_process  # noqa: E402
from visualizer.security import SameOrigin, Scope  # noqa: E402
from visualizer.static_files import StaticFiles  # noqa: E402
from visualizer.urls import websocket_urlpatterns  # noqa: E402

_routes = URLRouter(websocket_urlpatterns)


async def _websocket(scope: Scope, receive: Any, send: Any) -> None:
    try:
        await _routes(scope, receive, send)
    except (Resolver404, ValueError) as problem:
        if not isinstance(problem, Resolver404) and "No route found" not in str(problem):
            raise
        await WebsocketDenier()(scope, receive, send)


async def _lifespan(scope: Scope, receive: Any, send: Any) -> None:
    """Start and stop the hosting side with servers that speak the lifespan protocol (Daphne does not)."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            web_process.current()
            await send({"type": "lifespan.startup.complete"})
        else:
            await web_process.current().stop()
            web_process.use(None)
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter(
    {
        "http": StaticFiles(django_application),
        "websocket": SameOrigin(_websocket),
        "lifespan": _lifespan,
    }
)
