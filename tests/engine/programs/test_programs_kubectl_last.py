"""kubectl: what was applied last is set and edited, events are followed, deletion asks first."""

import asyncio

from cluster_engine.api.struct_order import in_struct_order
from cluster_engine.programs.keyboard import Keyboard
from cluster_engine.programs.streams import Bytes


async def _edited(sh, line, change):
    """Type a line, and edit the text that it asks to have edited."""
    asked = asyncio.get_running_loop().create_future()
    keyboard = Keyboard(asks=lambda name, text, problem: asked.set_result(text))
    running = asyncio.ensure_future(sh(line, stdin=keyboard))
    keyboard.edited(change(await asked))
    return await running


def test_what_was_applied_last_is_set_from_a_file_and_edited(workstation):
    async def story(sh):
        last = "kubectl apply view-last-applied cm/a -o json"
        await sh.ok("kubectl create cm a --from-literal=k=v")
        await sh.ok("kubectl create cm a --from-literal=k=w --dry-run=client -o yaml > a")
        bare = await sh("kubectl apply set-last-applied -f a")
        assert (bare.code, bare.err) == (
            1,
            "error: no last-applied-configuration annotation found on resource: a, to create the annotation, run the "
            "command with --create-annotation\n",
        )
        assert await sh.ok("kubectl apply set-last-applied -f a --create-annotation") == "configmap/a configured\n"
        assert await sh.ok("kubectl apply set-last-applied -f a") == "set-last-applied a: no changes required.\n"
        assert '"k": "w"' in await sh.ok(last)
        assert await sh.ok("kubectl get cm a -o jsonpath='{.data.k}'") == "v", "nothing else has changed"
        done = await _edited(sh, "kubectl apply edit-last-applied cm/a", lambda text: text.replace("k: w", "k: x"))
        assert (done.code, done.out) == (0, "configmap/a edited\n")
        assert '"k": "x"' in await sh.ok(last)

    workstation(story)


def test_events_are_followed_from_those_that_are_there(workstation):
    async def story(sh):
        await sh.ok("kubectl run web --image=nginx; kubectl wait --for=condition=Ready pod/web")
        followed = asyncio.ensure_future(sh("kubectl events -w --for pod/web", interrupt_after=60))
        await asyncio.sleep(5)
        await sh.ok("kubectl delete pod web")
        done = await followed
        assert done.lines[0].split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
        reasons = [line.split()[2] for line in done.lines[1:]]
        assert sorted(reasons[:-1]) == ["Created", "Pulled", "Pulling", "Scheduled", "Started"]
        assert reasons[-1] == "Killing"
        assert (await sh("kubectl events -w --for web")).err == "error: --for must be in resource/name form\n"

    workstation(story)


def test_nothing_is_deleted_unless_it_is_confirmed(workstation):
    async def story(sh):
        await sh.ok("kubectl create cm a; kubectl create cm b")
        asked = "You are about to delete the following 1 resource(s):\nconfigmap/a\nDo you want to continue? (y/n): "
        no = await sh("kubectl delete -i cm a", stdin=Bytes(b"n\n"))
        assert (no.code, no.out) == (0, f"{asked}deletion is cancelled\n")
        yes = await sh("kubectl delete -i cm a", stdin=Bytes(b"Y\n"))
        assert (yes.code, yes.out) == (0, f'{asked}configmap "a" deleted\n')

    workstation(story)


def test_a_struct_is_written_in_its_own_order_and_a_map_is_sorted():
    pod = {
        "apiVersion": "v1",
        "metadata": {"labels": {"b": "", "a": ""}, "name": "web"},
        "kind": "Pod",
        "spec": {"containers": [{"imagePullPolicy": "Always", "terminationMessagePolicy": "File", "name": "c"}]},
    }
    ordered = in_struct_order(pod)
    assert list(ordered) == ["kind", "apiVersion", "metadata", "spec"]
    assert list(ordered["metadata"]) == ["name", "labels"]
    assert list(ordered["metadata"]["labels"]) == ["a", "b"]
    assert list(ordered["spec"]["containers"][0]) == ["name", "terminationMessagePolicy", "imagePullPolicy"]
    assert ordered == pod
    assert in_struct_order({"kind": "Unknown", "b": 1, "a": 2}) == {"kind": "Unknown", "b": 1, "a": 2}
