"""`kubectl set env --from`: a variable for each key of a ConfigMap or Secret, which refers to it.

    --from=configmap/shop --prefix=SHOP_         SHOP_COLOUR, whose value is the key `colour` of that ConfigMap

Modelled on kubectl/pkg/cmd/set/set_env.go.
"""

import re

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.arguments import targets
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.session import Session

_NO_NAME = re.compile(r"[^a-zA-Z0-9_]")


async def variables(session: Session) -> list[Object]:
    """Return the variables that --from, --keys and --prefix ask for. CommandError, Refusal."""
    flags = session.flags
    target = (await targets(session, [flags["from"]]))[0]
    obj = await session.get(target.path(session))
    field = {"ConfigMap": "configMapKeyRef", "Secret": "secretKeyRef"}.get(target.resource.kind)
    if field is None:
        raise CommandError(f"unsupported resource specified in --from: {target.resource.kind}")
    keys = [key for keys in flags["keys"] for key in keys.split(",")]
    found = []
    for key in sorted(obj.get("data") or {}):
        if keys and key not in keys:
            continue
        name = flags["prefix"] + _NO_NAME.sub("_", key).upper()
        found.append({"name": name, "valueFrom": {field: {"key": key, "name": target.name}}})
    return found
