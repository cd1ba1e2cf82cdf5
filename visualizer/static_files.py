"""Static files, answered before Django is asked.

WhiteNoise knows the files, their types, ETags and compressed copies; its Django middleware is synchronous and costs a
thread for each file under ASGI, so its answers are sent from here instead.

    /static/<this fingerprint>/js/main.js     may be kept for ever; nothing by which to ask whether it changed
    /static/<another>/js/main.js              the file of today, to be asked for again each time: a page that was opened
                                              before the server became newer still fetches what it opens first now
    /static/js/main.js                        the same; the only way while files come from the source tree
"""

import asyncio
import re
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from whitenoise.base import WhiteNoise

from visualizer.security import ASGIApplication, Scope

CHANGES = "no-cache"  # ask whether it did (304)
FINGERPRINT = re.compile(r"([0-9a-f]{16})/")
FOR_EVER = "max-age=31536000, immutable"  # any cache may keep it: nobody says `private`
VALIDATORS = frozenset({"ETag", "Last-Modified"})


def _protect(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Cache-Control"] = CHANGES


class StaticFiles:
    """ASGI middleware: GET and HEAD under STATIC_URL are files; everything else is the application's."""

    def __init__(self, application: ASGIApplication) -> None:
        self._application = application
        self._fingerprint = settings.STATIC_FINGERPRINT
        self._files = WhiteNoise(
            None,
            autorefresh=not self._fingerprint,
            allow_all_origins=False,
            add_headers_function=_protect,
            max_age=None,
        )
        for folder in [settings.STATIC_ROOT] if self._fingerprint else settings.STATICFILES_DIRS:
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
        named = FINGERPRINT.match(path, len(settings.STATIC_URL))
        if named:
            path = settings.STATIC_URL + path[named.end() :]
        file = self._files.find_file(path) if self._files.autorefresh else self._files.files.get(path)
        if file is None:
            return None
        environ = {
            "HTTP_" + name.decode("latin1").upper().replace("-", "_"): value.decode("latin1")
            for name, value in scope["headers"]
        }
        response = file.get_response(scope["method"], environ)
        kept = named is not None and named[1] == self._fingerprint
        headers = [
            (name, FOR_EVER if kept and name == "Cache-Control" else value)
            for name, value in response.headers
            if not (kept and name in VALIDATORS)
        ]
        if response.file is None:
            return int(response.status), headers, b""
        with response.file:
            return int(response.status), headers, response.file.read()
