"""Rules for volumes, from `pkg/apis/core/validation/validation.go`."""

from cluster_engine.api.causes import child, forbidden, invalid, required
from cluster_engine.api.names import dns_label_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause


def volume(obj: Object, path: str, causes: list[Cause]) -> None:
    """A good name and exactly one source."""
    if obj["name"]:
        causes += [invalid(child(path, "name"), obj["name"], each) for each in dns_label_problems(obj["name"])]
    sources = [each for each in obj if each not in ("name", "image")]  # the gate ImageVolume is off in 1.32
    if not sources:
        causes.append(required(path, "must specify a volume type"))
    causes += [forbidden(child(path, each), "may not specify more than 1 volume type") for each in sources[1:]]
    where = (obj.get("hostPath") or {}).get("path", "")
    if ".." in where.split("/"):
        causes.append(invalid(child(path, "hostPath.path"), where, "must not contain '..'"))
    secret = obj.get("secret")
    if secret is not None and not secret.get("secretName"):
        causes.append(required(child(path, "secret.secretName")))
    config_map = obj.get("configMap")
    if config_map is not None and not config_map.get("name"):
        causes.append(required(child(path, "configMap.name")))
