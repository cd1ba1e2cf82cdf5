"""`kubeadm token`: the bootstrap tokens with which machines join.

    kubeadm token create                        GET, POST secrets/bootstrap-token-abcdef    abcdef.0123456789abcdef
    kubeadm token create --print-join-command   kubeadm join 10.0.0.1:6443 --token … --discovery-token-ca-cert-hash …
    kubeadm token list, delete abcdef, generate

Modelled on cmd/kubeadm/app/cmd/token.go and phases/bootstraptoken/node (1.32). Left out: --config, --certificate-key,
--dry-run; of list -o.
"""

import base64
from collections.abc import Sequence
from datetime import timedelta

from cluster_engine.api import bootstrap_tokens, time
from cluster_engine.api.bootstrap_tokens import NAMESPACE, SECRET_PREFIX, USAGE_PREFIX, USAGES, value
from cluster_engine.api.causes import go
from cluster_engine.api.kinds import SECRET
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound
from cluster_engine.client.rest import Client
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubeadm.api import admin, asked, short
from cluster_engine.programs.kubeadm.errors import KubeadmError, invalid
from cluster_engine.programs.kubeadm.pins import pin_of
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.programs.kubectl.tabwriter import layout

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
DAY_SECONDS = 24 * 3600.0
KUBECONFIG = Flag("kubeconfig", default="")
CREATE_FLAGS = (
    KUBECONFIG,
    Flag("print-join-command", kind="bool"),
    Flag("ttl", kind="duration", default=DAY_SECONDS),
    Flag("usages", kind="strings"),
    Flag("groups", kind="strings"),
    Flag("description", default=""),
)


async def generate(invocation: Invocation, _: Parsed) -> int:
    """Print a token that is nowhere yet."""
    invocation.out(f"{_random(invocation)}\n")
    return 0


def _random(invocation: Invocation) -> str:
    chance = invocation.process.rng
    id_, secret = ("".join(chance.choice(LETTERS) for _ in range(length)) for length in (6, 16))
    return f"{id_}.{secret}"


async def create(invocation: Invocation, flags: Parsed) -> int:
    """Make a token, and print it or the command that joins by it."""
    token = flags.arguments[0] if flags.arguments else _random(invocation)
    usages, groups = _several(flags["usages"]) or list(USAGES), _several(flags["groups"])
    groups = groups or [bootstrap_tokens.NODE_GROUP]
    if problems := _problems(token, usages, groups):
        raise invalid(problems)
    client = admin(invocation, flags["kubeconfig"])
    data = {f"{USAGE_PREFIX}{usage}": "true" for usage in usages} | {"auth-extra-groups": ",".join(sorted(groups))}
    if flags["description"]:
        data["description"] = flags["description"]
    if flags["ttl"]:
        data["expiration"] = time.rfc3339(invocation.process.now() + timedelta(seconds=flags["ttl"]))
    await _store(client, token, data)
    if flags["print-join-command"]:
        config = client.config
        pin = pin_of(config.ca or b"")
        token = f"kubeadm join {config.host}:{config.port} --token {token} --discovery-token-ca-cert-hash {pin} "
    invocation.out(f"{token}\n")
    await client.aclose()
    return 0


def _several(given: Sequence[str]) -> list[str]:
    return [one for each in given for one in each.split(",") if one]


def _problems(token: str, usages: Sequence[str], groups: Sequence[str]) -> list[str]:
    found = []
    if bootstrap_tokens.parse(token) is None:
        pattern = go(bootstrap_tokens.TOKEN_PATTERN)
        raise KubeadmError(f"the bootstrap token {go(token)} was not of the form {pattern}")
    unknown = sorted(set(usages) - set(USAGES))
    path = "bootstrapTokens[0]"
    if unknown:
        why = (
            f"invalid bootstrap token usage string: {', '.join(unknown)}, valid usage options: authentication, signing"
        )
        found.append(f"{path}.usages: Invalid value: {go(list(usages))}: {why}")
    if groups and "authentication" not in usages:
        why = 'token groups cannot be specified unless --usages includes "authentication"'
        found.append(f"{path}.groups: Invalid value: {go(list(groups))}: {why}")
    bad = filter(None, map(bootstrap_tokens.group_problem, groups))
    return found + [f"{path}.groups: Invalid value: {go(list(groups))}: {problem}" for problem in bad]


