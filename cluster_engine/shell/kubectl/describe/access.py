"""`kubectl describe` for roles and their bindings."""

from typing import Any

from cluster_engine.shell.kubectl.describe.lines import Lines

Obj = dict[str, Any]
Row = tuple[str, str, str, str]


def describe_role(lines: Lines, role: Obj) -> None:
    """Write a Role or ClusterRole, one line for each resource."""
    _head(lines, role["metadata"])
    lines.add(0, "PolicyRule:")
    lines.add(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs")
    lines.add(1, "---------\t-----------------\t--------------\t-----")
    rows = [row for rule in role.get("rules") or [] for row in _rows(rule)]
    for row in sorted(rows, key=lambda row: (row[3], row[0].partition(".")[2], row[0], row[1])):
        lines.add(1, "\t".join(row))


def describe_binding(lines: Lines, binding: Obj) -> None:
    """Write a RoleBinding or ClusterRoleBinding."""
    _head(lines, binding["metadata"])
    lines.add(0, "Role:")
    lines.add(1, f"Kind:\t{binding['roleRef']['kind']}")
    lines.add(1, f"Name:\t{binding['roleRef']['name']}")
    lines.add(0, "Subjects:")
    lines.add(1, "Kind\tName\tNamespace")
    lines.add(1, "----\t----\t---------")
    for subject in binding.get("subjects") or []:
        lines.add(1, f"{subject['kind']}\t{subject['name']}\t{subject.get('namespace', '')}")


def _head(lines: Lines, metadata: Obj) -> None:
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))


def _rows(rule: Obj) -> list[Row]:
    verbs, names = _go(rule.get("verbs")), _go(rule.get("resourceNames"))
    rows = [
        (f"{resource}.{group}" if group else resource, "[]", names, verbs)
        for group in rule.get("apiGroups") or []
        for resource in rule.get("resources") or []
    ]
    return rows + [("", _go([url]), names, verbs) for url in rule.get("nonResourceURLs") or []]


def _go(texts: list[str] | None) -> str:
    return f"[{' '.join(texts or [])}]"
