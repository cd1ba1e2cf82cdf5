"""Whether a jq filter names only what there is, before it is run.

$x | foo        foo/0 is not defined
"""

from typing import Any

from cluster_engine.programs.jq.scope import Scope
from cluster_engine.programs.jq.syntax import Node, SyntaxFailure


def check(node: Any, scope: Scope, known: frozenset[str] = frozenset()) -> None:
    """Raise SyntaxFailure where a function or a variable is not defined."""
    if isinstance(node, tuple | list):
        for part in node:
            check(part, scope, known)
        return
    if not isinstance(node, Node):
        return
    match node.kind:
        case "define":
            (definition, rest) = node.parts
            name, parameters, body = definition.parts
            known |= {f"{name}/{len(parameters)}"}
            inner = known | {f"{one.removeprefix('$')}/0" for one in parameters} | set(parameters)
            check(body, scope, inner)
            check(rest, scope, known)
        case "call":
            name = f"{node.parts[0]}/{len(node.parts[1])}"
            special = name in scope.run.special or name in scope.run.natives
            if not special and name not in known and scope.function(name) is None:
                raise SyntaxFailure(f"{name} is not defined at <top-level>, line 1:")
            check(node.parts[1], scope, known)
        case "variable" | "break":
            try:
                _ = node.parts[0] in known or scope.variable(node.parts[0])
            except KeyError:
                what = "$*label-" + node.parts[0][1:] if node.kind == "break" else node.parts[0]
                raise SyntaxFailure(f"{what} is not defined at <top-level>, line 1:") from None
        case "bind" | "reduce" | "foreach":
            check(node.parts[0], scope, known)
            check(node.parts[2:], scope, known | _names(node.parts[1]))
        case "label":
            check(node.parts[1], scope, known | {node.parts[0]})
        case "literal":
            return
        case _:
            check(node.parts, scope, known)


def _names(pattern: Node) -> frozenset[str]:
    match pattern.kind:
        case "name":
            return frozenset({pattern.parts[0]})
        case "elements":
            return frozenset().union(*(_names(one) for one in pattern.parts))
    found: frozenset[str] = frozenset()
    for _, inner, name in pattern.parts:
        found |= _names(inner) | ({name} if name else frozenset())
    return found
