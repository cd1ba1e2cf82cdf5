"""Kinds that were added while the cluster ran stand in the columns that their definition gives them."""

import pytest
from state_wires import Wires

WIDGETS = "/registry/toys.example/widgets/default/"
DEFINITION = "/registry/apiextensions.k8s.io/customresourcedefinitions/widgets.toys.example"
WIDGET = {
    "apiVersion": "toys.example/v1",
    "kind": "Widget",
    "metadata": {"name": "a", "namespace": "default", "creationTimestamp": "2025-12-31T23:00:00Z"},
    "spec": {"size": 5, "share": 0.5, "safe": True, "parts": {"b": "<c>"}, "made": "2025-12-31T23:59:00Z"},
    "status": {"conditions": [{"type": "Old", "status": "no"}, {"type": "Ready", "status": "True"}]},
}


def defined(*columns, **spec):
    """A definition whose stored version has these columns: name, type, path, and what else there is."""
    said = [{"name": name, "type": type_, "jsonPath": path, **more} for name, type_, path, more in columns]
    versions = [
        {"name": "v1alpha1", "served": True, "storage": False},
        {"name": "v1", "served": True, "storage": True, "additionalPrinterColumns": said},
    ]
    names = {"kind": "Widget", "plural": "widgets"}
    spec = {"group": "toys.example", "names": names, "scope": "Namespaced", "versions": versions, **spec}
    return {"metadata": {"name": "widgets.toys.example"}, "spec": spec}


def widgets(wires, at=2**53):
    return next(kind for kind in wires.ask("objects", at)["kinds"] if kind["resource"] == "widgets")


def shown(*columns):
    """The names of columns and the cells of one widget, after its name."""
    wires = Wires()
    wires.put(DEFINITION, defined(*columns))
    wires.put(f"{WIDGETS}a", WIDGET)
    kind = widgets(wires)
    return [column["name"] for column in kind["columns"]][1:], kind["rows"][0]["cells"][1:]


def test_columns_are_those_of_the_definition_and_no_others():
    names, cells = shown(
        ("Size", "integer", ".spec.size", {}),
        ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', {}),
        ("Age", "date", ".metadata.creationTimestamp", {}),
    )
    assert (names, cells) == (["Size", "Ready", "Age"], ["5", "True", "60m"])
    assert shown(("Size", "integer", ".spec.size", {}))[0] == ["Size"]


def test_without_columns_there_are_name_and_age():
    assert shown() == (["Age"], ["60m"])


def test_columns_of_a_lower_priority_are_wide():
    wires = Wires()
    columns = [("Size", "integer", ".spec.size", {}), ("Made", "date", ".spec.made", {"priority": 1})]
    wires.put(DEFINITION, defined(*columns))
    wires.put(f"{WIDGETS}a", WIDGET)
    assert [column["wide"] for column in widgets(wires)["columns"]] == [False, False, True]


@pytest.mark.parametrize(
    ("type_", "path", "cell"),
    [
        ("string", ".spec.size", "5"),
        ("string", ".spec.safe", "true"),
        ("string", ".spec.parts", '{"b":"\\u003cc\\u003e"}'),
        ("number", ".spec.share", "0.5"),
        ("integer", ".spec.share", "0"),
        ("boolean", ".spec.safe", "true"),
        ("date", ".spec.made", "60s"),
        ("date", ".metadata.name", "<invalid>"),
        ("integer", ".metadata.name", ""),
        ("integer", ".spec.safe", ""),
        ("boolean", ".spec.size", ""),
        ("date", ".spec.size", ""),
        ("string", ".spec.nothing.here", ""),
        ("string", ".status.conditions[7].type", ""),
        ("string", ".status.conditions[", ""),
        ("string", "..type", ""),
        ("string", "." + "a" * 600, ""),
        ("colour", ".spec.size", ""),
    ],
)
def test_a_cell_is_of_its_columns_type_or_empty(type_, path, cell):
    assert shown(("It", type_, path, {})) == (["It"], [cell])


def test_the_definition_is_that_of_the_position():
    wires = Wires()
    bare = wires.put(f"{WIDGETS}a", WIDGET)
    first = wires.put(DEFINITION, defined(("Size", "integer", ".spec.size", {})))
    second = wires.put(DEFINITION, defined(("Share", "number", ".spec.share", {})))
    gone = wires.delete(DEFINITION)
    names = [[column["name"] for column in widgets(wires, at)["columns"]] for at in (bare, first, second, gone)]
    assert names == [["Name", "Age"], ["Name", "Size"], ["Name", "Share"], ["Name", "Age"]]
    kind = widgets(wires, bare)
    assert (kind["kind"], kind["version"], kind["namespaced"]) == ("Widget", "v1", True)


@pytest.mark.parametrize(
    "definition",
    [
        {"metadata": {}},
        {"metadata": {}, "spec": 3},
        defined(versions=[]),
        defined(versions="x"),
        defined(names=None),
        defined(("Size", 3, [], {})),
    ],
)
def test_a_definition_that_cannot_be_read_is_none(definition):
    wires = Wires()
    wires.put(DEFINITION, definition)
    wires.put(f"{WIDGETS}a", WIDGET)
    assert widgets(wires)["rows"][0]["cells"] == ["a", "60m"]
