"""What cannot be, said in words: as a page, or as JSON to who wants that.

    page_errors, json_errors     around a view: what it refuses becomes its answer
    known_host, body_too_large, method_not_allowed, TooOftenInWords     around all of them (middleware)
    bad_request, forbidden, csrf_failure, not_found, server_error       where Django itself gives up

`error.html`, `404.html` and `500.html` are given `status` and `message`, which is in the reader's language.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.utils.decorators import async_only_middleware
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from visualizer import branches, hosts, rate_limits, refusals, services
from visualizer.database import keeping_no_connection
from visualizer.hosting.clusters import NotRunning
from visualizer.hosting.refused import Missing, Refused

logger = logging.getLogger(__name__)

TOO_LARGE = "glassplane.body_too_large"  # in a scope's extensions; visualizer.connections writes it
HOST_SHOWN_MAX = 100
SHOWS_ONLY = _("This address only shows something; nothing can be sent to it.")
DOES_ONLY = _("There is nothing to see at this address: it belongs to a button on another page.")

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


class BadForm(ValueError):  # noqa: N818
    """A number that was asked for is not one, or out of bounds; or there is no such lesson."""


class NotYours(Exception):  # noqa: N818
    """They may see the cluster, and not do this with it."""


def page_errors(view: View) -> View:
    """Say what cannot be as a page, or as JSON to who wants that."""

    @wraps(view)
    async def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return await view(request, *args, **kwargs)
        except BadForm as problem:
            return await _refused(request, 400, str(problem))
        except NotYours as refusal:
            return await _refused(request, 403, str(refusal))
        except branches.CannotBranch as refusal:
            return await _refused(request, 409, str(refusal))
        except services.TooManyClusters:
            return await _refused(request, 429, gettext("You have as many clusters running as one may have at a time."))
        except Refused as refusal:
            return await _refused(request, 503, refusals.said(str(refusal)))

    return answered


def json_errors(view: View) -> View:
    """Say errors of an interface for programs as JSON."""

    @wraps(view)
    async def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return await view(request, *args, **kwargs)
        except (Http404, Missing) as problem:
            return JsonResponse({"message": refusals.said(str(problem))}, status=404)
        except BadForm as problem:
            return JsonResponse({"message": str(problem)}, status=400)
        except NotYours as refusal:
            return JsonResponse({"message": str(refusal)}, status=403)
        except NotRunning as refusal:
            return JsonResponse({"message": refusals.said(str(refusal))}, status=410)
        except Refused as refusal:
            return JsonResponse({"message": refusals.said(str(refusal))}, status=503)

    return answered


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks, and no browser that shows the answer."""
    return request.accepts("application/json") and not request.accepts("text/html")


@keeping_no_connection  # the page's bar asks who is signed in
def _error(request: HttpRequest, status: int, message: str, template: str = "error.html") -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"message": message}, status=status)
    return render(request, template, {"status": status, "message": message}, status=status)


_refused = sync_to_async(_error)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return _error(request, 400, gettext("This request was not understood."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _error(request, 403, gettext("You may not do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form did not come from our page, or its cookie is gone."""
    return _error(request, 403, gettext("This form has expired. Please go back, reload the page and try again."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _error(request, 404, gettext("There is no such page."), "404.html")


@async_only_middleware
def known_host(get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> View:
    """Middleware: 400 in words, for a Host that is not this server's (visualizer.hosts)."""

    async def answered(request: HttpRequest) -> HttpResponseBase:
        host = request.headers.get("host")
        if host is not None and not hosts.is_ours(host):
            words = gettext("This server is not called %(host)s. Whoever runs it can add the name to ALLOWED_HOSTS.")
            return await _refused(request, 400, words % {"host": host[:HOST_SHOWN_MAX]})
        return await get_response(request)

    return answered


class TooOftenInWords(MiddlewareMixin):
    """Middleware: 429 in words, wherever a view has been asked too often."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer `TooOften`; everything else is not ours."""
        if not isinstance(exception, rate_limits.TooOften):
            return None
        words = gettext("Very much was asked for from where you are just now. Please try again in %(seconds)s seconds.")
        response = _error(request, 429, words % {"seconds": exception.seconds})
        response.headers["Retry-After"] = str(exception.seconds)
        return response


@async_only_middleware
def body_too_large(get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> View:
    """Middleware: 413 in words, for a request whose body the server has not taken (visualizer.connections)."""

    async def answered(request: HttpRequest) -> HttpResponseBase:
        if TOO_LARGE in getattr(request, "scope", {}).get("extensions", {}):
            return await _refused(request, 413, gettext("This is more than can be sent here: at most 1 MiB."))
        return await get_response(request)

    return answered


@async_only_middleware
def method_not_allowed(get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> View:
    """Middleware: 405 in words, where Django's decorators give an empty one (a form's address typed as a page's)."""

    async def answered(request: HttpRequest) -> HttpResponseBase:
        response = await get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            shows = "GET" in response.headers["Allow"]
            page = await _refused(request, 405, gettext(SHOWS_ONLY if shows else DOES_ONLY))
            page.headers["Allow"] = response.headers["Allow"]
            return page
        return response

    return answered


def server_error(request: HttpRequest) -> HttpResponse:
    """500: says nothing of what went wrong; the log does."""
    try:
        return _error(request, 500, gettext("This broke inside Glassplane; that is our mistake."), "500.html")
    except Exception:
        logger.exception("even the page that says so broke")
        return HttpResponse(
            gettext("This broke inside Glassplane; that is our mistake."), status=500, content_type="text/plain"
        )
