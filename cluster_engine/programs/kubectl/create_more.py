"""`kubectl create job`, `cronjob`, `ingress`, `quota`, `poddisruptionbudget`, `priorityclass` and `token`.

    create job once --image=busybox -- date            POST /apis/batch/v1/namespaces/default/jobs
    create token default --duration=10m                POST …/serviceaccounts/default/token

An API server that has no such kind answers 404, and that is told in kubectl's words.

Modelled on kubectl/pkg/cmd/create. Left out: `create job --from`, --bound-object-*.
"""

import re
from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.create import (
    COMMON_FLAGS,
    create,
    named,
    named_namespace,
    new_metadata,
    target_namespace,
)
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

JOB_FLAGS = (*COMMON_FLAGS, Flag("image", default=""))
CRON_JOB_FLAGS = (*JOB_FLAGS, Flag("schedule", default=""), Flag("restart", default="OnFailure"))
INGRESS_FLAGS = (
    *COMMON_FLAGS,
    Flag("rule", kind="strings"),
    Flag("class", default=""),
    Flag("default-backend", default=""),
    Flag("annotation", kind="strings"),
)
QUOTA_FLAGS = (*COMMON_FLAGS, Flag("hard", default=""), Flag("scopes", default=""))
BUDGET_FLAGS = (
    *COMMON_FLAGS,
    Flag("selector", default=""),
    Flag("min-available", default=""),
    Flag("max-unavailable", default=""),
)
PRIORITY_FLAGS = (
    *COMMON_FLAGS,
    Flag("value", kind="int", default=0),
    Flag("global-default", kind="bool"),
    Flag("description", default=""),
    Flag("preemption-policy", default="PreemptLowerPriority"),
)
TOKEN_FLAGS = (Flag("audience", kind="strings"), Flag("duration", kind="duration"), *output.FLAGS)
_RULE = re.compile(r"([^/=,]*)(/[^=,]*)?=([^:,=/]+):([^:,=/]+)(,tls(?:=[^,=]+)?)?")


async def job(session: Session, arguments: list[str]) -> int:
    """Make a Job."""
    name, command = _command(session, arguments, "job")
    if not session.flags["image"]:
        raise CommandError("either --image or --from must be specified")
    obj = {"apiVersion": "batch/v1", "kind": "Job", "metadata": new_metadata(name, named_namespace(session))}
    obj |= {"spec": {"template": _template(session, name, command, "Never")}, "status": {}}
    return await _create(session, obj, "batch/v1", "jobs", "job")


async def cron_job(session: Session, arguments: list[str]) -> int:
    """Make a CronJob."""
    name, command = _command(session, arguments, "cronjob")
    missing = [flag for flag in ("image", "schedule") if not session.flags[flag]]
    if missing:
        flags = '", "'.join(missing)
        raise CommandError(f'required flag(s) "{flags}" not set')
    template = _template(session, name, command, session.flags["restart"])
    obj = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": new_metadata(name, named_namespace(session))}
    spec = {"jobTemplate": {"metadata": new_metadata(name), "spec": {"template": template}}}
    obj |= {"spec": {**spec, "schedule": session.flags["schedule"]}, "status": {}}
    return await _create(session, obj, "batch/v1", "cronjobs", "cronjob")


def _command(session: Session, arguments: list[str], kind: str) -> tuple[str, list[str]]:
    dashes = session.flags.before_dashes
    return named(arguments[:dashes], kind), arguments[dashes:] if dashes is not None else []


def _template(session: Session, name: str, command: list[str], restart: str) -> Object:
    container: Object = {"image": session.flags["image"], "name": name, "resources": {}}
    if command:
        container["command"] = command
    return {"metadata": {"creationTimestamp": None}, "spec": {"containers": [container], "restartPolicy": restart}}


async def ingress(session: Session, arguments: list[str]) -> int:
    """Make an Ingress."""
    name, flags = named(arguments, "ingress"), session.flags
    if not flags["rule"] and not flags["default-backend"]:
        raise CommandError(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all "
            "traffic) or a list of rules (which catch specific paths)"
        )
    spec: Object = {}
    if flags["class"]:
        spec["ingressClassName"] = flags["class"]
    if flags["default-backend"]:
        service, _, port = flags["default-backend"].partition(":")
        spec["defaultBackend"] = _backend(service, port)
    rules: dict[str, list[Object]] = {}
    secure: dict[str, list[str]] = {}
    for text in flags["rule"]:
        _add_rule(text, rules, secure)
    if rules:
        spec["rules"] = [
            {**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in rules.items()
        ]
    if secure:
        secrets = [({"secretName": secret} if secret else {}, names) for secret, names in secure.items()]
        spec["tls"] = [{"hosts": names, **secret} for secret, names in secrets]
    metadata = new_metadata(name, named_namespace(session))
    if flags["annotation"]:
        metadata["annotations"] = dict(text.split("=", 1) for text in flags["annotation"] if "=" in text)
    obj = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}
    return await _create(
        session, obj | {"status": {"loadBalancer": {}}}, "networking.k8s.io/v1", "ingresses", "ingress"
    )


