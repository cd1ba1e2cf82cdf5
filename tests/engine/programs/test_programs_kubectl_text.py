"""kubectl's way of writing and reading text, without a cluster."""

import pytest
import yaml

from cluster_engine.api.durations import go_seconds
from cluster_engine.api.status import Refusal
from cluster_engine.programs.kubectl import commands, errors, table_of_commands
from cluster_engine.programs.kubectl.documents import ManifestError, read_all, to_json, to_yaml
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag, parse
from cluster_engine.programs.kubectl.jsonpath import render
from cluster_engine.programs.kubectl.rollout import rollout_text
from cluster_engine.programs.kubectl.table import TablePrinter
from cluster_engine.programs.kubectl.tabwriter import layout
from cluster_engine.programs.kubectl.templates import columns

# -- columns


def test_a_column_is_as_wide_as_its_widest_cell():
    text = "NAME\tREADY\na-long-name\t1/1\nb\t0/1\n"
    assert layout(text, minimum=6, padding=3) == "NAME          READY\na-long-name   1/1\nb             0/1\n"


def test_what_follows_the_last_tab_is_not_padded():
    assert layout("a\tb\nlong\tc\n", minimum=0, padding=2) == "a     b\nlong  c\n"


def test_a_line_without_tabs_ends_a_column():
    text = "Name:\tweb\nA heading\nLonger name:\tx\n"
    assert layout(text, minimum=0, padding=2) == "Name:  web\nA heading\nLonger name:  x\n"


def test_blocks_nest():
    text = "  a:\n    Image:\tx\n    Image ID:\ty\nQoS:\tz\n"
    assert layout(text, minimum=0, padding=2) == "  a:\n    Image:     x\n    Image ID:  y\nQoS:           z\n"


def test_remembered_columns_never_shrink():
    widths = []
    layout("a-very-long-name\tx\n", minimum=6, padding=3, remembered=widths)
    assert layout("b\ty\n", minimum=6, padding=3, remembered=widths) == "b                  y\n"


def test_a_table_shows_its_wide_columns_only_when_asked():
    columns = [{"name": "Name", "priority": 0}, {"name": "Node", "priority": 1}]
    table = {"columnDefinitions": columns, "rows": [{"cells": ["web", "worker-1"]}]}
    assert TablePrinter().text(table) == "NAME\nweb\n"
    assert TablePrinter(wide=True).text(table) == "NAME   NODE\nweb    worker-1\n"


def test_a_table_prints_its_header_once():
    table = {"columnDefinitions": [{"name": "Name"}], "rows": [{"cells": ["a"]}]}
    printer = TablePrinter()
    assert printer.text(table) == "NAME\na\n"
    assert printer.text({"columnDefinitions": None, "rows": [{"cells": ["b"]}]}) == "b\n"


# -- documents


def test_yaml_looks_like_gos():
    obj = {"b": "1", "a": [{"x": None}], "c": {}, "d": "yes", "e": "2026-01-01T00:00:00Z", "f": "a: b", "g": ""}
    assert to_yaml(obj) == "\n".join(
        ["a:", "- x: null", 'b: "1"', "c: {}", 'd: "yes"', 'e: "2026-01-01T00:00:00Z"', "f: 'a: b'", 'g: ""', ""]
    )


def test_long_text_is_not_folded_and_lines_are_a_block():
    assert to_yaml({"a": "word " * 60}) == f"a: '{'word ' * 60}'\n"
    assert to_yaml({"a": "x\ny\n"}) == "a: |\n  x\n  y\n"


@pytest.mark.parametrize("text", ["y", "on", "1e3", "0x1F", "12:30:45", "null", "~", "-1", "true", "- a", "a #b", "[x"])
def test_text_survives_yaml(text):
    assert yaml.safe_load(to_yaml({"a": text})) == {"a": text}


def test_json_has_four_spaces_and_gos_escapes():
    assert to_json({"b": 1, "a": "<&>"}) == '{\n    "a": "\\u003c\\u0026\\u003e",\n    "b": 1\n}\n'


def test_manifests_may_be_several_and_lists_are_opened():
    text = "a: 1\n---\n---\nkind: List\nitems: [{b: 2}, {c: 3}]\n"
    assert list(read_all(text)) == [{"a": 1}, {"b": 2}, {"c": 3}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: b: c", "mapping values are not allowed in this context"),
        ("- 1\n- 2", "cannot unmarshal array"),
        ("a: [", "yaml"),
    ],
)
def test_a_broken_manifest_is_refused_in_gos_words(text, words):
    with pytest.raises(ManifestError, match=words):
        list(read_all(text))


# -- jsonpath

PODS = {
    "items": [
        {"metadata": {"name": "a", "labels": {"x.y/z": "1"}}, "spec": {"nodeName": "n1", "ports": [80, 81]}},
        {"metadata": {"name": "b"}, "spec": {"nodeName": "n2"}},
    ]
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.items[*].metadata.name}", "a b"),
        ("{.items[0].metadata.name}", "a"),
        ("{.items[-1].metadata.name}", "b"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.spec.nodeName}{"\\n"}{end}', "a\tn1\nb\tn2\n"),
        ("{.items[?(@.spec.nodeName=='n2')].metadata.name}", "b"),
        ("{.items[?(@.spec.ports)].metadata.name}", "a"),
        ("{.items[0].spec}", '{"nodeName":"n1","ports":[80,81]}'),
        (r"{.items[0].metadata.labels.x\.y/z}", "1"),
        ("{.items[0].metadata.labels['x.y/z']}", "1"),
        ("{..name}", "a b"),
        ("names: {.items[*].metadata.name}", "names: a b"),
        ("{.nope}", ""),
        ("{.items[0:1].metadata.name}", "a"),
    ],
)
def test_jsonpath(template, text):
    assert render(template, PODS) == text


