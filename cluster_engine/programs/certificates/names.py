"""Distinguished names as OpenSSL prints them.

one_line(name)              "O = system:nodes, CN = system:node:worker-1"      (x509 -subject, -text)
short_name(name, "; ")      "O=system:nodes; CN=system:node:worker-1"          (curl -v)
"""

from collections.abc import Iterator

from cryptography import x509

SHORT_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.42": "GN",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
OIDS = {name: oid for oid, name in SHORT_NAMES.items()}
QUOTED = frozenset(",+<>;")


def short_name(name: x509.Name, separator: str) -> str:
    """Join a name's parts as NAME=value; those of one set are joined by +."""
    return separator.join(" + ".join(f"{key}={value}" for key, value in parts) for parts in _parts(name, quoted=False))


def one_line(name: x509.Name) -> str:
    """Print a name as XN_FLAG_ONELINE has it: "O = a, CN = b"."""
    return ", ".join(" + ".join(f"{key} = {value}" for key, value in parts) for parts in _parts(name, quoted=True))


def slashed(name: x509.Name) -> str:
    """Print a name as X509_NAME_oneline(3) has it: "/O=a/CN=b", other bytes as \\xC3."""
    found = ""
    for parts in _parts(name, quoted=None):
        found += "/" + "+".join(f"{key}={value}" for key, value in parts)
    return "".join(letter if " " <= letter <= "~" else f"\\x{ord(letter):02X}" for letter in found)


def rfc2253(name: x509.Name) -> str:
    """Print a name from its end, without spaces: "CN=b,O=a"."""
    return ",".join(
        "+".join(f"{key}={value}" for key, value in parts) for parts in reversed(list(_parts(name, quoted=False)))
    )


def _parts(name: x509.Name, *, quoted: bool | None) -> Iterator[list[tuple[str, str]]]:
    """Give each set of a name's parts as keys and values; with `quoted` None a letter a byte, none of them escaped."""
    for rdn in name.rdns:
        yield [
            (SHORT_NAMES.get(one.oid.dotted_string, one.oid.dotted_string), _value(one, quoted=quoted)) for one in rdn
        ]


def _value(attribute: x509.NameAttribute[str | bytes], *, quoted: bool | None) -> str:
    value = attribute.value
    if quoted is None:
        return (value.encode() if isinstance(value, str) else value).decode("latin-1")
    return escaped(value.decode("latin-1") if isinstance(value, bytes) else value, quoted=quoted)


def escaped(text: str, *, quoted: bool) -> str:
    """Escape what is no plain letter (ASN1_STRFLGS_ESC_CTRL, ESC_MSB); quote a value that holds a separator."""
    shown = "".join(_letter(letter) for letter in text)
    if quoted and '"' in text:
        shown = shown.replace('"', '\\"')
    if quoted and (QUOTED & set(text) or text.startswith((" ", "#")) or text.endswith(" ")):
        return f'"{shown}"'
    return shown


def _letter(letter: str) -> str:
    if " " <= letter <= "~":
        return "\\\\" if letter == "\\" else letter
    return "".join(f"\\{byte:02X}" for byte in letter.encode())
