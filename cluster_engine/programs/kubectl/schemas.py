"""The server's OpenAPI documents, as `create -f`, `apply` and `explain` fetch them.

The index `/openapi/v3` names a document for each group version with a hash; the document is fetched by that hash and
may be kept for ever, so the file of its name under ~/.kube/cache says that this one is known already.
"""

import contextlib
from typing import Any

import msgspec

from cluster_engine.programs.invocation import HOME
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.session import JSON, Session

ANY = "application/json, */*"


async def download(session: Session, resource: Resource) -> dict[str, Any]:
    """Return the OpenAPI v3 document of a resource's group version."""
    if session.flags.values.get("validate") in ("false", "ignore"):
        return {}
    known: dict[str, Any] = session.cache.setdefault("openapi", {})
    if "index" not in known:
        known["index"] = await session.get("/openapi/v3", {"timeout": "32s"}, accept=ANY)
    key = f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
    if key not in known:
        known[key] = await _document(session, known["index"]["paths"][key]["serverRelativeURL"])
    document: dict[str, Any] = known[key]
    return document


async def _document(session: Session, url: str) -> Any:
    path, _, query = url.partition("?")
    file = f"{HOME}/.kube/cache/http/{query.replace('=', '-')}"
    files = session.process.files
    if files.exists(file):
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # somebody wrote into it
            return msgspec.json.decode(files.read(file))
    parameters = dict(pair.split("=", 1) for pair in query.split("&") if pair)
    raw = await session.raw("GET", path, params={**parameters, "timeout": "32s"}, accept=JSON)
    files.write(file, raw)
    return msgspec.json.decode(raw)
