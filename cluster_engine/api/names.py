"""What a name may look like, and how a server makes one up.

Modelled on `apimachinery/pkg/util/validation/validation.go` (the rules and their sentences),
`apiserver/pkg/storage/names/generate.go` (`generateName` + 5 characters) and `pkg/controller/controller_utils.go`
`ComputeHash` (the pod-template-hash). Each `…_problems` function returns Kubernetes' own sentences, none when all is
well.
The alphabet has no vowels and no 0, 1, 3: generated names spell no words and no look-alikes.

Left out: the hash is FNV-1a over the template's canonical JSON, not over Go's memory dump of it, so its value differs
from a real cluster's for the same template; its length, alphabet and stability are the same.

    >>> import random
    >>> len(generated("web-5d8f-", random.Random(1)))
    14
    >>> is_dns_label("web"), is_dns_label("Web")
    (True, False)
"""

import random
import re
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

ProblemsOf: TypeAlias = Callable[[str], list[str]]

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
NAME_LENGTH_MAX = 63
SUFFIX_LENGTH = 5

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DNS_1035_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_PORT_NAME = re.compile(r"[a-z0-9-]+")
_ENV_NAME = re.compile(r"[ -<>-~]+")

_REGEX = "regex used for validation is"
DNS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', {_REGEX} '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
DNS_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', {_REGEX} "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
WILDCARD_SUBDOMAIN = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    rf"{_REGEX} '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
DNS_1035_LABEL = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    f"and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', {_REGEX} '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
QUALIFIED_NAME = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', {_REGEX} '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', {_REGEX} "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
CONFIG_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    f"'key-name', {_REGEX} '[-._a-zA-Z0-9]+')"
)
ENV_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='"


def _too_long(length_max: int) -> str:
    return f"must be no more than {length_max} characters"


def _problems(text: str, pattern: re.Pattern[str], sentence: str, length_max: int) -> list[str]:
    problems = [] if len(text) <= length_max else [_too_long(length_max)]
    if not pattern.fullmatch(text):
        problems.append(sentence)
    return problems


def dns_label_problems(text: str) -> list[str]:
    """RFC 1123 label: container, namespace and port names."""
    return _problems(text, _DNS_LABEL, DNS_LABEL, NAME_LENGTH_MAX)


def dns_subdomain_problems(text: str) -> list[str]:
    """RFC 1123 subdomain: names of most objects."""
    return _problems(text, _DNS_SUBDOMAIN, DNS_SUBDOMAIN, 253)


def wildcard_subdomain_problems(text: str) -> list[str]:
    """`*.` before an RFC 1123 subdomain: hosts of Ingresses."""
    if text.startswith("*.") and _DNS_SUBDOMAIN.fullmatch(text[2:]) and len(text) <= 253:
        return []
    return [WILDCARD_SUBDOMAIN]


def dns_1035_label_problems(text: str) -> list[str]:
    """RFC 1035 label: names of Services."""
    return _problems(text, _DNS_1035_LABEL, DNS_1035_LABEL, NAME_LENGTH_MAX)


def path_segment_problems(text: str) -> list[str]:
    """Names that only have to survive in a URL: those of the RBAC kinds."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{mark}'" for mark in ("/", "%") if mark in text]


def label_value_problems(text: str) -> list[str]:
    """Values of labels."""
    return _problems(text, _LABEL_VALUE, LABEL_VALUE, NAME_LENGTH_MAX)


def config_key_problems(text: str) -> list[str]:
    """Keys of ConfigMap and Secret data."""
    problems = [] if len(text) <= 253 else [_too_long(253)]
    if not _CONFIG_KEY.fullmatch(text):
        problems.append(CONFIG_KEY)
    elif text in (".", ".."):
        problems.append(f"must not be '{text}'")
    elif text.startswith(".."):
        problems.append("must not start with '..'")
    return problems


def env_name_problems(text: str) -> list[str]:
    """Names of environment variables (relaxed rule, the default since 1.32)."""
    return [] if _ENV_NAME.fullmatch(text) else [ENV_NAME]


def port_name_problems(text: str) -> list[str]:
    """IANA service names: named container ports."""
    problems = [] if len(text) <= 15 else ["must be no more than 15 characters"]
    if not _PORT_NAME.fullmatch(text):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not any("a" <= letter <= "z" for letter in text):
        problems.append("must contain at least one letter (a-z)")
    if "--" in text:
        problems.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def qualified_name_problems(text: str) -> list[str]:
    """`[prefix/]name`: keys of labels, annotations, taints and resources."""
    prefix, slash, name = text.rpartition("/")
    problems: list[str] = []
    if slash:
        if "/" in prefix:
            return [
                f"a qualified name {QUALIFIED_NAME.removeprefix('name part ')} with an optional DNS subdomain prefix "
                "and '/' (e.g. 'example.com/MyName')"
            ]
        if not prefix:
            problems.append("prefix part must be non-empty")
        else:
            problems += [f"prefix part {problem}" for problem in dns_subdomain_problems(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > NAME_LENGTH_MAX:
        problems.append(f"name part {_too_long(NAME_LENGTH_MAX)}")
    if not _QUALIFIED.fullmatch(name):
        problems.append(QUALIFIED_NAME)
    return problems


def is_dns_label(text: str) -> bool:
    """Return whether it is an RFC 1123 label."""
    return len(text) <= NAME_LENGTH_MAX and _DNS_LABEL.fullmatch(text) is not None


def is_dns_subdomain(text: str) -> bool:
    """Return whether it is an RFC 1123 subdomain."""
    return len(text) <= 253 and _DNS_SUBDOMAIN.fullmatch(text) is not None


def generated(base: str, rng: random.Random) -> str:
    """Make a name from `metadata.generateName`; the base is cut so that the whole fits in 63 characters."""
    suffix = "".join(rng.choice(ALPHABET) for _ in range(SUFFIX_LENGTH))
    return base[: NAME_LENGTH_MAX - SUFFIX_LENGTH] + suffix


def pod_template_hash(template: dict[str, Any], collision_count: int = 0) -> str:
    """Name a pod template by its content: equal templates, equal names; a collision count changes the name."""
    content = msgspec.json.encode(template, order="deterministic")
    if collision_count:
        content += collision_count.to_bytes(8, "little")
    return safe_encode(str(_fnv1a_32(content)))


def safe_encode(text: str) -> str:
    """Map each character into the vowel-free alphabet, as `rand.SafeEncodeString` does."""
    return "".join(ALPHABET[ord(character) % len(ALPHABET)] for character in text)


def _fnv1a_32(content: bytes) -> int:
    value = 0x811C9DC5
    for byte in content:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value
