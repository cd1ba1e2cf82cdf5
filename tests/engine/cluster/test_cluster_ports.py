"""Every port of the control plane that says how a component is and what it counts, asked as an administrator asks."""

import json
import re


async def asked(sh, line):
    code, printed = await sh.cluster.administer(f"curl -sk {line}")
    assert code == 0, printed
    return printed


def value(text, name, /, **labels):
    """The value of the one sample of a name with such labels, among others."""
    found = []
    for line in text.splitlines():
        if match := re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line):
            said = dict(re.findall(r'(\w+)="([^"]*)"', match[1] or ""))
            if labels.items() <= said.items():
                found.append(float(match[2]))
    assert len(found) == 1, (name, labels, found)
    return found[0]


def test_the_ports_of_the_control_plane_tell_health_to_all_and_metrics_to_whom_the_api_server_allows(workstation):
    async def story(sh):
        await sh.ok(
            "kubectl create sa scraper; kubectl create clusterrole scraper --verb=get --non-resource-url=/metrics"
        )
        await sh.ok("kubectl create clusterrolebinding scraper --clusterrole=scraper --serviceaccount=default:scraper")
        await sh.ok("kubectl create deployment web --image=nginx --replicas=2")
        nowhere = '{"apiVersion":"v1","spec":{"nodeSelector":{"no":"node"}}}'
        await sh.ok(f"kubectl run big --image=nginx --overrides='{nowhere}'")
        await sh.wait_for("kubectl get events", "FailedScheduling")

        for port, checks in (
            (10257, ("leaderElection", "deployment-controller", "node-ipam-controller")),
            (10259, ("leaderElection",)),
        ):
            assert await asked(sh, f"https://127.0.0.1:{port}/healthz") == "ok"
            verbose = await asked(sh, f"https://127.0.0.1:{port}/healthz?verbose")
            assert all(f"[+]{check} ok\n" in verbose for check in checks)
            assert verbose.endswith("healthz check passed\n")
            refused = await asked(sh, f"-w %{{http_code}} https://127.0.0.1:{port}/metrics")
            assert 'User \\"system:anonymous\\" cannot get path \\"/metrics\\"' in refused and refused.endswith("403")
            wrong = await asked(sh, f"-w %{{http_code}} -H 'Authorization: Bearer x' https://127.0.0.1:{port}/metrics")
            assert wrong.endswith("401")
        assert "[+]sched-handler-sync ok" in await asked(sh, "https://127.0.0.1:10259/readyz?verbose")

        token = (await sh.ok("kubectl create token scraper")).strip()
        bearer = f"-H 'Authorization: Bearer {token}'"
        scheduler = await asked(sh, f"{bearer} https://127.0.0.1:10259/metrics")
        assert value(scheduler, "scheduler_schedule_attempts_total", result="scheduled") == 2
        assert value(scheduler, "scheduler_pending_pods", queue="unschedulable") == 1
        assert value(scheduler, "leader_election_master_status", name="kube-scheduler") == 1
        manager = await asked(sh, f"{bearer} https://127.0.0.1:10257/metrics")
        assert value(manager, "workqueue_adds_total", name="replicaset") >= 3
        assert value(manager, "rest_client_requests_total", code="201", method="POST") > 10
        assert value(manager, "process_start_time_seconds") > 1.7e9

        server = await asked(sh, f"{bearer} https://10.0.0.1:6443/metrics")
        assert value(server, "apiserver_request_total", resource="pods", subresource="binding", code="201") == 2
        assert value(server, "apiserver_storage_objects", resource="deployments.apps") == 1
        assert value(server, "etcd_request_duration_seconds_count", operation="create", type="deployments") == 1
        assert value(server, "apiserver_longrunning_requests", resource="nodes", verb="WATCH", scope="cluster") >= 2
        assert value(server, "apiserver_current_inflight_requests", request_kind="readOnly") == 1

        health = await asked(sh, "'https://10.0.0.1:6443/readyz?verbose&exclude=etcd&exclude=foo'")
        assert "[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\n" in health
        assert 'warn: some health checks cannot be excluded: no matches for "foo"\nreadyz check passed\n' in health
        assert await sh.ok("kubectl get --raw /livez/etcd") == "ok"
        assert "NotFound" in (await sh("kubectl get --raw /livez/nope")).err
        pki = "/etc/kubernetes/pki/etcd"
        pair = f"--cert {pki}/healthcheck-client.crt --key {pki}/healthcheck-client.key"
        assert await asked(sh, f"{pair} https://127.0.0.1:2379/health") == '{"health":"true","reason":""}'
        assert await asked(sh, f"--http1.1 {pair} https://127.0.0.1:2379/health") == '{"health":"true","reason":""}'
        assert await asked(sh, f"{pair} https://127.0.0.1:2379/nope") == "404 page not found\n"
        assert '"name":"control-plane"' in await asked(sh, f"{pair} https://10.0.0.1:2380/members")
        code, _ = await sh.cluster.administer("curl -sk https://127.0.0.1:2379/health")
        assert code == 56  # the handshake wants a certificate
        ready = "[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\nok\n"
        assert await asked(sh, "http://127.0.0.1:2381/readyz?verbose") == ready
        etcd = await asked(sh, "http://127.0.0.1:2381/metrics")
        assert value(etcd, "etcd_server_has_leader") == 1
        assert value(etcd, "etcd_mvcc_db_total_size_in_bytes") > 100_000
        assert value(etcd, "etcd_disk_wal_fsync_duration_seconds_count") > 50
        assert value(etcd, "grpc_server_started_total", grpc_method="Txn") > 50
        code, _ = await sh.cluster.administer("curl -s http://127.0.0.1:10255/healthz")
        assert code == 7

    workstation(story, nodes=1)


def test_configz_tells_what_the_scheduler_and_the_controller_manager_are_set_to(workstation):
    async def story(sh):
        await sh.ok(
            "kubectl create sa reader; kubectl create clusterrole reader --verb=get --non-resource-url=/configz"
        )
        await sh.ok("kubectl create clusterrolebinding reader --clusterrole=reader --serviceaccount=default:reader")
        token = (await sh.ok("kubectl create token reader")).strip()
        bearer = f"-H 'Authorization: Bearer {token}'"
        told = [json.loads(await asked(sh, f"{bearer} https://127.0.0.1:{port}/configz")) for port in (10259, 10257)]
        refused = await asked(sh, "https://127.0.0.1:10259/configz")
        lease = json.loads(await sh.ok("kubectl get lease kube-scheduler -n kube-system -o json"))
        return *told, refused, lease

    scheduler, manager, refused, lease = workstation(story)
    election = scheduler["componentconfig"]["LeaderElection"]
    assert election["LeaseDuration"] == f"{lease['spec']['leaseDurationSeconds']}s"
    assert election["ResourceName"] == lease["metadata"]["name"]
    assert scheduler["componentconfig"]["ClientConnection"]["Kubeconfig"] == "/etc/kubernetes/scheduler.conf"
    assert scheduler["componentconfig"]["Profiles"] == [{"SchedulerName": "default-scheduler"}]
    told = manager["kubecontrollermanager.config.k8s.io"]
    assert told["NodeLifecycleController"]["NodeMonitorGracePeriod"] == "50s"
    assert told["KubeCloudShared"]["NodeMonitorPeriod"] == "5s"
    assert told["Generic"]["LeaderElection"]["ResourceName"] == "kube-controller-manager"
    assert 'cannot get path \\"/configz\\"' in refused
