"""The containers and volumes of a pod, or of a template for pods. Modelled on kubectl/pkg/describe/describe.go."""

from collections.abc import Mapping

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.describe.lines import Lines, date, title_case


def describe_containers(
    lines: Lines,
    label: str,
    containers: list[Object],
    statuses: Mapping[str, Object] | None,
    *,
    space: str = "",
    pod: Object | None = None,
) -> None:
    """Write containers; with `statuses` also how they are."""
    lines.raw.append(f"{space}{label}:")
    for container in containers:
        status = statuses.get(container["name"]) if statuses is not None else None
        _basics(lines, container, status, " " if space else "")
        for field, title in (("command", "Command"), ("args", "Args")):
            if container.get(field):
                lines.add(2, f"{title}:")
                for word in container[field]:
                    for line in word.split("\n"):
                        lines.add(3, line)
        if status is not None:
            _state(lines, status)
        _resources(lines, container.get("resources") or {})
        for field, title in (
            ("livenessProbe", "Liveness"),
            ("readinessProbe", "Readiness"),
            ("startupProbe", "Startup"),
        ):
            if container.get(field):
                lines.add(2, f"{title}:\t{_probe(container[field])}")
        _environment(lines, container, pod)
        _mounts(lines, container.get("volumeMounts") or [])


def _basics(lines: Lines, container: Object, status: Object | None, indent: str) -> None:
    lines.add(1, f"{indent}{container['name']}:")
    if status is not None:
        lines.add(2, f"Container ID:\t{status.get('containerID', '')}")
    lines.add(2, f"Image:\t{container.get('image', '')}")
    if status is not None:
        lines.add(2, f"Image ID:\t{status.get('imageID', '')}")
    ports = container.get("ports") or []
    plural = "s" if len(ports) > 1 else ""
    for title, field in (("Port", "containerPort"), ("Host Port", "hostPort")):
        text = ", ".join(f"{port.get(field, 0)}/{port.get('protocol', 'TCP')}" for port in ports)
        lines.add(2, f"{title}{plural}:\t{text or '<none>'}")


def _state(lines: Lines, status: Object) -> None:
    _one_state(lines, "State", status.get("state") or {})
    if "terminated" in (status.get("lastState") or {}):
        _one_state(lines, "Last State", status["lastState"])
    lines.add(2, f"Ready:\t{title_case(bool(status.get('ready')))}")
    lines.add(2, f"Restart Count:\t{status.get('restartCount', 0)}")


def _one_state(lines: Lines, title: str, state: Object) -> None:
    if "running" in state:
        lines.add(2, f"{title}:\tRunning")
        lines.add(3, f"Started:\t{date(state['running'].get('startedAt'))}")
    elif "terminated" in state:
        ended = state["terminated"]
        lines.add(2, f"{title}:\tTerminated")
        if ended.get("reason"):
            lines.add(3, f"Reason:\t{ended['reason']}")
        if ended.get("message"):
            lines.add(3, f"Message:\t{ended['message']}")
        lines.add(3, f"Exit Code:\t{ended.get('exitCode', 0)}")
        lines.add(3, f"Started:\t{date(ended.get('startedAt'))}")
        lines.add(3, f"Finished:\t{date(ended.get('finishedAt'))}")
    else:
        lines.add(2, f"{title}:\tWaiting")
        if reason := (state.get("waiting") or {}).get("reason"):
            lines.add(3, f"Reason:\t{reason}")


def _resources(lines: Lines, resources: Object) -> None:
    for field, title in (("limits", "Limits"), ("requests", "Requests")):
        if resources.get(field):
            lines.add(2, f"{title}:")
            for name in sorted(resources[field]):
                lines.add(3, f"{name}:\t{resources[field][name]}")


def _probe(probe: Object) -> str:
    times = (
        f"delay={probe.get('initialDelaySeconds', 0)}s timeout={probe.get('timeoutSeconds', 1)}s "
        f"period={probe.get('periodSeconds', 10)}s #success={probe.get('successThreshold', 1)} "
        f"#failure={probe.get('failureThreshold', 3)}"
    )
    if "exec" in probe:
        return f"exec [{' '.join(probe['exec'].get('command') or [])}] {times}"
    if "httpGet" in probe:
        get = probe["httpGet"]
        scheme, path = str(get.get("scheme") or "HTTP").lower(), str(get.get("path") or "")
        path = path if path.startswith("/") or not path else f"/{path}"
        return f"http-get {scheme}://{get.get('host', '')}:{get['port']}{path} {times}"
    if "tcpSocket" in probe:
        return f"tcp-socket {probe['tcpSocket'].get('host', '')}:{probe['tcpSocket']['port']} {times}"
    if "grpc" in probe:
        return f"grpc <pod>:{probe['grpc']['port']} {probe['grpc'].get('service') or ''} {times}"
    return f"unknown {times}"


