"""Which form a client wants its answer in: JSON or YAML, the object itself, a Table, or its metadata only.

    Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json    ──►  Form("json", "Table", "v1")
    Accept: application/vnd.kubernetes.protobuf,application/json             ──►  Form("json")
    Accept: application/cbor                                                 ──►  406

Modelled on apiserver/pkg/endpoints/handlers/negotiation. Answers are never protobuf (docs/fidelity.md); every client
that asks for it takes JSON as its second choice.
"""

import functools

import msgspec

from cluster_engine.api.status import NotAcceptable

TRANSFORMS = {
    "Table": ("v1", "v1beta1"),
    "PartialObjectMetadata": ("v1", "v1beta1"),
    "PartialObjectMetadataList": ("v1", "v1beta1"),
}
JSON_TYPES = ("application/json", "application/*", "*/*")
YAML_TYPES = ("application/yaml",)
READERS = ("Mozilla", "curl/", "Wget/")
"""User agents behind which a person sits: they get indented JSON."""


class Form(msgspec.Struct, frozen=True):
    """The form of an answer."""

    media: str = "json"
    transform: str = ""
    version: str = ""

    @property
    def name(self) -> str:
        """A short name, under which an event's rendering is shared."""
        return f"{self.media}/{self.transform}/{self.version}"


@functools.lru_cache(maxsize=256)
def negotiate(accept: str) -> Form:
    """Choose the first form that can be served. NotAcceptable when there is none."""
    for media, parameters in _accepted(accept):
        form = _form(media, parameters)
        if form is not None:
            return form
    raise NotAcceptable()


def _form(media: str, parameters: dict[str, str]) -> Form | None:
    kind = "json" if media in JSON_TYPES else "yaml" if media in YAML_TYPES else ""
    if not kind:
        return None
    transform = parameters.get("as", "")
    if not transform:
        return Form(kind)
    version = parameters.get("v", "")
    if parameters.get("g") == "meta.k8s.io" and version in TRANSFORMS.get(transform, ()):
        return Form(kind, transform, version)
    return None


def _accepted(accept: str) -> list[tuple[str, dict[str, str]]]:
    """Split an Accept header into media types with their parameters, best first."""
    if not accept.strip():
        return [("*/*", {})]
    clauses = []
    for text in accept.split(","):
        media, *rest = (part.strip() for part in text.split(";"))
        parameters = dict(part.split("=", 1) for part in rest if "=" in part)
        clauses.append((_quality(parameters.pop("q", "1")), media, parameters))
    clauses.sort(key=lambda clause: -clause[0])
    return [(media, parameters) for _, media, parameters in clauses]


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def wants_aggregated_discovery(accept: str) -> str:
    """Tell which version of aggregated discovery a client takes, "" for the legacy documents."""
    for media, parameters in _accepted(accept):
        if media in JSON_TYPES and parameters.get("as") == "APIGroupDiscoveryList":
            if parameters.get("g") == "apidiscovery.k8s.io" and parameters.get("v") == "v2":
                return "v2"
        elif media in JSON_TYPES:
            return ""
    return ""


def is_for_reading(user_agent: str, pretty: str | None) -> bool:
    """Return whether JSON should be indented."""
    if pretty is not None:
        return pretty not in ("0", "false", "False")
    return user_agent.startswith(READERS)
