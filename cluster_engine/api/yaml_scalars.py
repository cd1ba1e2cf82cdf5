"""What a plain word of YAML stands for: `3` is a number, `yes` a truth, `~` nothing, everything else text.

Modelled on `sigs.k8s.io/yaml/goyaml.v2/resolve.go` (YAML 1.1 as go-yaml reads it) followed by the way to JSON that
`sigs.k8s.io/yaml` goes on: numbers without a fraction are integers, however they were spelled, and moments stay text.

    resolve("0x10", None)     16            resolve("1e3", None)            1000
    resolve("on", None)       True          resolve("2026-01-01", None)     "2026-01-01"
    resolve("9" * 400, None)  text: no 64-bit number is that large
"""

import base64
import binascii
import math
import re
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

TAG = "tag:yaml.org,2002:"
_NUMBER_LENGTH_MAX = 400  # the longest number that a float64 can hold has 309 digits
_INTEGER_LENGTH_MAX = 66  # 64 binary digits and their prefix
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]*))"
)
_BASES = {"x": 16, "b": 2, "o": 8, "d": 10}
_TRUE = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMERIC = frozenset("0123456789+-.")


def resolve(text: str, tag: str | None) -> Scalar:
    """Return what an unquoted scalar (or one with a tag, quoted or not) means. ValueError in go-yaml's words."""
    if tag is None:
        return _plain(text)
    kind = tag.removeprefix(TAG)
    if kind == "binary":
        return _binary(text)
    if tag == kind or kind not in ("int", "float", "bool", "null"):
        return text
    value = _plain(text)
    found = _kind(value)
    if found != kind and (found, kind) != ("int", "float"):
        raise ValueError(f"cannot decode !!{found} `{text}` as a !!{kind}")
    return value


def _plain(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC or len(text) > _NUMBER_LENGTH_MAX:
        return text
    bare = text.replace("_", "")
    integer = _integer(bare)
    if integer is not None:
        return integer
    return _float(bare, text) if _FLOAT.fullmatch(bare) else text


def _integer(text: str) -> int | None:
    found = _INTEGER.fullmatch(text) if len(text) <= _INTEGER_LENGTH_MAX else None
    if found is None or found.lastgroup is None:
        return None
    value = int(found["sign"] + found[found.lastgroup], _BASES[found.lastgroup])
    return value if -(2**63) <= value < 2**64 else None


def _float(text: str, as_written: str) -> Scalar:
    value = float(text)
    if math.isinf(value):
        return as_written
    return int(value) if value.is_integer() and abs(value) < 2**63 else value


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise ValueError("!!binary value contains invalid base64 data") from None


def _kind(value: Scalar) -> str:
    if value is None:
        return "null"
    return {bool: "bool", int: "int", float: "float", str: "str"}[type(value)]
