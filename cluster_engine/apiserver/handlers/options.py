"""The query parameters of lists and watches, and of writes, checked.

Modelled on apimachinery/pkg/apis/meta/{internalversion,v1}/validation and wire rules seen on a 1.32 server:

    resourceVersion  match          meaning
    unset                           the newest state
    "0"                             any state; from the cache, whole
    N                               not older than N
    N                Exact          the state at N, or 410
"""

import base64
from collections.abc import Iterator, Mapping

import msgspec

from cluster_engine.api import causes
from cluster_engine.api.documents import read_json
from cluster_engine.api.patches import APPLY_PATCHES
from cluster_engine.api.resource import Resource
from cluster_engine.api.schema import Kind
from cluster_engine.api.selectors import FieldSelector, LabelSelector, parse_field, parse_label
from cluster_engine.api.status import BadRequest, Cause, Invalid, Refusal
from cluster_engine.api.strconv import parse_int
from cluster_engine.apiserver.registry.managed_fields import MANAGER_BYTES_MAX
from cluster_engine.apiserver.request_info import is_true
from cluster_engine.apiserver.storage import prefix_of, version_number
from cluster_engine.apiserver.watchers import Selection

TOKEN_VERSION = "meta.k8s.io/v1"
DRY_RUN = "All"
VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_OPTIONS = {
    verb: Resource(group="meta.k8s.io", version="", name=name, plural="", singular="", namespaced=False)
    for verb, name in (
        ("create", "CreateOptions"),
        ("update", "UpdateOptions"),
        ("patch", "PatchOptions"),
        ("delete", "DeleteOptions"),
        ("deletecollection", "DeleteOptions"),
    )
}
INCONSISTENT = -1
"""The version in a token that says "go on, from whatever is newest"."""


class ListOptions(msgspec.Struct, frozen=True):
    """What a list or watch asks for."""

    labels: LabelSelector
    fields: FieldSelector
    version: str
    match: str
    limit: int
    token: str
    bookmarks: bool
    initial_events: bool | None
    timeout_seconds: int

    def selection(self, kind: Kind, namespace: str) -> Selection:
        """Return the selection of the objects that are asked for."""
        return Selection(prefix_of(kind, namespace if kind.namespaced else ""), self.labels, self.fields)


def list_options(kind: Kind, parameters: Mapping[str, str], *, watch: bool) -> ListOptions:
    """Read and check the parameters. 400, 422, or 500 for a version that is not a number."""
    initial = parameters.get("sendInitialEvents")
    options = ListOptions(
        labels=parse_label(parameters.get("labelSelector")),
        fields=parse_field(kind, parameters.get("fieldSelector")),
        version=parameters.get("resourceVersion", ""),
        match=parameters.get("resourceVersionMatch", ""),
        limit=_number(parameters, "limit"),
        token=parameters.get("continue", ""),
        bookmarks=is_true(parameters.get("allowWatchBookmarks")),
        initial_events=None if initial is None else is_true(initial),
        timeout_seconds=_number(parameters, "timeoutSeconds"),
    )
    problem = _watch_problem(options) if watch else _list_problem(options)
    if problem is not None:
        raise _invalid(problem)
    if options.version:
        version_number(options.version)
    return options


def _number(parameters: Mapping[str, str], name: str) -> int:
    text = parameters.get(name, "")
    if not text:
        return 0
    try:
        return parse_int(text)
    except ValueError as problem:
        raise BadRequest(str(problem)) from None


def _list_problem(options: ListOptions) -> Cause | None:
    if options.initial_events is not None:
        return _forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
    if not options.match:
        return None
    if not options.version:
        return _forbidden(
            "resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"
        )
    if options.token:
        return _forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")
    if options.match not in ("Exact", "NotOlderThan"):
        return _unsupported(options.match, '"Exact", "NotOlderThan", ""')
    if options.match == "Exact" and options.version == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        return _forbidden("resourceVersionMatch", why)
    return None


