"""A whole cluster in leaping time to break things in, with short words for what these tests ask again and again."""

import json

from cluster_engine.faults import read


class Sandbox:
    """A cluster with short words for what these tests ask again and again."""

    def __init__(self, cluster):
        self.cluster, self.world = cluster, cluster.world
        self.until = cluster.world.until

    def inject(self, name, **fields):
        return self.cluster.inject(read({"name": name, **fields}))

    async def kubectl(self, line):
        printed = []
        code = await self.cluster.command(f"kubectl {line}", lambda _, text: printed.append(text))
        return code, "".join(printed)

    def pods(self):
        return self.cluster.objects("/registry/pods/default/")

    def running(self):
        ready = {"type": "Ready", "status": "True"}.items()
        return [
            pod
            for pod in self.pods()
            if "deletionTimestamp" not in pod["metadata"]
            and any(ready <= condition.items() for condition in pod["status"].get("conditions", []))
        ]

    def node(self, name):
        return next(one for one in self.cluster.objects("/registry/minions/") if one["metadata"]["name"] == name)

    def ready(self, name):
        return next(one["status"] for one in self.node(name)["status"]["conditions"] if one["type"] == "Ready")

    def taints(self, name):
        return {
            (taint["key"].rpartition("/")[2], taint["effect"]) for taint in self.node(name)["spec"].get("taints", [])
        }

    def waiting(self):
        statuses = [one for pod in self.pods() for one in pod["status"].get("containerStatuses", [])]
        return {one["state"].get("waiting", {}).get("reason") for one in statuses} - {None}

    def notes(self, kind):
        return [one for one in self.cluster.journal.since(0, 10**6) if one["kind"] == kind]

    def answers(self, who, since):
        """Count the API server's answers to somebody by status code."""
        entries = self.cluster.journal.since(since, 10**6)
        return {one["fields"].get("status") for one in entries if one["kind"] == "http.response" and one["to"] == who}

    async def deploy(self, replicas=2, name="web"):
        assert (await self.kubectl(f"create deployment {name} --image=nginx --replicas={replicas}"))[0] == 0

    async def all_well(self, replicas, within_seconds=400.0):
        """Wait until nodes are ready, pods run, no fault is left and nobody's pod runs where it should not."""

        def well():
            nodes = self.cluster.objects("/registry/minions/")
            return (
                len(self.running()) == len(self.pods()) == replicas
                and all(self.ready(node["metadata"]["name"]) == "True" for node in nodes)
                and not any(node["spec"].get("taints") for node in nodes)
            )

        await self.until(well, within_seconds=within_seconds)
        assert not self.cluster.faults
        assert all(process.is_alive for process in self.cluster.processes.values())
        code, printed = await self.kubectl("get pods -o json")
        assert code == 0
        served = {(pod["metadata"]["name"], pod["metadata"]["uid"]) for pod in json.loads(printed)["items"]}
        assert served == {(pod["metadata"]["name"], pod["metadata"]["uid"]) for pod in self.pods()}