def _environment(lines: Lines, container: Object, pod: Object | None) -> None:
    if sources := container.get("envFrom"):
        lines.add(2, "Environment Variables from:")
        for source in sources:
            what, reference = (
                ("ConfigMap", source["configMapRef"]) if source.get("configMapRef") else ("Secret", source["secretRef"])
            )
            prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
            lines.add(3, f"{reference['name']}\t{what}{prefix}\tOptional: {_truth(reference.get('optional', False))}")
    variables = container.get("env") or []
    lines.add(2, "Environment:" if variables else "Environment:\t<none>")
    for variable in variables:
        name = variable["name"]
        if "valueFrom" not in variable:
            first, *rest = str(variable.get("value") or "").split("\n")
            lines.add(3, f"{name}:\t{first}")
            for line in rest:
                lines.add(3, f"\t{line}")
            continue
        lines.add(3, f"{name}:\t{_source(variable['valueFrom'], pod)}")


def _source(source: Object, pod: Object | None) -> str:
    if field := source.get("fieldRef"):
        known = {"metadata.name": "name", "metadata.namespace": "namespace", "metadata.uid": "uid"}.get(
            field["fieldPath"]
        )
        value = pod["metadata"].get(known, "") if pod is not None and known else ""
        return f"{value} ({field.get('apiVersion', 'v1')}:{field['fieldPath']})"
    if resource := source.get("resourceFieldRef"):
        return f"{resource.get('divisor', '')} ({resource['resource']})"
    if secret := source.get("secretKeyRef"):
        optional = _truth(secret.get("optional", False))
        return f"<set to the key '{secret['key']}' in secret '{secret['name']}'>\tOptional: {optional}"
    config = source["configMapKeyRef"]
    optional = _truth(config.get("optional", False))
    return f"<set to the key '{config['key']}' of config map '{config['name']}'>\tOptional: {optional}"


def _mounts(lines: Lines, mounts: list[Object]) -> None:
    lines.add(2, "Mounts:" if mounts else "Mounts:\t<none>")
    for mount in sorted(mounts, key=lambda mount: str(mount["mountPath"])):
        flags = "ro" if mount.get("readOnly") else "rw"
        if mount.get("subPath"):
            flags += f',path="{mount["subPath"]}"'
        lines.add(3, f"{mount['mountPath']} from {mount['name']} ({flags})")


def describe_volumes(lines: Lines, volumes: list[Object], *, space: str = "") -> None:
    """Write the volumes."""
    if not volumes:
        lines.raw.append(f"{space}Volumes:\t<none>")
        return
    lines.raw.append(f"{space}Volumes:")
    for volume in volumes:
        lines.add(1, f"{' ' if space else ''}{volume['name']}:")
        for line in _volume(volume):
            lines.add(2, line)


def _volume(volume: Object) -> list[str]:
    if "emptyDir" in volume:
        empty = volume["emptyDir"] or {}
        return [
            "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)",
            f"Medium:\t{empty.get('medium', '')}",
            f"SizeLimit:\t{empty.get('sizeLimit', '<unset>')}",
        ]
    if "hostPath" in volume:
        path = volume["hostPath"]
        return [
            "Type:\tHostPath (bare host directory volume)",
            f"Path:\t{path['path']}",
            f"HostPathType:\t{path.get('type', '')}",
        ]
    if "secret" in volume:
        secret = volume["secret"]
        name, optional = secret.get("secretName", ""), _truth(secret.get("optional", False))
        return ["Type:\tSecret (a volume populated by a Secret)", f"SecretName:\t{name}", f"Optional:\t{optional}"]
    if "configMap" in volume:
        config = volume["configMap"]
        optional = _truth(config.get("optional", False))
        return [
            "Type:\tConfigMap (a volume populated by a ConfigMap)",
            f"Name:\t{config['name']}",
            f"Optional:\t{optional}",
        ]
    if "projected" in volume:
        found = ["Type:\tProjected (a volume that contains injected data from multiple sources)"]
        return found + [line for source in volume["projected"].get("sources") or [] for line in _projection(source)]
    return ["Type:\t<unknown>"]


def _projection(source: Object) -> list[str]:
    if secret := source.get("secret"):
        return [f"SecretName:\t{secret.get('name')}", f"SecretOptionalName:\t{_truth(secret.get('optional'))}"]
    if "downwardAPI" in source:
        return ["DownwardAPI:\ttrue"]
    if config := source.get("configMap"):
        return [f"ConfigMapName:\t{config.get('name')}", f"ConfigMapOptional:\t{_truth(config.get('optional'))}"]
    if token := source.get("serviceAccountToken"):
        return [f"TokenExpirationSeconds:\t{token.get('expirationSeconds')}"]
    return []


def tolerations(spec: Object) -> list[str]:
    """Write tolerations, one a text."""
    texts = []
    for toleration in sorted(spec.get("tolerations") or [], key=lambda each: str(each.get("key", ""))):
        text = toleration.get("key", "")
        if toleration.get("value"):
            text += f"={toleration['value']}"
        if toleration.get("effect"):
            text += f":{toleration['effect']}" if text else toleration["effect"]
        if toleration.get("operator") == "Exists" and not toleration.get("value"):
            text += " op=Exists" if text else "op=Exists"
        if toleration.get("tolerationSeconds") is not None:
            text += f" for {toleration['tolerationSeconds']}s"
        texts.append(text)
    return texts


def _truth(value: bool | None) -> str:
    return "<nil>" if value is None else "true" if value else "false"
