"""The names of ports, as a host's /etc/services has them: what programs print without -n, and understand.

    port_name(443, "tcp")       "https"
    port_name(6443, "tcp")      None        nobody has registered it
    port_number("domain")       53

From Debian's netbase 6.4, the ports that one may meet in a cluster. Left out: the other three hundred.
"""

TCP = {
    20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain", 80: "http", 88: "kerberos",
    110: "pop3", 111: "sunrpc", 143: "imap2", 389: "ldap", 443: "https", 636: "ldaps", 853: "domain-s", 873: "rsync",
    993: "imaps", 995: "pop3s", 2049: "nfs", 3306: "mysql", 5432: "postgresql", 5672: "amqp", 6379: "redis",
    8080: "http-alt", 9418: "git",
}  # fmt: skip
UDP = {
    53: "domain", 67: "bootps", 68: "bootpc", 123: "ntp", 161: "snmp", 389: "ldap", 443: "https", 500: "isakmp",
    514: "syslog", 853: "domain-s", 1194: "openvpn", 5353: "mdns",
}  # fmt: skip
_NUMBERS = {name: number for table in (UDP, TCP) for number, name in table.items()} | {"www": 80, "webcache": 8080}
PORT_MAX = 65535


def port_name(number: int, protocol: str) -> str | None:
    """Return what a port is called by, if by anything. `protocol`: "tcp" or "udp"."""
    return (TCP if protocol == "tcp" else UDP).get(number)


def port_number(text: str) -> int:
    """Return the port of a number or a name; ValueError where it is neither."""
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= PORT_MAX:
        return int(text)
    if text not in _NUMBERS:
        raise ValueError(f"there is no port {text!r}")
    return _NUMBERS[text]
