"""`kubectl -o go-template`: Go's text/template over an object, its words where that cannot be, and its bounds."""

import time

import pytest

from cluster_engine.programs.kubectl import go_template
from cluster_engine.programs.kubectl.go_template import TemplateError, formats

CPU_SECONDS_MAX = 20.0  # on a busy machine; the worst takes about two
POD = {
    "kind": "Pod",
    "metadata": {"name": "web", "creationTimestamp": None, "labels": {"app": "web"}},
    "spec": {"replicas": 3, "containers": [{"name": "nginx", "image": "nginx"}, {"name": "side", "image": "busybox"}]},
}


def filled(template, data=POD, **options):
    return "".join(go_template.run(go_template.parse(template), data, **options))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.metadata.name}} {{.kind}}", "web Pod"),
        ("{{.metadata}}", "map[creationTimestamp:<nil> labels:map[app:web] name:web]"),
        ("{{.nope.below}} {{.metadata.creationTimestamp}}", "<no value> <no value>"),
        ('{{range .spec.containers}}{{.name}}{{"\\n"}}{{end}}', "nginx\nside\n"),
        ("{{range $i, $c := .spec.containers}}{{if $i}},{{end}}{{$c.image}}{{end}}", "nginx,busybox"),
        ("{{range .nope}}x{{else}}none{{end}}", "none"),
        ("{{range .spec.containers}}{{.name}}{{break}}{{end}}", "nginx"),
        ("{{range $k, $v := .metadata.labels}}{{$k}}={{$v}}{{end}}", "app=web"),
        ('{{if eq .kind "Node" "Pod"}}y{{else if true}}z{{else}}n{{end}}', "y"),
        ("{{with .metadata.labels}}{{.app}}{{end}}{{with .nope}}x{{else}}-{{end}}", "web-"),
        ('{{$n := .kind}}{{$n = "x"}}{{$n}}', "x"),
        (
            '{{len .spec.containers}} {{index .spec.containers 1 "name"}} {{(index .spec.containers 0).name}}',
            "2 side nginx",
        ),
        ('{{and .kind .nope}} {{or .nope "x"}} {{not .nope}}', "<no value> x true"),
        ('{{printf "%s has %d|%5s|%-4v|" .kind .spec.replicas "a" true}}', "Pod has 3|    a|true|"),
        ('{{printf "%d" .kind}} {{printf "%s"}} {{printf "x" 1}}', "%!d(string=Pod) %!s(MISSING) x%!(EXTRA int=1)"),
        ('{{"d2Vi" | base64decode}} {{exists .metadata "nope"}}', "web false"),
        ('a {{- " b " -}} c{{/* nothing */}}', "a b c"),
        ("{{1000000.0}} {{0.5}} {{0x10}}", "1e+06 0.5 16"),
    ],
)
def test_a_template_is_filled_in_as_go_does(template, text):
    assert filled(template) == text


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{.foo", "template: output:1: unclosed action"),
        ("{{.foo}", "template: output:1: bad character U+007D '}'"),
        ("a\n{{foo .a}}", 'template: output:2: function "foo" not defined'),
        ("{{range .a}}", "template: output:1: unexpected EOF"),
        ("{{end}}", "template: output:1: unexpected {{end}}"),
        ("{{$x}}", 'template: output:1: undefined variable "$x"'),
        ("{{break}}", "template: output:1: {{break}} outside {{range}}"),
        (
            "{{.metadata.name.foo}}",
            'template: output:1:11: executing "output" at <.metadata.name.foo>: '
            "can't evaluate field foo in type interface {}",
        ),
        (
            "{{index .spec.containers 5}}",
            'template: output:1:2: executing "output" at <index .spec.containers 5>: '
            "error calling index: index out of range: 5",
        ),
        (
            "{{eq .spec.replicas 3.0}}",
            'template: output:1:2: executing "output" at <eq .spec.replicas 3.0>: '
            "error calling eq: incompatible types for comparison",
        ),
        (
            "{{range .kind}}{{end}}",
            'template: output:1:8: executing "output" at <.kind>: range can\'t iterate over Pod',
        ),
        ("{{" + "(" * 200 + ".a", "template: output:1: the template is nested too deeply"),
        ("{{if .a}}" * 200, "template: output:1: the template is nested too deeply"),
    ],
)
def test_what_cannot_be_filled_in_is_said_in_gos_words(template, why):
    with pytest.raises(TemplateError) as error:
        filled(template)
    assert str(error.value) == why


def test_a_missing_key_can_be_an_error():
    with pytest.raises(TemplateError, match='map has no entry for key "nope"'):
        filled("{{.nope}}", missing_is_error=True)


@pytest.mark.parametrize(
    "template",
    [
        "{{range .l}}{{range $.l}}{{range $.l}}{{range $.l}}x{{end}}{{end}}{{end}}{{end}}",
        "{{range .l}}{{range $.l}}{{len (print $)}}{{end}}{{end}}",
        '{{printf "' + "%999999d" * 1000 + '"' + " 1" * 1000 + "}}",
        "{{range .l}}{{range $.l}}{{range $.l}}{{break}}{{end}}{{end}}{{end}}",
        "{{.a" + ".b" * 100_000 + "}}",
        "{{$a := 1}}" + "{{$a}}" * 150_000,
    ],
)
def test_no_template_costs_more_than_a_moment(template):
    data = {"l": [str(n) * 100 for n in range(1000)]}
    began = time.process_time()
    try:
        text = filled(template, data)
        assert len(text) <= formats.CHARACTERS_MAX
    except TemplateError as error:
        assert "too large" in str(error)
    assert time.process_time() - began < CPU_SECONDS_MAX


def test_templates_come_from_a_flag_a_word_or_a_file(workstation):
    async def story(sh):
        await sh.ok("kubectl create deployment web --image=nginx")
        await sh.ok("echo -n '{{.kind}}' > t; echo -n '{.kind}' > j; printf 'A B\\n.kind .metadata.name\\n' > c")
        forms = (
            "-o go-template={{.kind}}",
            "--template={{.kind}}",
            "-o template --template={{.kind}}",
            "-o go-template-file=t",
            "-o jsonpath-file=j",
            "-o jsonpath --template={.kind}",
        )
        told = [await sh.ok(f"kubectl get deploy web {form}") for form in forms]
        listed = await sh.ok("kubectl get deploy -o jsonpath-as-json={.items[*].metadata.name}")
        return told, listed, await sh.ok("kubectl get deploy web -o custom-columns-file=c")

    told, listed, columns = workstation(story)
    assert told == ["Deployment"] * 6
    assert listed == '[\n    "web"\n]\n'
    assert columns == "A            B\nDeployment   web\n"
