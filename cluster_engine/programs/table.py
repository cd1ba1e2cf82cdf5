"""Every program that can be typed, by name."""

from collections.abc import Mapping

from cluster_engine.programs.capture.tcpdump import tcpdump
from cluster_engine.programs.capture.tshark import tshark
from cluster_engine.programs.cat import cat
from cluster_engine.programs.clock import date, sleep
from cluster_engine.programs.conditions import test
from cluster_engine.programs.crictl.main import crictl
from cluster_engine.programs.curl.main import curl
from cluster_engine.programs.echo import echo, printf, seq
from cluster_engine.programs.edit import edit, no_vi
from cluster_engine.programs.etcdctl.main import etcdctl
from cluster_engine.programs.facts import says, tee
from cluster_engine.programs.files import rm
from cluster_engine.programs.grep import grep
from cluster_engine.programs.head_tail import head, tail
from cluster_engine.programs.iptables_save import iptables_save
from cluster_engine.programs.journalctl import journalctl
from cluster_engine.programs.kubeadm import kubeadm
from cluster_engine.programs.kubectl.main import kubectl
from cluster_engine.programs.ls import ls
from cluster_engine.programs.network.ip import arp, hostname, ip
from cluster_engine.programs.network.lookups import getent, lsof
from cluster_engine.programs.network.names import dig, host, nslookup
from cluster_engine.programs.network.nc import nc
from cluster_engine.programs.network.netstat import netstat
from cluster_engine.programs.network.ping import ping, traceroute
from cluster_engine.programs.network.ss import ss
from cluster_engine.programs.openssl.main import openssl
from cluster_engine.programs.ps import pgrep, pidof, ps
from cluster_engine.programs.running import Program
from cluster_engine.programs.sort import sort
from cluster_engine.programs.systemctl import systemctl
from cluster_engine.programs.tar import tar
from cluster_engine.programs.text.table import TEXT_TOOLS
from cluster_engine.programs.wc import wc
from cluster_engine.programs.wget import wget

HELP = """What you can type on this host:

  kubectl ...                talk to the cluster; `kubectl --help` lists the commands
  kubeadm kubeconfig user    on the control plane: a kubeconfig for somebody, with a certificate of their own
  crictl ...                 on a worker: its containers, pods and images, past the API server
  systemctl, journalctl      the services of this host: status, start, stop, restart, and their logs
  ps, pgrep, pidof, kill     processes
  etcdctl ...                on the control plane: read and write etcd itself
  ssh HOST, exit             go to another host of the cluster (control-plane, worker-1, ...) and back
  curl ..., wget ...         HTTP and HTTPS: --cacert, --cert, --key, -k, -v, -H, -d
  openssl ...                x509 -text, verify, req, genrsa; s_client -connect HOST:PORT, TLS by hand
  ls, cat, rm, tee, edit     files; some manifests lie in the home directory of the workstation, to be tried
  base64, cut, tr, uniq, paste, column, comm, nl, rev, tac, md5sum, sha256sum, xargs, watch, env, timeout
  grep, head, tail, sort, wc, tar, seq, echo, printf, test
  sed, awk, jq, base64, cut, tr, uniq, paste, column, comm, nl, rev, tac, md5sum, sha256sum, xargs, watch, env, timeout
  grep, head, tail, sort, wc, seq, echo, printf, test
  iptables-save              the rules that kube-proxy has written, on a worker
  ss, netstat                the connections of this host: their states, queues and processes
  tcpdump, tshark -r FILE    the packets that pass this host; of TLS they are ciphertext, unless one has the keys
  ip, arp, lsof -i, getent   interfaces, routes, neighbours, who has a socket open, names
  ping, traceroute, nc       whether a host, the way to it, or a port answers
  nslookup, dig, host        what name servers answer
  date, sleep, hostname, whoami, env, true, false
  cd, pwd, export, jobs, wait, clear

Try:
  kubectl get nodes
  kubectl create deployment web --image=nginx --replicas=3
  kubectl get pods -o wide
  kubectl get pods --watch   (Ctrl-C ends it)
  kubectl apply -f web.yaml

The line is read as by sh: ; && || | & < > >> 2>&1 <<EOF, '...' "..." $NAME $(...) $((...)) * ?, if, for, while.
"""

PROGRAMS: Mapping[str, Program] = {
    program.name: program
    for program in (
        Program("kubectl", kubectl, connects=True),
        Program("kubeadm", kubeadm),
        Program("etcdctl", etcdctl, connects=True),
        Program("curl", curl, connects=True),
        Program("crictl", crictl, connects=True),
        Program("openssl", openssl, connects=True),
        Program("wget", wget, connects=True),
        Program("cat", cat),
        Program("head", head),
        Program("tail", tail),
        Program("sort", sort),
        Program("wc", wc),
        Program("grep", grep),
        Program("iptables-save", iptables_save),
        Program("ss", ss),
        Program("netstat", netstat),
        Program("tcpdump", tcpdump),
        Program("tshark", tshark),
        Program("lsof", lsof),
        Program("ip", ip),
        Program("arp", arp),
        Program("getent", getent),
        Program("ping", ping, connects=True),
        Program("traceroute", traceroute, connects=True),
        Program("nc", nc, connects=True),
        Program("dig", dig, connects=True),
        Program("nslookup", nslookup, connects=True),
        Program("host", host, connects=True),
        Program("systemctl", systemctl),
        Program("journalctl", journalctl),
        Program("ps", ps),
        Program("pgrep", pgrep),
        Program("pidof", pidof),
        Program("ls", ls),
        Program("rm", rm),
        Program("tar", tar),
        Program("tee", tee),
        Program("edit", edit),
        *(Program(name, no_vi) for name in ("vi", "vim", "nano", "emacs")),
        Program("date", date),
        Program("sleep", sleep),
        Program("echo", echo),
        Program("printf", printf),
        Program("seq", seq),
        Program("test", test),
        Program("[", test),
        *TEXT_TOOLS,
        Program("help", says(lambda _: HELP.rstrip("\n"))),
        Program("hostname", hostname),
        Program("whoami", says(lambda _: "root")),
        Program("uname", says(lambda _: "Linux")),
        Program("true", says(lambda _: "")),
        Program("false", says(lambda _: "", code=1)),
        Program("clear", says(lambda _: "")),
    )
}
ALIASES: Mapping[str, str] = {"k": "kubectl", "netcat": "nc", "egrep": "grep"}
