"""Who asks, for which cluster, and what a form or an address says: what every view reads first."""

from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext

from visualizer import access, rate_limits, services
from visualizer.access import Access, Action
from visualizer.addresses import address_of
from visualizer.database import in_database
from visualizer.error_pages import BadForm, NotYours
from visualizer.reasons import NOT_YOURS
from visualizer.selectors import Owner


@in_database
def owner_of(request: HttpRequest) -> Owner:
    """Who asks; a new visitor is made somebody. Raise `TooOften` when too many new ones come from their address."""
    if not Owner.of(request.session, request.user).visitor:
        rate_limits.VISITORS.take(address_of(request))
    return services.owner_of(request.session, request.user)


@in_database
def _find(request: HttpRequest, cluster: str) -> Access | None:
    return access.find(Owner.of(request.session, request.user), cluster)


async def allowed(request: HttpRequest, cluster: str, action: Action) -> Access:
    """The cluster, if they may do this with it; one that they may not see is not told from none."""
    found = await _find(request, cluster)
    if found is None or not found.may(Action.SEE):
        raise Http404(gettext("There is no such cluster, or it is not yours."))
    if not found.may(action):
        raise NotYours(gettext(NOT_YOURS[action]))
    return found


def number_in(form: Any, name: str, default: int, least: int, most: int) -> int:
    """Read a whole number that somebody may have given. Raise `BadForm`."""
    text = form.get(name, "")
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        bounds = {"name": name, "least": least, "most": most}
        raise BadForm(gettext("%(name)s must be a whole number from %(least)s to %(most)s.") % bounds)
    return number
