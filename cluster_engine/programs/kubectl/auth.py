"""`kubectl auth can-i` and `whoami`: questions about oneself, asked by creating a review that is never stored.

    can-i create pods     GET /api/v1, POST …/selfsubjectaccessreviews      yes (0) or no (1)
    whoami                POST …/selfsubjectreviews

Modelled on kubectl/pkg/cmd/auth. Left out: reconcile.
"""

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import discovery, output
from cluster_engine.programs.kubectl.describe.access import rule_rows
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session
from cluster_engine.programs.kubectl.tabwriter import layout

CAN_I_FLAGS = (
    Flag("all-namespaces", "A", "bool"),
    Flag("quiet", "q", "bool"),
    Flag("subresource", default=""),
    Flag("list", kind="bool"),
    Flag("no-headers", kind="bool"),
)
WHOAMI_FLAGS = output.FLAGS
VERBS = frozenset(("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")) | frozenset(
    ("use", "bind", "impersonate", "*", "approve", "sign", "escalate", "attest")
)
NON_RESOURCE_VERBS = frozenset(("get", "put", "post", "head", "options", "delete", "patch", "*"))
USAGE = """you must specify two arguments: verb resource or verb resource/resourceName.
See 'kubectl auth can-i -h' for help and examples."""


async def can_i(session: Session, arguments: list[str]) -> int:
    """Ask whether one may."""
    if session.flags["list"]:
        return await _list(session)
    if len(arguments) not in (2, 3):
        raise CommandError(USAGE)
    verb, what = arguments[0], arguments[1]
    known = NON_RESOURCE_VERBS if what.startswith("/") else VERBS
    if verb not in known:
        session.err(f"Warning: verb '{verb}' is not a known verb\n\n")
    spec: Object = (
        {"nonResourceAttributes": {"path": what, "verb": verb}}
        if what.startswith("/")
        else {"resourceAttributes": await _attributes(session, verb, what, arguments[2:])}
    )
    review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": spec}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    status = (await session.request("POST", path, body=review))["status"]
    answer = "yes" if status.get("allowed") else "no"
    if status.get("reason") and not status.get("allowed"):
        answer += f" - {status['reason']}"
    if not session.flags["quiet"]:
        session.out(f"{answer}\n")
    return 0 if status.get("allowed") else 1


async def _attributes(session: Session, verb: str, what: str, names: list[str]) -> Object:
    name, _, object_name = what.partition("/")
    resource: discovery.Resource | None = None
    await session.get("/api/v1", {"timeout": "32s"}, accept="application/json, */*")
    if name != "*":
        try:
            resource = await discovery.find(session, name)
        except CommandError:
            session.err(f"Warning: the server doesn't have a resource type '{name}'\n\n")
    if resource is not None and not resource.namespaced:
        session.err(
            f"Warning: resource '{resource.plural}' is not namespace scoped"
            + (f" in group '{resource.group}'\n\n" if resource.group else "\n\n")
        )
    attributes: Object = {
        "group": resource.group if resource else "*" if name == "*" else "",
        "name": object_name or (names[0] if names else ""),
        "namespace": "" if session.flags["all-namespaces"] else session.namespace,
        "resource": resource.plural if resource else name,
        "subresource": session.flags["subresource"],
        "verb": verb,
    }
    return {key: value for key, value in attributes.items() if value}


async def _list(session: Session) -> int:
    review = {
        "kind": "SelfSubjectRulesReview",
        "apiVersion": "authorization.k8s.io/v1",
        "spec": {"namespace": session.namespace},
    }
    answer = await session.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body=review)
    status = answer["status"]
    rows = rule_rows([*(status.get("resourceRules") or []), *(status.get("nonResourceRules") or [])])
    header = [] if session.flags["no-headers"] else ["Resources\tNon-Resource URLs\tResource Names\tVerbs"]
    session.out(layout("".join(f"{row}\n" for row in [*header, *rows]), minimum=6, padding=3))
    return 0


def _go(texts: list[str] | None) -> str:
    return f"[{' '.join(texts or [])}]"


async def whoami(session: Session, _: list[str]) -> int:
    """Ask who one is."""
    review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
    answer = await session.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=review)
    show = output.printer(session, for_get=True)
    if show is not None:
        session.out(show(answer))
        return 0
    user = answer["status"]["userInfo"]
    rows = ["ATTRIBUTE\tVALUE"]
    if user.get("username"):
        rows.append(f"Username\t{user['username']}")
    if user.get("uid"):
        rows.append(f"UID\t{user['uid']}")
    if user.get("groups"):
        rows.append(f"Groups\t{_go(user['groups'])}")
    rows += [f"Extra: {key}\t{_go(user['extra'][key])}" for key in sorted(user.get("extra") or {})]
    session.out(layout("".join(f"{row}\n" for row in rows), minimum=6, padding=3))
    return 0
