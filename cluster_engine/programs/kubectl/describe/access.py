"""`kubectl describe` for roles and their bindings."""

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.describe.lines import Lines

Row = tuple[str, str, str, str]


def describe_role(lines: Lines, role: Object) -> None:
    """Write a Role or ClusterRole, one line for each resource."""
    _head(lines, role["metadata"])
    lines.add(0, "PolicyRule:")
    lines.add(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs")
    lines.add(1, "---------\t-----------------\t--------------\t-----")
    for row in rule_rows(role.get("rules") or []):
        lines.add(1, row)


def describe_binding(lines: Lines, binding: Object) -> None:
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


def _head(lines: Lines, metadata: Object) -> None:
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))


def rule_rows(rules: list[Object]) -> list[str]:
    """Write rules, one row for each resource and each path, in the order in which Go prints them sorted."""
    rows = [row for rule in rules for row in _rows(rule)]
    return ["\t".join(row) for _, row in sorted(rows)]


def _rows(rule: Object) -> list[tuple[Row, Row]]:
    """Return each row with what it is sorted by: verbs, group, resource, path."""
    verbs, names = _go(rule.get("verbs")), _go(rule.get("resourceNames"))
    rows = [
        ((verbs, f"[{group}]", f"[{resource}]", ""), (f"{resource}.{group}" if group else resource, "[]", names, verbs))
        for group in rule.get("apiGroups") or []
        for resource in rule.get("resources") or []
    ]
    paths = [_go([url]) for url in rule.get("nonResourceURLs") or []]
    return rows + [((verbs, "[]", "[]", path), ("", path, names, verbs)) for path in paths]


def _go(texts: list[str] | None) -> str:
    return f"[{' '.join(texts or [])}]"
