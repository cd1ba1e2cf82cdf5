"""What an API server reads at its start that an administrator wrote: its flags, audit and ABAC policies, unit files."""

import contextlib
import random
import shlex

from tests.fuzz import making

AUDIT = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, verbs: [watch], nonResourceURLs: ["/healthz*"]}
- level: RequestResponse
  users: [jane]
  resources: [{group: "", resources: [pods, "*/scale"], resourceNames: [a]}]
  namespaces: ["", a]
  omitManagedFields: true
"""
ABAC = """# who may what
{"user": "jane", "readonly": true}
{"apiVersion": "abac.authorization.kubernetes.io/v1beta1", "kind": "Policy",
{"apiVersion": "abac.authorization.kubernetes.io/v1beta1", "kind": "Policy", "spec": {"group": "*", "resource": "*"}}
"""
FLAGS = """kube-apiserver --authorization-mode=Node,RBAC --audit-log-maxsize=3 --audit-log-path /a
--authorization-webhook-cache-authorized-ttl=5m30s --tls-cipher-suites=TLS_RSA_WITH_AES_128_CBC_SHA -v=2"""
UNIT = "[Unit]\nDescription=x\n[Service]\nExecStart=\nExecStart=kube-apiserver 'a b' \\\n  --x=1\n"
TEXTS = {"audit": AUDIT, "abac": ABAC, "flags": FLAGS, "unit": UNIT}


def make_policy(rng: random.Random) -> tuple[str, bytes]:
    """One of them with bytes changed, or none."""
    what = rng.choice(list(TEXTS))
    return what, making.spoiled_bytes(rng, TEXTS[what].encode())


def take_policy(case: tuple[str, bytes]) -> None:
    """It is refused in words, or a request can be judged by it."""
    from cluster_engine.apiserver import flags
    from cluster_engine.apiserver.audit import policy
    from cluster_engine.apiserver.authentication.users import User
    from cluster_engine.apiserver.authorization import abac
    from cluster_engine.apiserver.authorization.attributes import Attributes
    from cluster_engine.world.files import FileSystem
    from cluster_engine.world.unit_files import FOLDER, command_line

    what, text = case
    asked = Attributes(User("jane", groups=("a",)), "get", resource="pods", namespace="a", name="a")
    match what:
        case "audit":
            with contextlib.suppress(policy.PolicyError):
                policy.load(text, "/p").evaluate(asked)
        case "abac":
            with contextlib.suppress(abac.PolicyLoadError):
                abac.load(text, "/p").authorize(asked)
        case "flags":
            with contextlib.suppress(ValueError):
                words = shlex.split(text.decode("utf-8", "replace"))
                with contextlib.suppress(flags.FlagError):
                    flags.read(words)
        case _:
            files = FileSystem()
            files.write(f"{FOLDER}/kube-apiserver.service", text)
            assert command_line(files, "kube-apiserver", ("usual",))
