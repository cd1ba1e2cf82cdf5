"""An exercise solved from outside: with the real kubectl, and with curl, through the kubeconfig that the page gives."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from browser_lesson import Learner
from browser_page import PATIENCE_SECONDS
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PODS = "/api/v1/namespaces/default/pods"


def program(name: str) -> str:
    """Find a program, or skip loudly."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"NO {name.upper()} ON THIS MACHINE: solving an exercise from outside with it stays untested")
    return found


def kubeconfig(learner: Learner, folder: Path) -> Path:
    """Save what the page's button saves."""
    page = learner.page
    page.locator("[popovertarget=kubeconfig]").first.click()
    with page.expect_download() as download:
        page.locator("#kubeconfig a[href$=kubeconfig]").click()
    page.keyboard.press("Escape")
    path = folder / "kubeconfig"
    download.value.save_as(path)
    return path


def meet_410(learner: Learner) -> None:
    """Predict, and see that the page noticed the 410 outside."""
    learner.answer_choice("Your program asks for a watch", "error-event")
    learner.answer_choice("Which pod must your program forget", "green")
    expect(learner.check("The API server's answer")).not_to_have_class("passed")


def solved(learner: Learner) -> None:
    """All checks are ticked, by what came from outside alone."""
    expect(learner.page.locator(".solved")).to_be_visible()
    expect(learner.page.locator(".checks .passed")).to_have_count(4)
    expect(learner.page.locator(".ran:not(.by-lesson)")).to_have_count(0)


def test_the_real_kubectl_solves_an_exercise_from_outside(learner: Learner, tmp_path: Path) -> None:
    kubectl = program("kubectl")
    learner.begin("exercises/survive-410")
    meet_410(learner)
    environment = {"HOME": str(tmp_path), "KUBECONFIG": str(kubeconfig(learner, tmp_path))}

    def run(*words: str) -> str:
        done = subprocess.run(
            [kubectl, *words], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
        )
        return done.stdout

    assert '"code":410' in run("get", "--raw", f"{PODS}?watch=true&resourceVersion=1").replace(" ", "")
    expect(learner.check("The API server's answer")).to_have_class("passed")
    with subprocess.Popen([kubectl, "get", "pods", "-w"], env=environment, stdout=subprocess.DEVNULL) as watching:
        try:
            expect(learner.check("What your program must forget")).to_have_class("passed")
            run("label", "pod", "red", "seen=yes")
            solved(learner)
        finally:
            watching.terminate()


def test_curl_solves_it_too(learner: Learner, tmp_path: Path) -> None:
    curl = program("curl")
    learner.begin("exercises/survive-410")
    meet_410(learner)
    server, options = for_curl(kubeconfig(learner, tmp_path), tmp_path)
    command = [curl, "--silent", "--show-error", "--fail", *options]

    def run(path: str, *more: str) -> str:
        return subprocess.run(
            [*command, *more, f"{server}{path}"], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
        ).stdout

    refused = json.loads(run(f"{PODS}?watch=true&resourceVersion=1"))
    assert (refused["type"], refused["object"]["code"]) == ("ERROR", 410)
    version = json.loads(run(PODS))["metadata"]["resourceVersion"]
    url = f"{server}{PODS}?watch=true&resourceVersion={version}"
    with subprocess.Popen([*command, "--no-buffer", url], stdout=subprocess.PIPE, text=True) as watching:
        try:
            merge = ("--request", "PATCH", "--header", "Content-Type: application/merge-patch+json")
            run(f"{PODS}/red", *merge, "--data", '{"metadata":{"labels":{"seen":"yes"}}}')
            assert watching.stdout is not None
            assert json.loads(watching.stdout.readline())["type"] == "MODIFIED"
            solved(learner)
        finally:
            watching.terminate()


def for_curl(path: Path, folder: Path) -> tuple[str, list[str]]:
    """Take a kubeconfig apart: the server's address, and files with what curl needs to know and to show."""
    document = yaml.safe_load(path.read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    options = []
    for option, text in (
        ("--cacert", cluster["certificate-authority-data"]),
        ("--cert", user["client-certificate-data"]),
        ("--key", user["client-key-data"]),
    ):
        file = folder / option.strip("-")
        file.write_bytes(base64.b64decode(text))
        options += [option, str(file)]
    return cluster["server"], options