def _watch_problem(options: ListOptions) -> Cause | None:
    if options.initial_events is None:
        if options.match:
            why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            return _forbidden("resourceVersionMatch", why)
        return None
    if not options.match:
        return _forbidden(
            "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        )
    if options.match != "NotOlderThan":
        return _unsupported(options.match, '"NotOlderThan"')
    return None


def _forbidden(field: str, why: str) -> Cause:
    return Cause(field, "FieldValueForbidden", f"Forbidden: {why}")


def _unsupported(value: str, supported: str) -> Cause:
    text = f'Unsupported value: "{value}": supported values: {supported}'
    return Cause("resourceVersionMatch", "FieldValueNotSupported", text)


def _invalid(cause: Cause) -> Refusal:
    details = {"group": "meta.k8s.io", "kind": "ListOptions", "causes": [cause.to_dict()]}
    message = f'ListOptions.meta.k8s.io "" is invalid: {cause}'
    return Refusal(message, code=422, reason="Invalid", details=details)


def check_write(verb: str, parameters: Mapping[str, str], media: str) -> None:
    """Refuse (422) parameters of a write that may not be; `media` is its body's type."""
    if verb in _OPTIONS and (problems := list(_write_problems(verb, parameters, media))):
        raise Invalid(_OPTIONS[verb], "", problems)


def _write_problems(verb: str, parameters: Mapping[str, str], media: str) -> Iterator[Cause]:
    manager = parameters.get("fieldManager", "")
    if verb == "patch":
        if media not in APPLY_PATCHES and "force" in parameters:
            yield causes.forbidden("force", "may not be specified for non-apply patch")
        if media in APPLY_PATCHES and not manager:
            yield causes.required("fieldManager", "is required for apply patch")
    if len(manager.encode()) > MANAGER_BYTES_MAX:
        yield causes.too_long("fieldManager", MANAGER_BYTES_MAX)
    for position, each in enumerate(manager):
        if not each.isprintable():
            why = f"invalid character U+{ord(each):04X} (at position {len(manager[:position].encode())})"
            yield causes.invalid("fieldManager", manager, why)
    if (dry_run := parameters.get("dryRun", "")) not in ("", DRY_RUN):
        yield causes.not_supported("dryRun", [dry_run], [DRY_RUN])
    if (mode := parameters.get("fieldValidation", "")) not in VALIDATIONS:
        yield causes.not_supported("fieldValidation", mode, VALIDATIONS)


def encode_continue(revision: int, start: str) -> str:
    """Write the token with which the next page is asked for; `start` is relative to the list's prefix."""
    token = msgspec.json.encode({"v": TOKEN_VERSION, "rv": revision, "start": start})
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def decode_continue(token: str, version: str) -> tuple[int, str]:
    """Read a token: (revision, start). 400 for garbage, as apiserver/pkg/storage/continue.go words it."""
    if version not in ("", "0"):
        raise BadRequest("specifying resource version is not allowed when using continue")
    try:
        read = read_json(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError as error:
        raise _bad_token(f": {error}") from error
    if not isinstance(read, dict) or type(read.get("rv", 0)) is not int or not isinstance(read.get("start", ""), str):
        raise _bad_token(": json: cannot unmarshal into Go value of type storage.continueToken")
    if read.get("v") != TOKEN_VERSION:
        raise _bad_token(": server does not recognize this encoded version")
    revision, start = read.get("rv", 0), read.get("start", "")
    if revision == 0:
        raise _bad_token(f": incorrect encoded start resourceVersion (version {TOKEN_VERSION})")
    if not start:
        raise _bad_token(f": encoded start key empty (version {TOKEN_VERSION})")
    if start.startswith("/") or ".." in start.split("/"):
        raise _bad_token(f": {start}")
    return revision, start


def _bad_token(why: str) -> BadRequest:
    return BadRequest(f"invalid continue token: continue key is not valid{why}")
