"""What an entry says in English: a short label for the arrow and a sentence that a screen reader can speak.

Pure functions of what was parsed. The subject of a sentence is always who speaks.

    request(asked, "web") -> "to create deployment web in namespace default"
    where(asked)          -> "in namespace default"
"""

from http import HTTPStatus

from cluster_engine.lens.kubernetes import Asked, is_namespaced, singular

CHANGES = {"ADDED": "was added", "MODIFIED": "was changed", "DELETED": "is gone"}
SUBRESOURCES = {
    ("create", "pods", "eviction"): "to evict pod {name}",
    ("create", "serviceaccounts", "token"): "for a token of service account {name}",
    ("get", "pods", "log"): "for the log of pod {name}",
    ("get", "pods", "exec"): "to run a command in pod {name}",
    ("create", "pods", "exec"): "to run a command in pod {name}",
}
VERBS = {
    "create": "to create {one}",
    "get": "for {one}",
    "update": "to replace {one}",
    "patch": "to change {one}",
    "delete": "to delete {one}",
}


def reference(resource: str, name: str, namespace: str) -> str:
    """Say one object: "pod web-1 in namespace default"."""
    text = f"{singular(resource)} {name}".rstrip()
    return f"{text} in namespace {namespace}" if namespace else text


def request(asked: Asked, name: str, target: str) -> str:
    """Say what a request asks, to follow "asks kube-apiserver"."""
    resource = asked.resource
    if not resource:
        return f"{asked.method} {asked.path}"
    within = f" in namespace {asked.namespace}" if asked.namespace else ""
    if asked.verb in ("list", "watch", "deletecollection"):
        return _collection(asked, within)
    known = SUBRESOURCES.get((asked.verb, resource, asked.subresource))
    if known:
        return known.format(name=name) + within
    if asked.subresource == "binding" or resource == "bindings":
        return f"to bind pod {name}{within} to node {target}".rstrip()
    one = f"{singular(resource)} {name}".rstrip()
    if asked.subresource:
        one = f"the {asked.subresource} of {one}"
    verb = VERBS.get(asked.verb)
    return (verb.format(one=one) if verb else f"to {asked.verb} {one}") + within


def request_label(asked: Asked, name: str) -> str:
    """Shorten a request to "POST deployments", "GET pods/web-1", "watch pods"."""
    if not asked.resource:
        return f"{asked.method} {asked.path.partition('?')[0]}"
    if asked.verb == "watch":
        return f"watch {asked.resource}"
    parts = [asked.resource, asked.name, asked.subresource]
    return f"{asked.method} {'/'.join(part for part in parts if part)}"


def answer(status: int, asked: Asked, name: str, problem: str) -> str:
    """Say what a response says, to follow "answers kubectl"."""
    if status >= 400:
        says_more = problem and problem != phrase(status)
        return f"{status} {phrase(status)}" + (f", {problem}" if says_more else "")
    if not asked.resource:
        return f"{status} {phrase(status)}"
    if asked.verb == "watch":
        return f"that it will tell of every change of {asked.resource} on this stream"
    if asked.verb in ("list", "deletecollection"):
        return f"{status} {phrase(status)}, the list of {asked.resource}"
    part = f"the {asked.subresource} of " if asked.subresource else ""
    return f"{status} {phrase(status)}, {part}{reference(asked.resource, name, asked.namespace)}"


def phrase(status: int) -> str:
    """Name an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _collection(asked: Asked, within: str) -> str:
    within = within or (" in all namespaces" if is_namespaced(asked) else "")
    chosen = asked.parameter("fieldSelector") or asked.parameter("labelSelector")
    these = f"{asked.resource}{within}" + (f" with {chosen}" if chosen else "")
    if asked.verb == "watch":
        since = asked.parameter("resourceVersion")
        return f"to watch {these}" + (f" from version {since} on" if since and since != "0" else "")
    return f"for the list of {these}" if asked.verb == "list" else f"to delete all {these}"
