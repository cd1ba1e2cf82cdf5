"""Our go-template prints and says what the real kubectl's does: both fill in the same templates, without a cluster."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from patience import PATIENCE_SECONDS

from cluster_engine.programs.kubectl import go_template
from cluster_engine.programs.kubectl.go_template import TemplateError

pytestmark = [pytest.mark.foreign, pytest.mark.long]

TEMPLATES = (Path(__file__).parent / "go_templates.txt").read_text().splitlines()
CREATE = ["create", "deployment", "web", "--image=nginx", "--replicas=3", "--port=1000000", "--dry-run=client", "-o"]


@pytest.fixture(scope="module")
def real():
    """Run the real kubectl without a cluster."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("NO kubectl ON THIS MACHINE: the two cannot be compared")

    def run(output):
        return subprocess.run(
            [program, *CREATE, output], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
        )

    return run


@pytest.fixture(scope="module")
def deployment(real):
    return json.loads(real("json").stdout)


@pytest.mark.parametrize("template", TEMPLATES)
def test_both_fill_in_the_same(real, deployment, template):
    text, why = "", ""
    try:
        for piece in go_template.run(go_template.parse(template), deployment):
            text += piece
    except TemplateError as error:
        why = str(error)
    done = real(f"go-template={template}")
    assert text == done.stdout.partition("Error executing template")[0]
    assert why == "".join(done.stderr.rstrip("\n").partition("template: output")[1:])
