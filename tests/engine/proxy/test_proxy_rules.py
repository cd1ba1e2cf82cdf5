import re

from cluster_engine.proxy import iptables
from cluster_engine.proxy.services import ServicePort, service_ports


def service(name="web", cluster_ip="10.96.4.7", ports=None, **spec):
    listed = ports or [{"port": 80, "protocol": "TCP"}]
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"clusterIP": cluster_ip, "ports": listed, **spec},
    }


def slice_(*addresses, service="web", port=8080, port_name="", conditions=None):
    return {
        "metadata": {"name": f"{service}-x", "namespace": "default", "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "ports": [{"name": port_name, "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [each], "conditions": conditions or {"ready": True}} for each in addresses],
    }


def test_a_service_port_leads_to_the_endpoints_of_all_its_slices():
    (port,) = service_ports([service()], [slice_("10.244.2.2"), slice_("10.244.1.2"), slice_("10.9.9.9", service="x")])
    assert port == ServicePort("default/web", "tcp", "10.96.4.7", 80, 0, ("10.244.1.2:8080", "10.244.2.2:8080"))


def test_ports_are_told_apart_by_name():
    ports = [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]
    slices = [slice_("10.244.1.2", port_name="http"), slice_("10.244.1.2", port_name="admin", port=9000)]
    found = service_ports([service(ports=ports)], slices)
    assert [(port.name, port.endpoints) for port in found] == [
        ("default/web:admin", ("10.244.1.2:9000",)),
        ("default/web:http", ("10.244.1.2:8080",)),
    ]


def test_headless_and_external_services_have_no_rules():
    assert service_ports([service(cluster_ip="None"), service(type="ExternalName")], []) == []


def test_pods_on_their_way_out_serve_only_if_nobody_else_does():
    ending = {"ready": False, "serving": True, "terminating": True}
    (port,) = service_ports([service()], [slice_("10.244.1.2", conditions=ending)])
    assert port.endpoints == ("10.244.1.2:8080",)
    (port,) = service_ports([service()], [slice_("10.244.1.2", conditions=ending), slice_("10.244.1.3")])
    assert port.endpoints == ("10.244.1.3:8080",)
    (port,) = service_ports([service()], [slice_("10.244.1.4", conditions={"ready": False})])
    assert port.endpoints == ()


def test_chain_names_are_those_of_every_real_cluster():
    assert iptables.chain("KUBE-SVC-", "default/kubernetes:https", "tcp") == "KUBE-SVC-NPX46M4PTMTKRN6Y"
    assert iptables.chain("KUBE-SVC-", "kube-system/kube-dns:dns", "udp") == "KUBE-SVC-TCOU7JCQXEZGVUNU"


def text(*ports):
    return "".join(table.text for table in iptables.tables(list(ports)))


def rules(*ports):
    return text(*ports).splitlines()


def test_each_endpoint_is_chosen_with_equal_chance():
    endpoints = tuple(f"10.244.1.{number}:80" for number in (2, 3, 4))
    found = "\n".join(rules(ServicePort("default/web", "tcp", "10.96.4.7", 80, 0, endpoints)))
    assert re.findall(r"--probability (\S+)", found) == ["0.33333333349", "0.50000000000"]
    left, shares = 1.0, []
    for probability in [*map(float, re.findall(r"--probability (\S+)", found)), 1.0]:
        shares.append(left * probability)
        left -= shares[-1]
    assert all(abs(share - 1 / 3) < 1e-8 for share in shares)


def test_a_packet_finds_its_way_through_the_chains():
    found = rules(ServicePort("default/web", "tcp", "10.96.4.7", 80, 30080, ("10.244.1.2:8080",)))
    service_chain = iptables.chain("KUBE-SVC-", "default/web", "tcp")
    endpoint_chain = iptables.chain("KUBE-SEP-", "default/web", "tcp", "10.244.1.2:8080")
    external_chain = iptables.chain("KUBE-EXT-", "default/web", "tcp")
    match = '-d 10.96.4.7/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80'
    assert f"-A KUBE-SERVICES {match} -j {service_chain}" in found
    assert f'-A {service_chain} -m comment --comment "default/web -> 10.244.1.2:8080" -j {endpoint_chain}' in found
    assert (
        f'-A {endpoint_chain} -p tcp -m comment --comment "default/web" -m tcp -j DNAT --to-destination 10.244.1.2:8080'
        in found
    )
    assert f"--dport 30080 -j {external_chain}" in "\n".join(found)
    for chain in (service_chain, endpoint_chain, external_chain):
        assert f":{chain} - [0:0]" in found


def test_every_jump_leads_to_a_chain_that_is_declared():
    ports = [
        ServicePort(f"d/s{n}", "tcp", f"10.96.0.{n}", 80, 30000 + n, (f"10.1.1.{n}:80",) * (n % 2)) for n in range(1, 9)
    ]
    for table in text(*ports).split("COMMIT\n")[:-1]:
        declared = set(re.findall(r"^:(\S+)", table, re.M)) | {
            "REJECT",
            "DNAT",
            "MARK",
            "MASQUERADE",
            "RETURN",
            "ACCEPT",
            "DROP",
        }
        assert {jump.split()[0] for jump in re.findall(r"-j (\S+)", table)} <= declared
        assert set(re.findall(r"^-A (\S+)", table, re.M)) <= declared


def test_a_port_without_endpoints_is_rejected_at_once():
    found = rules(ServicePort("default/web", "tcp", "10.96.4.7", 80, 0, ()))
    assert [line for line in found if "10.96.4.7" in line] == [
        '-A KUBE-SERVICES -d 10.96.4.7/32 -p tcp -m comment --comment "default/web has no endpoints" -m tcp --dport 80 '
        "-j REJECT --reject-with icmp-port-unreachable"
    ]
