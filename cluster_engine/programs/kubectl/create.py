"""`kubectl create`: objects from a file, or made from a few flags.

    create deployment web --image=nginx      POST …/deployments?fieldManager=kubectl-create&fieldValidation=Strict
    create -f pod.yaml                       GET /openapi/v3 …, POST …
    create --raw /api/v1/… -f binding.json   POST of what the file says, as it is, to this path

Modelled on kubectl/pkg/cmd/create. Left out: every other generator, --edit.
"""

import re

from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.api.strconv import parse_int
from cluster_engine.programs.kubectl import errors, output
from cluster_engine.programs.kubectl.arguments import FILE_FLAGS as FILES
from cluster_engine.programs.kubectl.arguments import NO_KUSTOMIZE
from cluster_engine.programs.kubectl.documents import to_compact_typed_json
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import namespace_of, read_manifests, resource_of
from cluster_engine.programs.kubectl.schemas import download
from cluster_engine.programs.kubectl.session import Session

MANAGER = "kubectl-create"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_IMAGE = re.compile(
    r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[\w][\w.-]{0,127})?(?:@[a-z0-9+.]+:[0-9a-fA-F]{32,})?"
)
COMMON_FLAGS = (
    *output.FLAGS,
    output.DRY_RUN,
    Flag("field-manager", default=""),
    Flag("save-config", kind="bool"),
    Flag("validate", default="strict", without_value="strict"),
)
FILE_FLAGS = (
    *COMMON_FLAGS,
    *FILES,
    Flag("selector", "l", default=""),
    Flag("raw", default=""),
)
DEPLOYMENT_FLAGS = (
    *COMMON_FLAGS,
    Flag("image", kind="strings"),
    Flag("replicas", "r", "int", 1),
    Flag("port", kind="int", default=-1),
)


# -- from files --------------------------------------------------------------------------------------------------------


def is_image(name: str) -> bool:
    """Return whether this can be the name of an image (distribution/reference, ReferenceRegexp)."""
    return _IMAGE.fullmatch(name) is not None


async def from_files(session: Session, arguments: list[str]) -> int:
    """Create what manifests say."""
    if session.flags["kustomize"]:
        raise CommandError(NO_KUSTOMIZE)
    if arguments and not session.flags["filename"]:
        raise CommandError(f"Unexpected args: [{' '.join(arguments)}]\nSee 'kubectl create -h' for help and examples")
    if not session.flags["filename"]:
        raise CommandError("must specify one of -f and -k")
    if session.flags["raw"]:
        return await _raw(session, session.flags["raw"], session.flags["filename"])
    manifests = list(read_manifests(session, session.flags["filename"]))
    if not manifests:
        raise CommandError("no objects passed to create")
    code = 0
    for manifest in manifests:
        resource = await resource_of(session, manifest)
        namespace = namespace_of(session, resource, manifest)
        await download(session, resource)
        dry, manager = session.flags["dry-run"], session.flags["field-manager"] or MANAGER
        try:
            if dry == "client":
                created = manifest.document
                if namespace is not None:
                    created = {**created, "metadata": {**created["metadata"], "namespace": namespace}}
            else:
                path = resource.path(namespace)
                created = await session.post(path, manifest.document, manager=manager, dry_run=dry == "server")
        except Refusal as refusal:
            context = f'error when creating "{manifest.source}"'
            session.err(f"{errors.refusal_text(refusal, context)}\n")
            code = 1
            continue
        name = created["metadata"].get("name") or "<unknown>"  # reviews have none, nor has what answers a Binding
        label = f"status/{name}" if created["kind"] == "Status" else resource.label(name)
        output.tell(session, label, created, "created")
    return code


async def _raw(session: Session, path: str, files: list[str]) -> int:
    """POST a file as it is, and print the answer as it is."""
    wrong = ""
    if len(files) != 1:
        wrong = "--raw can only use a single local file or stdin"
    elif files[0].startswith(("http://", "https://")):
        wrong = "--raw cannot read from a url"
    elif session.flags["output"]:
        wrong = "--raw and --output are mutually exclusive"
    elif not path.startswith("/"):
        wrong = f'--raw must be a valid URL path: parse "{path}": invalid URI for request'
    if wrong:
        raise CommandError(f"{wrong}\nSee 'kubectl create -h' for help and examples")
    try:
        body = session.read(files[0]).encode()
    except CommandError as error:
        raise CommandError(f"open {files[0]}: no such file or directory") from error
    session.out(await session.raw("POST", path, body=body, accept="application/json, */*", content_type=""))
    return 0


