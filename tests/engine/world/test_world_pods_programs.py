"""Programs that run in pods: the supervisor does not start them, but whoever wants them down is obeyed."""

import asyncio

from cluster_engine.world.supervisor import HELD_CODE, Program, Supervisor

MANIFEST = "/etc/kubernetes/manifests/program.yaml"


async def forever(process):
    process.ready()
    await asyncio.Event().wait()


def installed(world, manifest=MANIFEST):
    host = world.add_host("a", "10.0.0.1")
    supervisor = Supervisor(world)
    supervisor.install(Program("a", "program", forever), manifest)
    if manifest:
        host.files.write(manifest, b"kind: Pod")
    return host, supervisor


def as_its_container_does(world, host):
    return world.spawn(host, "program", host.components["program"])


def test_it_is_started_by_others_and_known_by_its_id(run):
    async def story(world):
        host, supervisor = installed(world)
        assert not supervisor.processes and not host.units
        process = as_its_container_does(world, host)
        await process.wait_ready()
        assert supervisor.processes == {"a/program": process}

    run(story)


def test_its_manifest_is_away_while_anybody_holds_it(run):
    async def story(world):
        host, supervisor = installed(world)
        process = as_its_container_does(world, host)
        await process.wait_ready()
        await supervisor.hold("a/program", "one", kill=True)
        await supervisor.hold("a/program", "two")
        assert not process.is_alive and not host.files.exists(MANIFEST)
        supervisor.release("a/program", "one")
        assert not host.files.exists(MANIFEST)
        supervisor.release("a/program", "two")
        assert host.files.read(MANIFEST) == b"kind: Pod"

    run(story)


def test_a_manifest_that_somebody_else_took_away_is_not_put_back(run):
    async def story(world):
        host, supervisor = installed(world)
        host.files.remove(MANIFEST)
        await supervisor.hold("a/program", "one")
        supervisor.release("a/program", "one")
        assert not host.files.exists(MANIFEST)

    run(story)


def test_without_a_manifest_it_ends_as_soon_as_it_is_started_while_held(run):
    async def story(world):
        host, supervisor = installed(world, manifest="")
        await supervisor.hold("a/program", "one")
        assert await as_its_container_does(world, host).wait() == HELD_CODE
        supervisor.release("a/program", "one")
        await as_its_container_does(world, host).wait_ready()

    run(story)


def test_a_second_one_ends_while_the_first_runs(run):
    async def story(world):
        host, supervisor = installed(world)
        first = as_its_container_does(world, host)
        await first.wait_ready()
        assert await as_its_container_does(world, host).wait() == HELD_CODE
        assert first.is_alive and supervisor.processes["a/program"] is first

    run(story)
