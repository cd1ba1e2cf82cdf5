"""What `python -m cluster_engine` can be told: its subcommands, `up`, `shell` and `open`, and their options.

Apart from them, so that neither is imported where the other one is asked for.

    read(["up", "--nodes", "3"])      Namespace(command="up", nodes=3, seed=1, pace=1.0, …)
"""

import argparse
from pathlib import Path

from cluster_engine.cast import WORKSTATION
from cluster_engine.cluster import ETCD_MEMBERS
from cluster_engine.words.languages import ORIGIN, languages
from cluster_engine.world.work import REAL_EFFORT

DESCRIPTION = "`python -m cluster_engine up`: one cluster, without a web page, as a test control plane or a toy."
SYSTEM_PODS = "as kubeadm makes it: static pods, kube-proxy and CoreDNS as pods; names of Services are known"
MEMBERS = "how many members etcd has; of three it may lose one"
AUDIT = "the API server keeps an audit log, /var/log/kubernetes/audit/audit.log on the control plane"
KEY_LAB = "the API server has an RSA key and agrees on keys by RSA with who asks for it: recordings that its key opens"
FORWARD = "a port of this machine that leads to one of a host inside: 8443:workstation:8443"
JOURNAL = "write every message that crosses a wire to this file, as JSON lines"
HTML = "write the page with the whole run in it to this file, at the end: it plays without a server"
PCAPNG = "write all packets and the keys that open them to this file, for Wireshark"


def read(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read a command line, this process's own where none is given; SystemExit where it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m cluster_engine", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="run one cluster until interrupted")
    up.add_argument("--nodes", type=int, default=2, help="worker nodes (default 2)")
    up.add_argument("--seed", type=int, default=1, help="decides all chance but keys (default 1)")
    up.add_argument("--pace", type=float, default=1.0, help="virtual seconds in a real one (default 1)")
    effort = "how long programs compute: 1 as real ones (default), 0 not at all"
    up.add_argument("--effort", type=float, default=REAL_EFFORT, help=effort)
    up.add_argument("--gateway", type=_address, default=("127.0.0.1", 6443), help="default 127.0.0.1:6443")
    _add_options_of_clusters(up)
    up.add_argument("--kubeconfig", type=Path, help="where to write the kubeconfig (default: a temporary file)")
    _add_options_of_shell(commands.add_parser("shell", help="type commands on a host of a cluster of your own"))
    _add_options_of_open(commands.add_parser("open", help="look into a capture or an audit log of any cluster"))
    return parser.parse_args(arguments)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host or "127.0.0.1", int(port)


def _add_options_of_clusters(parser: argparse.ArgumentParser) -> None:
    """Tell what of `ClusterSpec` can be asked for beside its size."""
    parser.add_argument("--system-pods", action="store_true", help=SYSTEM_PODS)
    parser.add_argument("--etcd-members", type=int, default=1, choices=ETCD_MEMBERS, help=MEMBERS)
    parser.add_argument("--audit", action="store_true", help=AUDIT)
    parser.add_argument("--key-lab", action="store_true", help=KEY_LAB)
    parser.add_argument(
        "--forward", type=_forwarding, action="append", default=[], metavar="PORT:HOST:PORT", help=FORWARD
    )
    parser.add_argument(
        "--api-server-flag", action="append", default=[], metavar="FLAG", help="of kube-apiserver: --name=value"
    )
    parser.add_argument("--journal", type=Path, metavar="FILE", help=JOURNAL)
    parser.add_argument("--pcapng", type=Path, metavar="FILE", help=PCAPNG)
    parser.add_argument("--html", type=Path, metavar="FILE", help=HTML)
    parser.add_argument("--language", choices=list(languages()), default=ORIGIN, help="of sentences (default en)")


def keeps(options: argparse.Namespace) -> bool:
    """Whether what crosses the wires is to be written down."""
    return any(file is not None for file in (options.journal, options.pcapng, options.html))


def _forwarding(text: str) -> tuple[int, tuple[str, int]]:
    """Read PORT:HOST:PORT. argparse.ArgumentTypeError."""
    port, host, inside = [*text.split(":"), "", ""][:3]
    if text.count(":") != 2 or not (port.isdigit() and inside.isdigit() and max(int(port), int(inside)) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is not PORT:HOST:PORT")
    return int(port), (host, int(inside))


def _add_options_of_shell(parser: argparse.ArgumentParser) -> None:
    """Tell what `shell` takes."""
    parser.add_argument("-c", dest="line", metavar="LINE", help="run this line and end with its exit code")
    parser.add_argument("--on", default=WORKSTATION, metavar="HOST", help=f"the host to be on (default {WORKSTATION})")
    parser.add_argument("--nodes", type=int, default=2, help="worker nodes (default 2)")
    parser.add_argument("--seed", type=int, default=1, help="decides all chance but keys (default 1)")
    _add_options_of_clusters(parser)
    parser.add_argument("--pace", type=float, help="virtual seconds in a real one (default 1; with -c it leaps)")


def _add_options_of_open(parser: argparse.ArgumentParser) -> None:
    """Tell what `open` takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="pcap, pcapng, or a Kubernetes audit log")
    parser.add_argument("--keys", type=Path, metavar="KEYLOG", help="TLS secrets, as SSLKEYLOGFILE makes them")
    parser.add_argument("--journal", type=Path, metavar="FILE", help=JOURNAL)
    parser.add_argument("--html", type=Path, metavar="FILE", help=HTML)
    parser.add_argument("--language", choices=list(languages()), default=ORIGIN, help="of sentences (default en)")


__all__ = ["keeps", "read"]
