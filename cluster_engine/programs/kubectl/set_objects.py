"""`kubectl set selector` and `set subject`: what a Service selects, and whom a binding names.

    set selector service web app=web,tier=front       PATCH {"spec": {"selector": {"app": "web", "tier": "front"}}}
    set subject rolebinding admin --user=ben          PATCH {"subjects": [those there are, and ben]}

Modelled on kubectl/pkg/cmd/set/set_selector.go and set_subject.go. Left out: -f, --all, -l, --local,
--resource-version.
"""

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.arguments import named
from cluster_engine.programs.kubectl.create_bindings import GROUP, service_account
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session
from cluster_engine.programs.kubectl.set_template import FLAGS, send

SELECTOR_FLAGS = FLAGS
SUBJECT_FLAGS = (
    *FLAGS,
    Flag("user", kind="strings"),
    Flag("group", kind="strings"),
    Flag("serviceaccount", kind="strings"),
)


async def selector(session: Session, arguments: list[str]) -> int:
    """Set what a Service selects."""
    pairs = [argument for argument in arguments if "=" in argument]
    words = [argument for argument in arguments if "=" not in argument]
    if len(pairs) != 1:
        raise CommandError("one selector is required")
    wanted = dict(pair.split("=", 1) for pair in pairs[0].split(",") if "=" in pair)
    for target in await named(session, words):
        path = target.resource.path(session.namespace if target.resource.namespaced else None, target.name)
        before = await session.get(path)
        if before["kind"] != "Service":
            raise CommandError("setting a selector is only supported for Services")
        gone = {key: None for key in (before.get("spec") or {}).get("selector") or {} if key not in wanted}
        await send(session, target, path, {"spec": {"selector": {**wanted, **gone}}}, "selector")
    return 0


async def subject(session: Session, arguments: list[str]) -> int:
    """Name more subjects in a binding."""
    flags = session.flags
    new: list[Object] = [{"apiGroup": GROUP, "kind": "User", "name": name} for name in flags["user"]]
    new += [{"apiGroup": GROUP, "kind": "Group", "name": name} for name in flags["group"]]
    new += [service_account(text) for text in flags["serviceaccount"]]
    if not new:
        raise CommandError("you must specify at least one value of user, group or serviceaccount")
    for target in await named(session, arguments):
        path = target.resource.path(session.namespace if target.resource.namespaced else None, target.name)
        there = (await session.get(path)).get("subjects") or []
        more = [one for one in new if one not in there]
        if more:
            await send(session, target, path, {"subjects": [*there, *more]}, "subjects")
    return 0
