"""Accounts and progress as pages.

Passwords are hashed in threads of their own: that takes a good part of a second, and all other requests share one
thread for the database.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from asgiref.sync import sync_to_async
from channels.db import DatabaseSyncToAsync
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from visualizer import access, attempt_limits, lesson_cards, rate_limits, site_pages
from visualizer.addresses import address_of
from visualizer.database import in_database
from visualizer.hosting import web_process
from visualizer.people import services, sign_in_limits
from visualizer.people.ending import delete_account
from visualizer.people.forms import DeleteForm, NewPasswordForm, SignInForm, SignUpForm
from visualizer.people.notes import BYTES_MAX, BadDocument, read
from visualizer.people.outlines import outlines
from visualizer.people.selectors import document_of
from visualizer.rooms.clusters import reconsider
from visualizer.selectors import Owner

T = TypeVar("T")
get_or_post = require_http_methods(["GET", "HEAD", "POST"])


async def _apart(function: Callable[..., T], *arguments: Any) -> T:
    """Run what hashes a password in a thread of its own, with a connection to the database of its own."""
    return cast("T", await DatabaseSyncToAsync(function, thread_sensitive=False)(*arguments))


def _next(request: HttpRequest, otherwise: str = "progress") -> str:
    """Where they wanted to go; only ever a path of ours."""
    wanted = str(request.POST.get("next") or request.GET.get("next") or "")
    ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if ours else reverse(otherwise)


async def _page(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    return await sync_to_async(render)(request, f"people/{template}.html", context, status=status)


def _see_other(path: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(path, status=303)


class TooManyAccounts(Exception):  # noqa: N818
    """From this address as many accounts were opened as may be for a while."""


# In and out -----------------------------------------------------------------------------------------------------------


@get_or_post
async def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign in, and go on to where they wanted to."""
    form = SignInForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            await _turn(request, form.cleaned_data["name"])
            if await _apart(services.sign_in, request, form.cleaned_data["name"], form.cleaned_data["password"]):
                return _see_other(_next(request))
            form.add_error(None, gettext("Name and password do not fit together."))
        except rate_limits.TooOften as problem:
            form.add_error(None, _wait(problem.seconds))
    return await _page(request, "sign_in", _status(form), form=form, next=_next(request))


@get_or_post
async def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Open an account, and be signed in."""
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        try:
            if await _apart(_opened, request, form):
                return _see_other(_next(request))
        except TooManyAccounts:
            form.add_error(None, gettext("Many accounts were opened from here just now. Please try again later."))
    return await _page(request, "sign_up", _status(form), form=form, next=_next(request))


def _opened(request: HttpRequest, form: SignUpForm) -> bool:
    if not form.is_valid():
        return False
    most, seconds = sign_in_limits.OPENED_MAX, sign_in_limits.OPENED_SECONDS
    if not attempt_limits.take("opened", address_of(request), most, seconds):
        raise TooManyAccounts
    services.welcome(request, form.save())
    return True


@require_POST
async def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session; pages that are open on it hear of that."""
    clusters = await in_database(_seen)(request)
    await in_database(logout)(request)
    await reconsider(web_process.current(), clusters)
    return _see_other(_next(request, "home"))


def _seen(request: HttpRequest) -> list[str]:
    return access.seen_by(Owner.of(request.session, request.user))


async def _turn(request: HttpRequest, name: str) -> None:
    """Wait until a password of this name may be tried from there. Raise `TooOften`."""
    await rate_limits.sleep(await in_database(sign_in_limits.attempts(address_of(request), name).wait)())


def _wait(seconds: int) -> str:
    return gettext("That was tried too often. Please try again in %(seconds)s seconds.") % {"seconds": seconds}


def _status(form: Any) -> int:
    return 400 if form.is_bound and form.errors else 200


# The account ----------------------------------------------------------------------------------------------------------


@require_safe
@login_required
async def account(request: HttpRequest) -> HttpResponseBase:
    """What there is to do with an account."""
    notice = gettext("The password is changed.") if "changed" in request.GET else ""
    return await _page(request, "account", notice=notice)


@get_or_post
@login_required
async def password(request: HttpRequest) -> HttpResponseBase:
    """Change the password; this session stays, all others end."""
    user: Any = request.user
    form = await in_database(NewPasswordForm)(user, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        try:
            await _turn(request, (await request.auser()).get_username())
            if await _apart(_changed, request, form):
                await reconsider(web_process.current(), await in_database(_seen)(request))
                return _see_other(reverse("account") + "?changed")
        except rate_limits.TooOften as problem:
            form.add_error(None, _wait(problem.seconds))
    return await _page(request, "password", _status(form), form=form)


def _changed(request: HttpRequest, form: NewPasswordForm) -> bool:
    address, name = address_of(request), form.user.get_username()
    if not form.is_valid():
        if "old_password" in form.errors:
            sign_in_limits.attempts(address, name).failed()
        return False
    update_session_auth_hash(request, form.save())
    return True


@get_or_post
@login_required
async def delete(request: HttpRequest) -> HttpResponseBase:
    """Delete the account with everything that is theirs, after one more look at the password."""
    form = DeleteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            await _turn(request, (await request.auser()).get_username())
            if await _apart(services.confirm, request, form.cleaned_data["password"]):
                await delete_account(web_process.current(), request)
                return _see_other(reverse("home") + "?deleted")
            form.add_error("password", gettext("This is not the password."))
        except rate_limits.TooOften as problem:
            form.add_error(None, _wait(problem.seconds))
    return await _page(request, "delete", _status(form), form=form)


# Progress -------------------------------------------------------------------------------------------------------------


@get_or_post
async def progress(request: HttpRequest) -> HttpResponseBase:
    """Show what is done; take in what a browser has kept."""
    return await (_merge(request) if request.method == "POST" else _show(request))


async def _show(request: HttpRequest) -> HttpResponse:
    shelves = lesson_cards.shelves(await site_pages.notes(request))
    notice = gettext("The progress is deleted.") if "deleted" in request.GET else ""
    return await _page(request, "progress", shelves=shelves, way=lesson_cards.way(shelves), notice=notice)


async def _merge(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    if not user.is_authenticated:
        return JsonResponse({"message": gettext("Progress is kept here only for who has an account.")}, status=403)
    if int(request.META.get("CONTENT_LENGTH") or 0) > BYTES_MAX:
        return _no_progress(413)
    try:
        notes = read(request.body, outlines(), timezone.now())
    except BadDocument:
        return _no_progress(400)
    await in_database(services.merge)(user, notes)
    return JsonResponse({"progress": await in_database(document_of)(user)})


def _no_progress(status: int) -> JsonResponse:
    return JsonResponse(
        {"message": gettext("This is no progress that could be read, or too much of it.")}, status=status
    )


@require_safe
@login_required
async def export(request: HttpRequest) -> HttpResponseBase:
    """An account's progress as a file."""
    document = await in_database(document_of)(request.user)
    response = JsonResponse(document, json_dumps_params={"indent": 2})
    response.headers["Content-Disposition"] = 'attachment; filename="glassplane-progress.json"'
    return response


@require_POST
@login_required
async def forget(request: HttpRequest) -> HttpResponseBase:
    """Delete an account's progress."""
    await in_database(services.forget_progress)(request.user)
    return _see_other(reverse("progress") + "?deleted")
