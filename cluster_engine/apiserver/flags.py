"""The flags of kube-apiserver that have an effect here, read from its command line.

    kube-apiserver --authorization-mode=Node,RBAC --audit-policy-file=/etc/kubernetes/audit-policy.yaml …

How each value is given, `--name=value` or `--name value`, and what is said of a bad one, is pflag's. A process without
any flags is as kubeadm starts it. Flags that stand on kubeadm's command line and lead to what this server does anyway
are taken as they are; of all others the server says that it does not know them, and ends.

Modelled on cmd/kube-apiserver/app/options, pkg/kubeapiserver/options/authorization.go and apiserver/pkg/server/options
(v1.32). Left out: some hundred and fifty flags.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cluster_engine.api.durations import go_seconds
from cluster_engine.apiserver.audit.event import FORMS
from cluster_engine.apiserver.audit.log import BACKUPS_MAX, FILE_BYTES_MAX, MEBIBYTE
from cluster_engine.apiserver.serving.suites import SUITES, VERSIONS

MODES = ("ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook")
AUDIT_MODES = ("batch", "blocking", "blocking-strict")
FRONT_PROXY_CA_FILE = "/etc/kubernetes/pki/front-proxy-ca.crt"
KUBEADM_MODES = ("Node", "RBAC")
AS_EVER = frozenset({
    "advertise-address", "allow-privileged", "client-ca-file", "enable-admission-plugins",
    "enable-bootstrap-token-auth", "etcd-cafile", "etcd-certfile", "etcd-keyfile", "kubelet-client-certificate",
    "kubelet-client-key", "kubelet-preferred-address-types", "proxy-client-cert-file", "proxy-client-key-file",
    "secure-port", "service-account-issuer", "service-account-key-file", "service-account-signing-key-file",
    "service-cluster-ip-range", "tls-cert-file", "tls-private-key-file", "v", "bind-address", "anonymous-auth",
    "audit-log-batch-buffer-size", "audit-log-batch-max-size", "audit-log-batch-max-wait", "audit-log-compress",
    "audit-log-version", "profiling",
})  # fmt: skip
SWITCHES = frozenset({"disable-http2-serving", "allow-privileged", "anonymous-auth", "profiling"})
"""Flags that need no value."""
TRUE, FALSE = frozenset({"1", "t", "T", "true", "TRUE", "True"}), frozenset({"0", "f", "F", "false", "FALSE", "False"})


class FlagError(ValueError):
    """A command line with which the server does not start; the message says why."""


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says. Paths are absolute, times are seconds, `audit_log_maxsize` is MiB."""

    authorization_mode: tuple[str, ...] = KUBEADM_MODES
    authorization_policy_file: str = ""
    authorization_webhook_config_file: str = ""
    authorization_webhook_version: str = "v1beta1"
    authorization_webhook_cache_authorized_ttl: float = 300.0
    authorization_webhook_cache_unauthorized_ttl: float = 30.0
    authentication_token_webhook_config_file: str = ""
    authentication_token_webhook_version: str = "v1beta1"
    authentication_token_webhook_cache_ttl: float = 120.0
    etcd_servers: tuple[str, ...] = ("https://127.0.0.1:2379",)
    audit_policy_file: str = ""
    audit_log_path: str = ""
    audit_log_maxsize: int = 0
    audit_log_maxbackup: int = 0
    audit_log_maxage: int = 0
    audit_log_format: str = "json"
    audit_log_mode: str = "blocking"
    tls_min_version: str = "VersionTLS12"
    tls_cipher_suites: tuple[str, ...] = ()
    disable_http2_serving: bool = False
    requestheader_client_ca_file: str = FRONT_PROXY_CA_FILE
    requestheader_allowed_names: tuple[str, ...] = ("front-proxy-client",)
    requestheader_username_headers: tuple[str, ...] = ("X-Remote-User",)
    requestheader_group_headers: tuple[str, ...] = ("X-Remote-Group",)
    requestheader_extra_headers_prefix: tuple[str, ...] = ("X-Remote-Extra-",)

    @property
    def etcd_endpoints(self) -> list[tuple[str, int]]:
        """Host and port of each of etcd's members."""
        parts = [urlsplit(url) for url in self.etcd_servers]
        return [(one.hostname or "", one.port or 2379) for one in parts]

    @property
    def audit_bytes_max(self) -> int:
        """How long one file of the audit log may be; 100 MiB unless said, but no more than a disk here takes."""
        return min((self.audit_log_maxsize or 100) * MEBIBYTE, FILE_BYTES_MAX)

    @property
    def audit_backups(self) -> int:
        """How many older files of the audit log are kept; all unless said, but no more than a disk here takes."""
        return min(self.audit_log_maxbackup or BACKUPS_MAX, BACKUPS_MAX)


