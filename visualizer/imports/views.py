"""Captures and audit logs of other clusters, brought by whoever wants to look into them here.

    GET, POST /imports/             what somebody has brought; begin one more: {"id", "partBytes", "bytes"}
    POST /imports/<id>/parts/<n>/   the next part of its bytes, from 0 on; keys/<n>/: of its key log
    POST /imports/<id>/read/        nothing more comes
    GET /imports/<id>/              {"state", "read", "problems", "url"}
    POST /imports/<id>/forget/      delete it

A file comes in parts, since no request of ours may be longer than 1 MiB (`visualizer.connections`), and so the page can
say how far it is.
"""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from visualizer import callers, error_pages, rate_limits
from visualizer.addresses import address_of
from visualizer.database import in_database
from visualizer.hosting import web_process
from visualizer.imports import reading, selectors, services
from visualizer.imports.models import Import
from visualizer.selectors import Owner


@require_http_methods(["GET", "HEAD", "POST"])
@error_pages.json_errors
async def index(request: HttpRequest) -> HttpResponseBase:
    """What somebody has brought; POST begins one more."""
    if request.method == "POST":
        return await _begin(request)
    theirs = await in_database(selectors.imports_of)(await _owner(request))
    context = {"imports": theirs, "most": services.IMPORTS_OF_OWNER_MAX}
    return await sync_to_async(render)(request, "imports/index.html", context)


async def _begin(request: HttpRequest) -> HttpResponseBase:
    owner = await callers.owner_of(request)
    rate_limits.IMPORTS.take(owner.visitor)
    rate_limits.IMPORTS_OF_ADDRESS.take(address_of(request))
    name = str((await sync_to_async(lambda: request.POST)()).get("name", ""))
    try:
        file = await in_database(services.begin)(owner, name)
    except services.TooMany:
        words = gettext("There are as many recordings as there may be: %(most)s for each. Delete one first.")
        return JsonResponse({"message": words % {"most": services.IMPORTS_OF_OWNER_MAX}}, status=409)
    bounds = {"partBytes": services.PART_BYTES_MAX, "bytes": services.FILE_BYTES_MAX}
    return JsonResponse({"id": file.pk, **bounds}, status=201)


@require_POST
@error_pages.json_errors
async def part(request: HttpRequest, file: str, n: int) -> HttpResponseBase:
    """Take the next part of a file."""
    return await _take(request, file, n, is_key_log=False)


@require_POST
@error_pages.json_errors
async def key_part(request: HttpRequest, file: str, n: int) -> HttpResponseBase:
    """Take the next part of its key log."""
    return await _take(request, file, n, is_key_log=True)


async def _take(request: HttpRequest, file: str, n: int, *, is_key_log: bool) -> HttpResponseBase:
    row = await _find(request, file)
    data = await sync_to_async(lambda: request.body)()
    try:
        await in_database(services.take_part)(row, n, data, is_key_log=is_key_log)
    except services.OutOfTurn:
        words = gettext("This part of the file was not expected. A file may have %(most)s MiB, its key log included.")
        return JsonResponse({"message": words % {"most": services.FILE_BYTES_MAX >> 20}}, status=409)
    return JsonResponse({}, status=201)


@require_POST
@error_pages.json_errors
async def read(request: HttpRequest, file: str) -> HttpResponseBase:
    """Begin to read what has come."""
    row = await _find(request, file)
    if not await in_database(services.close)(row):
        return JsonResponse({"message": gettext("There is nothing to read in this file.")}, status=409)
    web_process.current().spawn(reading.read(row.pk), f"read {row.pk}")
    return JsonResponse({}, status=202)


@require_GET
@error_pages.json_errors
async def status(request: HttpRequest, file: str) -> HttpResponseBase:
    """How far a file is."""
    return JsonResponse(_described(await _find(request, file)))


def _described(file: Import) -> dict[str, Any]:
    url = reverse("cluster", args=[file.cluster_id]) if file.state == Import.State.READ else None
    return {"state": file.state, "read": file.read, "problems": file.not_read, "url": url}


@require_POST
@error_pages.page_errors
async def forget(request: HttpRequest, file: str) -> HttpResponseBase:
    """Delete a file of theirs, and its recording with it."""
    if not await in_database(services.forget)(await _owner(request), file):
        raise Http404(gettext("There is no such file of yours."))
    return HttpResponseRedirect(reverse("imports"), status=303)


@in_database
def _owner(request: HttpRequest) -> Owner:
    return Owner.of(request.session, request.user)


async def _find(request: HttpRequest, file: str) -> Import:
    found = await in_database(selectors.find)(await _owner(request), file)
    if found is None:
        raise Http404(gettext("There is no such file of yours."))
    return found