@pytest.mark.parametrize("template", ["{.items[*]", "{range .items[*]}{.x}", "{end}", "{.items[9]}"])
def test_a_broken_jsonpath_is_an_error(template):
    with pytest.raises(CommandError):
        render(template, PODS)


def test_custom_columns_say_none_for_what_is_not_there():
    show = columns("NAME:.metadata.name,X:.spec.nope")
    assert show({"kind": "List", "items": PODS["items"]}) == "NAME   X\na      <none>\nb      <none>\n"


# -- flags

FLAGS = (Flag("namespace", "n"), Flag("all", "A", "bool"), Flag("replicas", kind="int"), Flag("file", "f", "strings"))


@pytest.mark.parametrize(
    "line", ["pods -n x -A", "-nx pods -A", "--namespace=x --all pods", "-An x pods", "-A=true -n=x pods"]
)
def test_flags_may_be_written_in_many_ways(line):
    parsed = parse(line.split(), FLAGS, "kubectl get")
    assert (parsed.arguments, parsed["namespace"], parsed["all"]) == (["pods"], "x", True)


def test_what_follows_two_dashes_is_no_flag():
    parsed = parse(["x", "--", "sh", "-c", "exit 3"], FLAGS, "kubectl run")
    assert (parsed.arguments, parsed.before_dashes) == (["x", "sh", "-c", "exit 3"], 1)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("--foo", "unknown flag: --foo"),
        ("-z", "unknown shorthand flag: 'z' in -z"),
        ("-n", "flag needs an argument: 'n' in -n"),
        ("--namespace", "flag needs an argument: --namespace"),
        ("--replicas=x", 'invalid argument "x" for "--replicas" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        ("-A=x", 'invalid argument "x" for "-A, --all" flag: strconv.ParseBool: parsing "x": invalid syntax'),
    ],
)
def test_a_wrong_flag_is_refused_in_pflags_words(line, text):
    with pytest.raises(CommandError) as refused:
        parse([line], FLAGS, "kubectl get")
    assert str(refused.value) == f"{text}\nSee 'kubectl get --help' for usage."


def test_durations_are_gos():
    assert go_seconds("1m30s") == 90
    assert go_seconds("1h") == 3600
    assert go_seconds("-1.5ms") == -0.0015
    with pytest.raises(ValueError, match='time: invalid duration "5"'):
        go_seconds("5")


# -- errors and commands


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        (
            Refusal('pods "x" not found', code=404, reason="NotFound"),
            'Error from server (NotFound): pods "x" not found',
        ),
        (Refusal("boom", code=500, reason=""), "Error from server: boom"),
        (
            Refusal("Unauthorized", code=401, reason="Unauthorized"),
            "error: You must be logged in to the server (Unauthorized)",
        ),
        (
            Refusal(
                "…",
                code=422,
                reason="Invalid",
                details={"kind": "Pod", "name": "x", "causes": [{"field": "spec.a", "message": "Required value"}]},
            ),
            'The Pod "x" is invalid: spec.a: Required value',
        ),
    ],
)
def test_refusals_are_said_as_kubectl_says_them(refusal, text):
    assert errors.describe(refusal, "10.0.0.1:6443") == text


def test_a_server_that_is_not_there_is_said_as_kubectl_says_it():
    text = errors.describe(ConnectionRefusedError(), "10.0.0.1:6443")
    assert text == "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?"


def test_every_command_has_what_runs_it_and_its_flags():
    table_of_commands.fill()
    for command in commands.COMMANDS.values():
        assert callable(command.run), command.name
        assert all(isinstance(flag, Flag) for flag in command.flags), command.name


def test_an_unknown_command_is_guessed():
    table_of_commands.fill()
    with pytest.raises(CommandError) as refused:
        commands.find(["gte", "pods"])
    assert str(refused.value) == 'unknown command "gte" for "kubectl"\n\nDid you mean this?\n\tget'


@pytest.mark.parametrize(
    ("status", "text", "done"),
    [
        ({"observedGeneration": 1}, "Waiting for deployment spec update to be observed...", False),
        ({"observedGeneration": 2, "updatedReplicas": 1}, "1 out of 3 new replicas have been updated...", False),
        (
            {"observedGeneration": 2, "updatedReplicas": 3, "replicas": 4},
            "1 old replicas are pending termination...",
            False,
        ),
        (
            {"observedGeneration": 2, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 2},
            "2 of 3 updated replicas are available...",
            False,
        ),
        (
            {"observedGeneration": 2, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 3},
            'deployment "web" successfully rolled out',
            True,
        ),
    ],
)
def test_a_rollout_says_how_far_it_is(status, text, done):
    deployment = {"metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 3}, "status": status}
    said, complete = rollout_text(deployment)
    assert text in said
    assert complete is done
