"""Everything that is written of people."""

from typing import Any

from django.contrib.auth import authenticate, login
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from visualizer.addresses import address_of
from visualizer.models import Cluster
from visualizer.people import sign_in_limits
from visualizer.people.models import Progress
from visualizer.people.notes import Note, of_state
from visualizer.people.outlines import outlines
from visualizer.people.selectors import note_of
from visualizer.selectors import Owner


def sign_in(request: HttpRequest, name: str, password: str) -> bool:
    """Sign somebody in, whose turn it is (`sign_in_limits`); False when name and password do not fit."""
    attempts = sign_in_limits.attempts(address_of(request), name)
    user = authenticate(request, username=name, password=password)
    if user is None:
        attempts.failed()
        return False
    attempts.forgive("name at address")
    welcome(request, user)
    return True


def welcome(request: HttpRequest, user: Any) -> None:
    """Begin an account's session; the visitor's clusters are the account's from now on."""
    visitor = Owner.of(request.session, None).visitor
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    if visitor:
        Cluster.objects.filter(visitor=visitor, user=None).update(user=user)


def confirm(request: HttpRequest, password: str) -> bool:
    """Whether this is the password of who is signed in, and whose turn it is (`sign_in_limits`)."""
    user = request.user
    if user.check_password(password):
        return True
    sign_in_limits.attempts(address_of(request), user.get_username()).failed()
    return False


# Progress -------------------------------------------------------------------------------------------------------------


def merge(user: Any, notes: dict[str, Note]) -> None:
    """Join what a browser has kept with what the account has."""
    with transaction.atomic():
        rows = {row.lesson: row for row in Progress.objects.select_for_update().filter(user=user)}
        for lesson, note in notes.items():
            row = rows.get(lesson)
            _keep(user, lesson, note if row is None else note_of(row).joined(note))


def note_progress(user: Any, lesson: str, state: dict[str, Any]) -> None:
    """Keep what a cluster's lesson says of itself: how far it is, and whether it is solved."""
    outline = outlines().get(lesson)
    if outline is not None:
        merge(user, {lesson: of_state(state, outline, timezone.now())})


def forget_progress(user: Any) -> None:
    """Delete all of an account's progress."""
    Progress.objects.filter(user=user).delete()


def _keep(user: Any, lesson: str, note: Note) -> None:
    values = {
        "beat": note.beat,
        "reached": note.reached,
        "hints": note.hints,
        "right": note.right,
        "answered": note.answered,
        "solved_at": note.solved_at,
        "changed_at": note.at,
    }
    Progress.objects.update_or_create(user=user, lesson=lesson, defaults=values)


# The end of an account ------------------------------------------------------------------------------------------------


def delete_account(request: HttpRequest) -> None:
    """Delete an account, what is left of its clusters, and the session (see `people.ending`)."""
    owner = Owner.of(request.session, request.user)
    user = request.user
    with transaction.atomic():
        Cluster.objects.filter(owner.owns()).delete()
        user.delete()
    request.session.flush()