# -- from flags --------------------------------------------------------------------------------------------------------


async def create(
    session: Session,
    obj: Object,
    path: str,
    label: str,
    *,
    manager: str = MANAGER,
    failed: str = "",
    done: str = "created",
) -> int:
    """POST an object that flags made (or only show it); `failed` begins the message when the server refuses."""
    manager = session.flags["field-manager"] or manager
    if session.flags["save-config"]:
        annotations = {**(obj["metadata"].get("annotations") or {}), LAST_APPLIED: f"{to_compact_typed_json(obj)}\n"}
        obj = {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}
    if output.is_client_dry_run(session):
        output.tell(session, label, obj, done)
        return 0
    try:
        created = await session.post(path, obj, manager=manager, dry_run=session.flags["dry-run"] == "server")
    except Refusal as refusal:
        if not failed or refusal.code == 401:
            raise
        raise CommandError(f"{failed}{refusal.message}") from refusal
    except ConnectionError as error:
        if not failed:
            raise
        url = f"{session.url}{path}?fieldManager={manager}&fieldValidation=Strict"
        raise CommandError(f'{failed}Post "{url}": {error}') from error
    output.tell(session, label, {"kind": obj["kind"], "apiVersion": obj["apiVersion"], **created}, done)
    return 0


def named(arguments: list[str], command: str) -> str:
    """Return the one NAME. CommandError."""
    if len(arguments) != 1:
        hint = f"See 'kubectl create {command} -h' for help and examples"
        raise CommandError(f"exactly one NAME is required, got {len(arguments)}\n{hint}")
    return arguments[0]


def new_metadata(name: str, namespace: str | None = None, **labels: str) -> Object:
    """Return what an object that flags make has for metadata."""
    metadata: Object = {"creationTimestamp": None, "name": name}
    if labels:
        metadata["labels"] = labels
    if namespace is not None:
        metadata["namespace"] = namespace
    return metadata


def named_namespace(session: Session) -> str | None:
    """Return the namespace that -n names: only then an object itself says where it is to be."""
    return session.namespace if session.flags["namespace"] else None


async def deployment(session: Session, arguments: list[str]) -> int:
    """Make a deployment."""
    images = [image for images in session.flags["image"] for image in images.split(",")]
    if not images:
        raise CommandError('required flag(s) "image" not set')
    dashes = session.flags.before_dashes
    command = arguments[dashes:] if dashes is not None else []
    name = named(arguments[:dashes], "deployment")
    if len(images) > 1 and command:
        raise CommandError("cannot specify multiple --image options and command")
    containers = []
    for image in images:
        container: Object = {"image": image, "name": _container_name(image), "resources": {}}
        if command:
            container["command"] = command
        if session.flags["port"] >= 0:
            container["ports"] = [{"containerPort": session.flags["port"]}]
        containers.append(container)
    labels = {"app": name}
    template = {"metadata": {"creationTimestamp": None, "labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": session.flags["replicas"], "selector": {"matchLabels": labels}, "strategy": {}}
    metadata = new_metadata(name, named_namespace(session), app=name)
    obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    obj |= {"spec": {**spec, "template": template}, "status": {}}
    path = f"/apis/apps/v1/namespaces/{target_namespace(session)}/deployments"
    return await create(session, obj, path, f"deployment.apps/{name}", failed="failed to create deployment: ")


def port_number(text: str) -> int:
    """Read a port. CommandError."""
    try:
        return parse_int(text, bits=32)
    except ValueError as problem:
        raise CommandError(str(problem)) from None


def _container_name(image: str) -> str:
    name = image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    return "".join(letter if letter.isalnum() or letter == "-" else "-" for letter in name.lower()).strip("-")


def target_namespace(session: Session) -> str:
    """Return the namespace to which an object is sent."""
    if session.flags["dry-run"] == "client":
        return session.flags["namespace"] or "default"
    return session.namespace


async def namespace(session: Session, arguments: list[str]) -> int:
    """Make a namespace."""
    name = named(arguments, "namespace")
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": new_metadata(name), "spec": {}, "status": {}}
    return await create(session, obj, "/api/v1/namespaces", f"namespace/{name}")


async def service_account(session: Session, arguments: list[str]) -> int:
    """Make a service account."""
    name = named(arguments, "serviceaccount")
    obj = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": new_metadata(name, named_namespace(session))}
    path = f"/api/v1/namespaces/{target_namespace(session)}/serviceaccounts"
    return await create(session, obj, path, f"serviceaccount/{name}", failed="failed to create serviceaccount: ")
