"""Go's text/template, as far as `kubectl -o go-template` needs it: fields, pipelines, if, range, with, functions.

    render("{{.metadata.name}}", pod)                                   web-0
    render("{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}", pods)   a line each
    render("{{len .spec.containers}} {{index .metadata.labels \"app\"}}", pod)

Four stories: `lexer` cuts a template into text and tokens, `tree` reads those as nodes, `execute` walks the nodes over
data that JSON may hold, and `formats` writes values as Go's fmt does. `functions` has what pipelines may call. A
template is a visitor's text: steps, output and nesting are bounded.

Modelled on Go 1.23's text/template and kubectl's printers (cli-runtime/pkg/printers/template.go). Left out: define,
block and template, methods, complex numbers, the functions call and js.
"""

from cluster_engine.programs.kubectl.go_template.execute import run
from cluster_engine.programs.kubectl.go_template.lexer import TemplateError
from cluster_engine.programs.kubectl.go_template.tree import Template, parse

__all__ = ["Template", "TemplateError", "parse", "run"]
