"""Texts that a person edits: `edit FILE` and `kubectl edit`, with somebody at the keys who answers."""

import asyncio

from cluster_engine.programs.keyboard import EDITED_CHARACTERS_MAX, Keyboard

MAKE = "kubectl create deployment web --image=nginx"


class Person:
    """Answers each text that is to be edited with what the next of `hands` makes of it; None leaves it."""

    def __init__(self, *hands):
        self.hands = list(hands)
        self.asked = []
        self.keyboard = Keyboard(asks=self._ask)

    def _ask(self, name, text, problem):
        self.asked.append((name, text, problem))
        hand = self.hands.pop(0)
        asyncio.get_running_loop().call_later(5, lambda: self.keyboard.edited(hand(text) if hand else None))


def replaced(old, new):
    return lambda text: text.replace(old, new, 1)


def test_edit_writes_what_was_saved_and_leaves_what_was_not(workstation):
    async def story(sh):
        person = Person(lambda text: f"{text}b: c", None)
        assert (await sh("echo a: b > f; edit f; cat f", stdin=person.keyboard)).out == "a: b\nb: c\n"
        assert (await sh("edit f; cat f", stdin=person.keyboard)).out == "a: b\nb: c\n"
        assert person.asked == [("f", "a: b\n", ""), ("f", "a: b\nb: c\n", "")]

    workstation(story)


def test_edit_tells_in_the_pane_what_could_not_be_written(workstation):
    async def story(sh):
        person = Person(lambda _: "text", None)
        done = await sh("echo > f; edit f/g", stdin=person.keyboard)
        assert (done.code, done.err) == (0, "")
        assert [(name, problem) for name, _, problem in person.asked] == [("f/g", ""), ("f/g", "f/g: Not a directory")]

    workstation(story)


def test_edit_says_what_it_cannot_edit(workstation):
    async def story(sh):
        sh.host.files.write("/root/bytes", b"\xff")
        for line, code, words in (
            ("edit", 2, "usage: edit FILE\n"),
            ("edit /etc", 1, "edit: /etc: Is a directory\n"),
            (f"seq {EDITED_CHARACTERS_MAX} > f; edit f", 1, "edit: f: File too large"),
            ("edit bytes", 1, "edit: bytes: Not a text\n"),
            ("edit new", 1, "edit: nobody can edit here"),
            ("vi new", 127, "vi: not here: `edit FILE` opens a file in a pane of the page\n"),
        ):
            done = await sh(line)
            assert (done.code, done.err[: len(words)]) == (code, words)

    workstation(story)


def test_kubectl_edit_sends_only_what_was_changed(workstation):
    async def story(sh):
        await sh.ok(MAKE)
        person = Person(replaced("replicas: 1", "replicas: 3"))
        done = await sh("kubectl edit deploy/web --output-patch", stdin=person.keyboard)
        assert (done.code, done.out) == (0, 'Patch: {"spec":{"replicas":3}}\ndeployment.apps/web edited\n')
        name, text, _ = person.asked[0]
        assert name.startswith("/tmp/kubectl-edit-")
        assert text.startswith("# Please edit the object below. Lines beginning with a '#' will be ignored,\n")
        assert "managedFields" not in text
        assert await sh.ok("kubectl get deploy web -o jsonpath={.spec.replicas}") == "3"

    workstation(story)


def test_kubectl_edit_is_cancelled_by_no_change_by_an_empty_file_and_by_comments_alone(workstation):
    async def story(sh):
        await sh.ok(MAKE)
        for hand, words in (
            (None, "Edit cancelled, no changes made.\n"),
            (lambda text: f"# more\n{text}", "Edit cancelled, no changes made.\n"),
            (lambda _: "", "Edit cancelled, saved file was empty.\n"),
            (lambda _: "# nothing\n", "Edit cancelled, saved file was empty.\n"),
        ):
            done = await sh("kubectl edit deploy web", stdin=Person(hand).keyboard)
            assert (done.code, done.out, done.err) == (0, "", words)

    workstation(story)


def test_kubectl_edit_opens_again_what_is_invalid_with_the_reasons_above_it(workstation):
    async def story(sh):
        await sh.ok(MAKE)
        person = Person(
            replaced("replicas: 1", "replicas: -1"),
            replaced("replicas: -1", "replicas: : 1"),
            replaced("replicas: : 1", "replicas: 2"),
        )
        done = await sh("kubectl edit deploy web", stdin=person.keyboard)
        assert (done.code, done.out) == (0, "deployment.apps/web edited\n")
        assert done.err == 'error: deployments.apps "web" is invalid\n' * 2
        second, third = person.asked[1][1], person.asked[2][1]
        assert '# deployments.apps "web" was not valid:\n# * spec.replicas: Invalid value: -1: must be' in second
        assert "replicas: -1" in second
        assert '# * <nil>: Invalid value: "The edited file failed validation": error converting YAML to JSON' in third

    workstation(story)


def test_kubectl_edit_keeps_what_was_edited_in_vain(workstation):
    async def story(sh):
        await sh.ok(MAKE)
        for hands, words in (
            ([replaced("replicas: 1", "replicas: -1"), None], "Edit cancelled, no valid changes were saved."),
            ([replaced("  name: web", "  name: other")], "At least one of apiVersion, kind and name was changed"),
        ):
            done = await sh("kubectl edit deploy web", stdin=Person(*hands).keyboard)
            assert done.code == 1
            told, error = done.err.splitlines()[-2:]
            assert error == f"error: {words}"
            path = told.removeprefix('A copy of your changes has been stored to "').removesuffix('"')
            assert "kind: Deployment" in await sh.ok(f"cat {path}")
        done = await sh("kubectl edit deploy web", stdin=Person(replaced("replicas:", "replicsa:")).keyboard)
        assert done.code == 1
        assert 'error: deployments.apps "web" could not be patched: ' in done.err
        assert "You can run `kubectl replace -f /tmp/kubectl-edit-" in done.err

    workstation(story)


def test_kubectl_edit_edits_several_objects_as_a_list(workstation):
    async def story(sh):
        await sh.ok("kubectl create cm a --from-literal=k=1; kubectl create cm b --from-literal=k=1")
        person = Person(lambda text: text.replace('k: "1"', 'k: "2"', 1))
        done = await sh("kubectl edit cm a b", stdin=person.keyboard)
        assert (done.code, done.out) == (0, "configmap/a edited\nconfigmap/b skipped\n"), done.err
        assert "kind: List\n" in person.asked[0][1]

    workstation(story)


def test_kubectl_edit_without_an_editor_says_so(workstation):
    async def story(sh):
        await sh.ok(MAKE)
        done = await sh("kubectl edit deploy web")
        assert (done.code, done.err) == (1, 'error: there was a problem with the editor "edit"\n')
        done = await sh("kubectl edit deploy nope")
        assert done.err == 'Error from server (NotFound): deployments.apps "nope" not found\n'

    workstation(story)