def read(argv: Sequence[str]) -> Flags:
    """Read a command line, the program's name first. FlagError."""
    if len(argv) <= 1:
        return Flags()
    given: dict[str, Any] = {
        "authorization_mode": ("AlwaysAllow",), "requestheader_client_ca_file": "", "requestheader_allowed_names": (),
        "requestheader_username_headers": (), "requestheader_group_headers": (),
        "requestheader_extra_headers_prefix": (),
    }  # fmt: skip
    types = {one.name.replace("_", "-"): one.type for one in msgspec.structs.fields(Flags)}
    for name, text in _pairs(argv[1:]):
        if name in types:
            given[name.replace("-", "_")] = _value(name, text, types[name])
        elif name not in AS_EVER:
            raise FlagError(f"unknown flag: --{name}")
    flags = Flags(**given)
    problems = list(_problems(flags))
    if problems:
        raise FlagError(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
    return flags


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            if word.startswith("-") and len(word) > 1 and not word.startswith("-v"):
                raise FlagError(f"unknown shorthand flag: {word[1]!r} in {word}")
            continue
        name, equals, value = word[2:].partition("=")
        if not equals and name in SWITCHES:
            value = "true"
        elif not equals:
            found = next(rest, None)
            if found is None:
                raise FlagError(f"flag needs an argument: --{name}")
            value = found
        yield name, value


def _value(name: str, text: str, type_: Any) -> Any:
    if type_ is int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise FlagError(
                f'invalid argument "{text}" for "--{name}" flag: strconv.ParseInt: parsing "{text}": invalid syntax'
            )
        return int(text)
    if type_ is float:
        try:
            return go_seconds(text)
        except ValueError as error:
            raise FlagError(f'invalid argument "{text}" for "--{name}" flag: {error}') from error
    if type_ is bool:
        if text not in TRUE | FALSE:
            parsed = f'strconv.ParseBool: parsing "{text}": invalid syntax'
            raise FlagError(f'invalid argument "{text}" for "--{name}" flag: {parsed}')
        return text in TRUE
    return text if type_ is str else tuple(one for one in text.split(",") if one)


def _problems(flags: Flags) -> Iterator[str]:
    """Say what does not go together (BuiltInAuthorizationOptions.Validate, AuditLogOptions.Validate)."""
    modes = flags.authorization_mode
    if not modes:
        yield "at least one authorization-mode must be passed"
    for mode in modes:
        if mode not in MODES:
            yield f'authorization-mode "{mode}" is not a valid mode'
        if mode == "ABAC" and not flags.authorization_policy_file:
            yield "authorization-mode ABAC's authorization policy file not passed"
        if mode == "Webhook" and not flags.authorization_webhook_config_file:
            yield "authorization-mode Webhook's authorization config file not passed"
    if flags.authorization_policy_file and "ABAC" not in modes:
        yield "cannot specify --authorization-policy-file without mode ABAC"
    if flags.authorization_webhook_config_file and "Webhook" not in modes:
        yield "cannot specify --authorization-webhook-config-file without mode Webhook"
    if len(set(modes)) != len(modes):
        yield f"authorization-mode {_quoted(modes)} has mode specified more than once"
    if flags.tls_min_version not in VERSIONS:
        yield f'unknown tls version "{flags.tls_min_version}"'
    for suite in flags.tls_cipher_suites:
        if suite not in SUITES:
            yield f"Cipher suite {suite} not supported or doesn't exist"
    if flags.audit_log_path:
        if flags.audit_log_mode not in AUDIT_MODES:
            yield f'invalid audit log mode {flags.audit_log_mode}, allowed modes are "{",".join(AUDIT_MODES)}"'
        if flags.audit_log_format not in FORMS:
            yield f'invalid audit log format {flags.audit_log_format}, allowed formats are "legacy,json"'
        for name in ("maxage", "maxbackup", "maxsize"):
            if (value := getattr(flags, f"audit_log_{name}")) < 0:
                yield f"--audit-log-{name} {value} can't be a negative number"


def _quoted(modes: Sequence[str]) -> str:
    return "[" + " ".join(f'"{mode}"' for mode in modes) + "]"
