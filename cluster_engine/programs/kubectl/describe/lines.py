"""Lines with tabs, as the describers write them; `text()` lays them out in columns.

    lines = Lines(now)
    lines.add(0, "Name:\\tweb")
    lines.labels("Labels", {"app": "web"})
    lines.text()

Modelled on kubectl/pkg/describe/describe.go (`PrefixWriter`, `printLabelsMultiline` and the rest).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from cluster_engine.api import time
from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.tabwriter import layout

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ANNOTATION_LENGTH_MAX = 140


class Lines:
    """A text in the making. `flush` ends the columns so far."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.raw: list[str] = []
        self._done: list[str] = []

    def add(self, level: int, line: str) -> None:
        """Add a line, two blanks deeper for each level."""
        self.raw.append("  " * level + line)

    def flush(self) -> None:
        """Let the columns of what follows be wider or narrower."""
        self._done.append(self._laid_out())
        self.raw = []

    def text(self) -> str:
        """Return the text."""
        return "".join([*self._done, self._laid_out()])

    def _laid_out(self) -> str:
        return layout("".join(f"{line}\n" for line in self.raw), minimum=0, padding=2) if self.raw else ""

    # -- what many describers write ------------------------------------------------------------------------------------

    def identity(self, metadata: Object) -> None:
        """Name and namespace."""
        self.add(0, f"Name:\t{metadata['name']}")
        if "namespace" in metadata:
            self.add(0, f"Namespace:\t{metadata['namespace']}")

    def labels(self, title: str, labels: Mapping[str, str] | None, indent: str = "") -> None:
        """Labels, one a line."""
        texts = [f"{key}={labels[key]}" for key in sorted(labels)] if labels else []
        self.several(title, texts, indent)

    def annotations(self, title: str, annotations: Mapping[str, str] | None, indent: str = "") -> None:
        """Annotations, without what `apply` keeps for itself."""
        texts: list[str] = []
        for key in sorted(annotations or {}):
            value = (annotations or {})[key].removesuffix("\n")
            if key == LAST_APPLIED:
                continue
            if len(key) + len(value) + 2 > ANNOTATION_LENGTH_MAX or "\n" in value:
                texts.append(f"{key}:")
                texts += [f"  {_shorten(line)}" for line in value.split("\n")]
            else:
                texts.append(f"{key}: {value}")
        self.several(title, texts, indent)

    def several(self, title: str, texts: Sequence[str], indent: str = "") -> None:
        """A title and what belongs to it, one a line, or <none>."""
        for index, text in enumerate(texts or ["<none>"]):
            self.raw.append(f"{indent}{title}:\t{text}" if index == 0 else f"\t{text}")

    def events(self, events: Sequence[Object]) -> None:
        """The events about an object."""
        if not events:
            self.add(0, "Events:\t<none>")
            return
        self.flush()
        self.add(0, "Events:")
        self.add(1, "Type\tReason\tAge\tFrom\tMessage")
        self.add(1, "----\t------\t----\t----\t-------")
        for event in sorted(events, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or ""):
            source = (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""
            message = (event.get("message") or "").strip()
            self.add(1, f"{event['type']}\t{event['reason']}\t{self._interval(event)}\t{source}\t{message}")

    def _interval(self, event: Object) -> str:
        first = self.since(event.get("eventTime") or event.get("firstTimestamp"))
        if event.get("count", 1) > 1:
            return f"{self.since(event.get('lastTimestamp'))} (x{event['count']} over {first})"
        return first

    def since(self, moment: str | None) -> str:
        """Say how long ago that was."""
        return time.age(self.now - time.parse(moment)) if moment else "<unknown>"


def date(moment: str | None) -> str:
    """Write a time as RFC 1123 does."""
    return time.parse(moment).strftime("%a, %d %b %Y %H:%M:%S +0000") if moment else "<unset>"


def controller(metadata: Object) -> str | None:
    """Name the controller that owns an object."""
    owner = next((owner for owner in metadata.get("ownerReferences") or [] if owner.get("controller")), None)
    return f"{owner['kind']}/{owner['name']}" if owner else None


def selector_text(labels: Mapping[str, str] | None) -> str:
    """Write labels in one line."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) if labels else "<none>"


def title_case(value: bool) -> str:
    """Write a truth as describers do."""
    return "True" if value else "False"


def _shorten(line: str) -> str:
    limit = ANNOTATION_LENGTH_MAX - 2
    return line if len(line) <= limit else f"{line[:limit]}..."