def _add_rule(text: str, rules: dict[str, list[Object]], secure: dict[str, list[str]]) -> None:
    found = _RULE.fullmatch(text)
    if found is None:
        raise CommandError(
            f"rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
        )  # fmt: skip
    host, path, service, port, tls = found.groups()
    path = path or "/"
    kind = "Prefix" if path.endswith("*") else "Exact"
    backend = _backend(service, port)
    rules.setdefault(host, []).append({"backend": backend, "path": path.rstrip("*"), "pathType": kind})
    if tls:
        secure.setdefault(tls.partition("=")[2], []).append(host)


def _backend(service: str, port: str) -> Object:
    number: Object = {"number": int(port)} if port.isdecimal() and len(port) < 6 else {"name": port}
    return {"service": {"name": service, "port": number}}


async def quota(session: Session, arguments: list[str]) -> int:
    """Make a ResourceQuota."""
    name, flags = named(arguments, "quota"), session.flags
    spec: Object = {}
    if flags["hard"]:
        pairs = [statement.split("=") for statement in flags["hard"].split(",")]
        wrong = next((pair for pair in pairs if len(pair) != 2), None)
        if wrong is not None:
            raise CommandError(f"Invalid argument syntax {'='.join(wrong)}, expected <resource>=<value>")
        spec["hard"] = dict(pairs)
    if flags["scopes"]:
        spec["scopes"] = flags["scopes"].split(",")
    obj = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": new_metadata(name, named_namespace(session))}
    return await _create(session, obj | {"spec": spec, "status": {}}, "v1", "resourcequotas", "quota")


async def budget(session: Session, arguments: list[str]) -> int:
    """Make a PodDisruptionBudget."""
    name, flags = named(arguments, "poddisruptionbudget"), session.flags
    if not flags["selector"]:
        raise CommandError("a selector must be specified")
    if bool(flags["min-available"]) == bool(flags["max-unavailable"]):
        problem = "min-available and max-unavailable cannot be both specified"
        raise CommandError(
            problem if flags["min-available"] else "one of min-available or max-unavailable must be specified"
        )
    limits = {"minAvailable": flags["min-available"], "maxUnavailable": flags["max-unavailable"]}
    spec: Object = {key: _int_or_text(value) for key, value in limits.items() if value}
    spec["selector"] = {"matchLabels": dict(pair.split("=", 1) for pair in flags["selector"].split(",") if "=" in pair)}
    status = dict.fromkeys(("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"), 0)
    metadata = new_metadata(name, named_namespace(session))
    obj = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }
    return await _create(session, obj, "policy/v1", "poddisruptionbudgets", "poddisruptionbudgets")


def _int_or_text(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 10 else text


async def priority_class(session: Session, arguments: list[str]) -> int:
    """Make a PriorityClass."""
    name, flags = named(arguments, "priorityclass"), session.flags
    obj: Object = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": new_metadata(name)}
    obj["value"] = flags["value"]
    if flags["global-default"]:
        obj["globalDefault"] = True
    if flags["description"]:
        obj["description"] = flags["description"]
    obj["preemptionPolicy"] = flags["preemption-policy"]
    return await _create(session, obj, "scheduling.k8s.io/v1", "priorityclasses", "priorityclass", namespaced=False)


async def _create(
    session: Session, obj: Object, version: str, plural: str, called: str, *, namespaced: bool = True
) -> int:
    group = version.rpartition("/")[0]
    where = f"/namespaces/{target_namespace(session)}" if namespaced else ""
    path = f"/{'apis' if group else 'api'}/{version}{where}/{plural}"
    kind = obj["kind"].lower() + (f".{group}" if group else "")
    return await create(session, obj, path, f"{kind}/{obj['metadata']['name']}", failed=f"failed to create {called}: ")


async def token(session: Session, arguments: list[str]) -> int:
    """Ask for a service account's token, and print it."""
    if len(arguments) != 1:
        hint = "See 'kubectl create token -h' for help and examples"
        raise CommandError(f"exactly one NAME is required, got {len(arguments)}\n{hint}")
    spec: Object = {"audiences": session.flags["audience"] or None}
    if session.flags["duration"]:
        spec["expirationSeconds"] = int(session.flags["duration"])
    path = f"/api/v1/namespaces/{session.namespace}/serviceaccounts/{arguments[0]}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    try:
        answer: Any = await session.request("POST", path, body=request)
    except Refusal as refusal:
        raise CommandError(f"failed to create token: {refusal.message}") from refusal
    show = output.printer(session, for_get=True)
    session.out(show(answer) if show else answer["status"]["token"])
    return 0
