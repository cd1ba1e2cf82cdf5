"""What Tab finds, and what kubectl says of it."""

import pytest


@pytest.mark.parametrize(
    ("line", "begin", "words"),
    [
        ("kubec", 0, ("kubectl",)),
        ("ls; kubec", 4, ("kubectl",)),
        ("A=b sudo kubec", 9, ("kubectl",)),
        ("ssh work", 4, ("worker-1", "worker-2", "workstation")),
        ("cat we", 4, ("web.yaml",)),
        ("cat /etc/host", 5, None),
        ("kubectl conf", 8, ("config",)),
        ("kubectl rollout re", 16, ("restart", "resume")),
        ("kubectl config use-context kube", 27, ("kubernetes-admin@kubernetes",)),
        ("kubectl get --fiel", 12, ("--field-selector",)),
        ("kubectl get deploy", 12, ("deployments.apps",)),
        ("kubectl get b", 12, ()),  # a binding can be created, but not read
        ("k get pods -n kube-n", 14, ("kube-node-lease",)),
        ("kubectl get no/worker-", 12, ("no/worker-1", "no/worker-2")),
        ("kubectl get nodes worker-1 work", 27, ("worker-2",)),
        ("kubectl -n kube-system get cm kube-root", 30, ("kube-root-ca.crt",)),
        ("kubectl cordon worker-", 15, ("worker-1", "worker-2")),
        ("kubectl get nosuch x", 19, ()),
        ("kubectl nosuch x", 15, ()),
        ("kubectl apply -f conf", 17, ("config.yaml",)),
        ("kubectl get pods -o y", 20, ("yaml",)),
        ("", 0, None),
        ("   ", 3, None),
        ("'", 0, ()),
        (";|&&&(((" * 100, 800, None),
    ],
)
def test_tab_finds_what_may_stand_at_the_end_of_a_line(shared_workstation, line, begin, words):
    async def story(sh):
        await sh.ok("ls")  # the examples are there after the first line
        found = await sh.cluster.terminal().complete(line)
        if words is not None:
            assert found.words == words
            assert found.begin == begin

    shared_workstation(story)


def test_names_are_asked_of_the_server_by_a_process(workstation):
    async def story(sh):
        entries = []
        sh.cluster.journal.subscribe(entries.append)
        found = await sh.cluster.terminal().complete("kubectl get nodes work")
        assert found.words == ("worker-1", "worker-2")
        asked = [
            entry["label"]
            for entry in entries
            if entry["kind"] == "http.request" and entry["from"] == "workstation/kubectl"
        ]
        assert asked == ["GET /api", "GET /apis", "GET nodes"], asked

    workstation(story, capture=True)


def test_kubectl_says_what_it_would_understand_as_shells_ask_for_it(workstation):
    async def story(sh):
        done = await sh("kubectl __complete rollout und")
        assert done.out == "undo\tUndo a previous rollout\n:4\n"
        assert done.err == "Completion ended with directive: ShellCompDirectiveNoFileComp\n"
        assert (await sh("kubectl __complete apply -f ''")).out == ":0\n"
        assert (await sh("kubectl __complete")).out.startswith("alpha\t")

    workstation(story)


def test_a_server_that_does_not_answer_holds_nobody_up(workstation):
    async def story(sh):
        sh.cluster.world.host("control-plane").power_off()
        now = sh.cluster.clock.now
        assert (await sh.cluster.terminal().complete("kubectl get nodes w")).words == ()
        assert sh.cluster.clock.now - now <= 10

    workstation(story)
