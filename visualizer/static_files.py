"""Static files, answered before Django is asked.

WhiteNoise knows the files, their types, ETags and compressed copies; its Django middleware is synchronous and costs a
thread for each file under ASGI, so its answers are sent from here instead.
"""

import asyncio
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from whitenoise.base import WhiteNoise

from visualizer.security import ASGIApplication, Scope


def _protect(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Cache-Control"] = "no-cache"  # names do not change with the content: ask whether it did (304)


class StaticFiles:
    """ASGI middleware: GET and HEAD under STATIC_URL are files; everything else is the application's."""

    def __init__(self, application: ASGIApplication) -> None:
        self._application = application
        collected = settings.STATIC_COLLECTED
        self._files = WhiteNoise(
            None, autorefresh=not collected, allow_all_origins=False, add_headers_function=_protect, max_age=None
        )
        for folder in [settings.STATIC_ROOT] if collected else settings.STATICFILES_DIRS:
            self._files.add_files(str(folder), prefix=settings.STATIC_URL)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer a file or pass on."""
        if scope["type"] != "http" or not scope["path"].startswith(settings.STATIC_URL):
            await self._application(scope, receive, send)
            return
        found = await asyncio.to_thread(self._read, scope)
        if found is None:
            await self._application(scope, receive, send)  # its 404 is a page
            return
        status, headers, body = found
        raw = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    def _read(self, scope: Scope) -> tuple[int, list[tuple[str, str]], bytes] | None:
        path = scope["path"]
        file = self._files.find_file(path) if self._files.autorefresh else self._files.files.get(path)
        if file is None:
            return None
        environ = {
            "HTTP_" + name.decode("latin1").upper().replace("-", "_"): value.decode("latin1")
            for name, value in scope["headers"]
        }
        response = file.get_response(scope["method"], environ)
        if response.file is None:
            return int(response.status), list(response.headers), b""
        with response.file:
            return int(response.status), list(response.headers), response.file.read()
