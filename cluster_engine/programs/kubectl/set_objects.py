"""`kubectl set selector` and `set subject`: what a Service selects, and whom a binding names.

    set selector service web app=web,tier=front       PATCH {"spec": {"selector": {"app": "web", "tier": "front"}}}
    set subject rolebinding admin --user=ben          PATCH {"subjects": [those there are, and ben]}

Modelled on kubectl/pkg/cmd/set/set_selector.go and set_subject.go.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import parse_label
from cluster_engine.api.status import BadRequest
from cluster_engine.programs.kubectl.arguments import UNSAID, subjects
from cluster_engine.programs.kubectl.create_bindings import GROUP, service_account
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session
from cluster_engine.programs.kubectl.set_template import FLAGS, send

SELECTOR_FLAGS = (*FLAGS, Flag("resource-version", default=""))
SUBJECT_FLAGS = (
    *FLAGS,
    Flag("user", kind="strings"),
    Flag("group", kind="strings"),
    Flag("serviceaccount", kind="strings"),
)


async def selector(session: Session, arguments: list[str]) -> int:
    """Set what a Service selects."""
    if not arguments:
        raise CommandError("one selector is required")
    *words, text = arguments
    try:
        found = parse_label(text).requirements
    except BadRequest as problem:
        raise CommandError(problem.message) from problem
    others = [one for one in found if one.operator not in ("=", "==")]
    wanted = {one.key: next(iter(one.values)) for one in found if one not in others}
    failures = []
    for subject in await subjects(session, words, UNSAID):
        if subject.obj["kind"] != "Service":
            failures.append("setting a selector is only supported for Services")
            continue
        if others:
            shown = " ".join(
                f"{{{one.key} {one.operator.capitalize()} [{' '.join(sorted(one.values))}]}}" for one in others
            )
            raise CommandError(f"match expression [{shown}] not supported on this object")
        after = {**subject.obj, "spec": {**(subject.obj.get("spec") or {}), "selector": wanted}}
        if version := session.flags["resource-version"]:
            after["metadata"] = {**after["metadata"], "resourceVersion": version}
        await send(session, subject, after, "selector")
    if failures:
        raise CommandError("\nerror: ".join(failures))
    return 0


async def subject(session: Session, arguments: list[str]) -> int:
    """Name more subjects in a binding."""
    flags = session.flags
    new: list[Object] = [{"apiGroup": GROUP, "kind": "User", "name": name} for name in flags["user"]]
    new += [{"apiGroup": GROUP, "kind": "Group", "name": name} for name in flags["group"]]
    new += [service_account(text) for text in flags["serviceaccount"]]
    if not new:
        raise CommandError("you must specify at least one value of user, group or serviceaccount")
    for one in await subjects(session, arguments, UNSAID):
        if one.obj["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
            where = f"{one.target.resource.plural if one.target else one.label}/{one.obj['metadata']['name']}"
            raise CommandError(f"{where} setting subjects is only supported for RoleBinding/ClusterRoleBinding")
        there = one.obj.get("subjects") or []
        more = [each for each in new if each not in there]
        await send(session, one, {**one.obj, "subjects": [*there, *more]}, "subjects")
    return 0