async def _store(client: Client, token: str, data: dict[str, str]) -> None:
    id_, _, secret = token.partition(".")
    name = f"{SECRET_PREFIX}{id_}"
    try:
        await asked(client.get(SECRET, name, NAMESPACE), f'unable to look for the bootstrap token "{id_}"')
    except KubeadmError as error:
        if not isinstance(error.__cause__, NotFound):
            raise
    else:
        raise KubeadmError(f'a token with id "{id_}" already exists')
    data = {"token-id": id_, "token-secret": secret, **data}
    document = {
        "kind": SECRET.name,
        "apiVersion": SECRET.api_version,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "type": bootstrap_tokens.TYPE,
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
    }
    await asked(client.create(SECRET, document), "failed to create or update bootstrap token with name " + name)


async def show(invocation: Invocation, flags: Parsed) -> int:
    """List the tokens that there are."""
    client = admin(invocation, flags["kubeconfig"])
    wanted = f"type={bootstrap_tokens.TYPE}"
    listed = await asked(client.list(SECRET, NAMESPACE, fieldSelector=wanted), "failed to list bootstrap tokens")
    lines = ["TOKEN\tTTL\tEXPIRES\tUSAGES\tDESCRIPTION\tEXTRA GROUPS"]
    for secret in listed["items"]:
        name, id_ = secret["metadata"]["name"], value(secret, "token-id")
        if name != f"{SECRET_PREFIX}{id_}":
            why = f"bootstrap token name is not of the form {go(SECRET_PREFIX + '{token-id}')}. Actual: {go(name)}."
            invocation.err(f"{why} Expected: {go(SECRET_PREFIX + id_)}")
            continue
        lines.append(_line(invocation, secret, f"{id_}.{value(secret, 'token-secret')}"))
    invocation.out(layout("".join(f"{line}\n" for line in lines), minimum=10, padding=3))
    await client.aclose()
    return 0


def _line(invocation: Invocation, secret: Object, token: str) -> str:
    left, end = bootstrap_tokens.seconds_left(secret, invocation.process.now()), value(secret, "expiration")
    ttl = "<forever>" if left is None else short(timedelta(seconds=left))
    usages = ",".join(one for one in sorted(USAGES) if value(secret, f"{USAGE_PREFIX}{one}") == "true")
    groups = value(secret, "auth-extra-groups")
    cells = (usages or "<none>", value(secret, "description") or "<none>", groups or "<none>")
    return "\t".join((token, ttl, end or "<never>", *cells))


async def delete(invocation: Invocation, flags: Parsed) -> int:
    """Delete tokens, each named whole or by its id."""
    pattern = go(bootstrap_tokens.ID_PATTERN)
    if not flags.arguments:
        raise KubeadmError(f"missing argument; 'token delete' is missing token of form {pattern}")
    client = admin(invocation, flags["kubeconfig"])
    for given in flags.arguments:
        id_ = given.partition(".")[0]
        if not bootstrap_tokens.is_id(given) and bootstrap_tokens.parse(given) is None:
            whole = go(bootstrap_tokens.TOKEN_PATTERN)
            raise KubeadmError(f"given token {go(given)} didn't match pattern {pattern} or {whole}")
        doing = client.delete(SECRET, f"{SECRET_PREFIX}{id_}", NAMESPACE)
        await asked(doing, f'failed to delete bootstrap token "{id_}"')
        invocation.out(f'bootstrap token "{id_}" deleted\n')
    await client.aclose()
    return 0
