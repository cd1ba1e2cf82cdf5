"""Kubeconfigs and rights from the terminal: kubeadm kubeconfig, kubectl config, kubectl create role."""

import pytest
import yaml

USER = "ssh control-plane kubeadm kubeconfig user --client-name=anna --org=shop,audit > anna.conf"


def test_kubeadm_makes_somebody_of_a_name_and_groups(workstation):
    async def story(sh):
        await sh.ok(USER)
        who = await sh.ok("kubectl --kubeconfig=anna.conf auth whoami")
        return (
            who,
            await sh("kubectl --kubeconfig=anna.conf get pods"),
            await sh("kubeadm kubeconfig user --client-name=x"),
        )

    who, pods, elsewhere = workstation(story)
    assert [line.split(None, 1)[1] for line in who.splitlines()[1:3]] == ["anna", "[shop audit system:authenticated]"]
    assert 'User "anna" cannot list resource "pods"' in pods.err
    assert (elsewhere.code, "open /etc/kubernetes/pki/ca.crt: no such file" in elsewhere.err) == (1, True)


def test_a_role_from_flags_has_a_rule_for_each_api_group(workstation):
    async def story(sh):
        await sh.ok("kubectl create role reader --verb=get,list --verb=get --resource=pods,deploy,pods/log")
        await sh.ok("kubectl create clusterrole node --verb=get --resource=no --resource-name=worker-1")
        role, cluster = (
            await sh.ok("kubectl get role reader -o yaml"),
            await sh.ok("kubectl get clusterrole node -o yaml"),
        )
        return yaml.safe_load(role)["rules"], yaml.safe_load(cluster)["rules"]

    role, cluster_role = workstation(story)
    assert role == [
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list"]},
    ]
    assert cluster_role == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"], "resourceNames": ["worker-1"]}
    ]


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        ("", "error: at least one verb must be specified"),
        ("--verb=get", "error: at least one resource must be specified"),
        ("--verb=get --resource=ghosts", 'the server doesn\'t have a resource type "ghosts"'),
    ],
)
def test_a_role_without_a_verb_or_a_known_resource_is_not_made(shared_workstation, flags, error):
    async def story(sh):
        return await sh(f"kubectl create role reader {flags}"), await sh.ok("kubectl get roles -A -o name")

    refused, roles = shared_workstation(story)
    assert refused.err == f"{error}\n"
    assert "reader" not in roles


STEPS = [
    ("set-cluster kubernetes --server=https://10.0.0.1:6444", "The connection to the server 10.0.0.1:6444 was refused"),
    ("set-cluster kubernetes --certificate-authority=other.crt", "x509: certificate signed by unknown authority"),
    (
        "set-credentials anna --client-certificate=e.crt --client-key=e.key",
        "You must be logged in to the server (Unauth",
    ),
    ("set-context --current --user=nobody", 'User "system:anonymous" cannot list resource "pods"'),
    ("set-context --current --cluster=nowhere", "The connection to the server localhost:8080 was refused"),
    (
        "delete-context anna@kubernetes",
        "\nError in configuration: context was not found for specified context: anna@kub",
    ),
]


@pytest.mark.parametrize(("edit", "ends"), STEPS)
def test_each_edit_of_a_kubeconfig_breaks_its_own_step(workstation, edit, ends):
    async def story(sh):
        await sh.ok(f"kubectl get pods; {USER}; export KUBECONFIG=anna.conf; pki=/etc/kubernetes/pki")
        await sh.ok("ssh control-plane cat $pki/etcd/ca.crt > other.crt")
        await sh.ok("for x in crt key; do ssh control-plane cat $pki/apiserver-etcd-client.$x > e.$x; done")
        await sh.ok(f"kubectl config {edit}")
        return await sh("echo >&2; kubectl get pods")

    ended = workstation(story)
    assert (ended.code, ends in ended.err) == (1, True), ended.err


def test_a_kubeconfig_is_built_from_nothing_and_used(workstation):
    async def story(sh):
        await sh.ok(f"{USER}; export KUBECONFIG=new/config; ssh control-plane cat /etc/kubernetes/pki/ca.crt > ca.crt")
        said = [
            await sh.ok(f"kubectl config {line}")
            for line in (
                "set-cluster shop --server=https://10.0.0.1:6443 --certificate-authority=ca.crt",
                "set-credentials robot --token=abc",
                "set-context robot@shop --cluster=shop --user=robot --namespace=shop",
                "use-context robot@shop",
                "get-users",
            )
        ]
        return said, yaml.safe_load(await sh.ok("cat new/config")), await sh("kubectl get pods")

    said, config, used = workstation(story)
    assert said == [
        'Cluster "shop" set.\n',
        'User "robot" set.\n',
        'Context "robot@shop" created.\n',
        'Switched to context "robot@shop".\n',
        "NAME\nrobot\n",
    ]
    assert config["clusters"][0]["cluster"]["certificate-authority"] == "../ca.crt"
    assert used.err == "error: You must be logged in to the server (Unauthorized)\n"


def test_a_token_on_the_command_line_counts_where_no_certificate_is_shown(workstation):
    async def story(sh):
        await sh.ok("grep -v client- .kube/config > bare.conf; kubectl get pods")
        return await sh("kubectl --token=abc get pods"), await sh("kubectl --kubeconfig=bare.conf --token=abc get pods")

    beside, alone = workstation(story)
    assert beside.code == 0, "the certificate is looked at first"
    assert alone.err == "error: You must be logged in to the server (Unauthorized)\n"


def test_somebody_may_speak_as_a_member_of_several_groups(workstation):
    async def story(sh):
        return await sh.ok("kubectl --as=jane --as-group=a --as-group=b auth whoami")

    assert "[a b system:authenticated]" in workstation(story)
