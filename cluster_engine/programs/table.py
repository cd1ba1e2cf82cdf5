"""Every program that can be typed, by name."""

from collections.abc import Mapping

from cluster_engine.programs.facts import says
from cluster_engine.programs.running import Program
from cluster_engine.programs.text.table import TEXT_TOOLS

HELP = """What you can type on this host:

  kubectl ...                talk to the cluster; `kubectl --help` lists the commands
  kubeadm ...                on the control plane: token, certs, kubeconfig user; on a new machine: join, reset
  machines, machines add     the machines there are; switch on one more, to be joined to the cluster
  crictl ...                 on a worker: its containers, pods and images, past the API server
  systemctl, journalctl      the services of this host: status, start, stop, restart, and their logs
  ps, pgrep, pkill, kill     processes
  etcdctl ..., etcdutl ...   on the control plane: read and write etcd itself; snapshots of it
  ssh HOST, exit             go to another host of the cluster (control-plane, worker-1, ...) and back
  scp FILE HOST:PATH         copy files from one host to another
  curl ..., wget ...         HTTP and HTTPS: --cacert, --cert, --key, -k, -v, -H, -d
  authz-webhook ...          a server that says who may what, for an API server that asks one
  openssl ...                x509 -text, verify, req, genrsa; s_client -connect HOST:PORT, TLS by hand
  ls, cat, rm, tee, edit     files; some manifests lie in the home directory of the workstation, to be tried
  sed, awk, jq, base64, cut, tr, uniq, paste, column, comm, nl, rev, tac, md5sum, sha256sum, xargs, watch, env, timeout
  mkdir, touch, cp, mv, find, stat, file, diff, cmp, chmod, tree, realpath, mktemp, basename, dirname, less, gzip
  top, free, df, du, uptime, uname, lsb_release, dmesg, mount
  man NAME                   what a program is and which flags it has here
  grep, head, tail, sort, wc, tar, seq, echo, printf, test
  iptables-save              the rules that kube-proxy has written, on a worker
  ss, netstat                the connections of this host: their states, queues and processes
  tcpdump, tshark -r FILE    the packets that pass this host; of TLS they are ciphertext, unless one has the keys
  ssldump -r FILE            the records of TLS in them
  mitmdump --mode reverse:https://10.0.0.1:6443 -p 8443   a proxy that ends TLS: the man in the middle
  ip, arp, lsof -i, getent   interfaces, routes, neighbours, who has a socket open, names
  ping, traceroute, nc       whether a host, the way to it, or a port answers
  websocat URL               lines from and to a WebSocket: a watch over ws:// or wss://
  watchers COUNT PATH        a load generator of ours: so many watches of a collection, and what comes over them
  nslookup, dig, host        what name servers answer
  date, sleep, hostname, whoami, id, env, stty, tput, true, false
  cd, pwd, export, jobs, wait, clear

Try:
  kubectl get nodes
  kubectl create deployment web --image=nginx --replicas=3
  kubectl get pods -o wide
  kubectl get pods --watch   (Ctrl-C ends it)
  kubectl apply -f web.yaml

The line is read as by sh: ; && || | & < > >> 2>&1 <<EOF, '...' "..." $NAME $(...) $((...)) * ?,
if, for, while, case, f() { ... }.
"""

PROGRAMS: Mapping[str, Program] = {
    program.name: program
    for program in (
        Program("kubectl", "kubectl.main:kubectl", connects=True),
        Program("kubeadm", "kubeadm.main:kubeadm", connects=True),
        Program("machines", "machines:machines"),
        Program("etcdctl", "etcdctl.main:etcdctl", connects=True),
        Program("etcdutl", "etcdctl.main:etcdutl"),
        Program("curl", "curl.main:curl", connects=True),
        Program("crictl", "crictl.main:crictl", connects=True),
        Program("openssl", "openssl.main:openssl", connects=True, connects_as="s_client"),
        Program("wget", "wget:wget", connects=True),
        Program("authz-webhook", "authz_webhook:authz_webhook", connects=True),
        Program("cat", "cat:cat"),
        Program("head", "head_tail:head"),
        Program("tail", "head_tail:tail"),
        Program("sort", "sort:sort"),
        Program("wc", "wc:wc"),
        Program("grep", "grep:grep"),
        Program("iptables-save", "iptables_save:iptables_save"),
        Program("ss", "network.ss:ss"),
        Program("netstat", "network.netstat:netstat"),
        Program("tcpdump", "capture.tcpdump:tcpdump"),
        Program("tshark", "capture.tshark:tshark"),
        Program("ssldump", "capture.ssldump:ssldump"),
        Program("mitmdump", "mitmdump.main:mitmdump", connects=True),
        Program("lsof", "network.lookups:lsof"),
        Program("ip", "network.ip:ip"),
        Program("arp", "network.ip:arp"),
        Program("getent", "network.lookups:getent"),
        Program("ping", "network.ping:ping", connects=True),
        Program("traceroute", "network.ping:traceroute", connects=True),
        Program("nc", "network.nc:nc", connects=True),
        Program("websocat", "network.websocat:websocat", connects=True),
        Program("watchers", "watchers:watchers", connects=True),
        Program("dig", "network.dig:dig", connects=True),
        Program("nslookup", "network.dig:nslookup", connects=True),
        Program("host", "network.dig:host", connects=True),
        Program("systemctl", "systemctl:systemctl"),
        Program("journalctl", "journalctl:journalctl"),
        Program("ps", "ps:ps"),
        Program("pgrep", "ps:pgrep"),
        Program("pkill", "ps:pkill"),
        Program("pidof", "ps:pidof"),
        Program("ls", "ls:ls"),
        Program("stty", "stty:stty"),
        Program("tput", "stty:tput"),
        Program("rm", "files:rm"),
        Program("tar", "tar:tar"),
        Program("tee", "facts:tee"),
        Program("edit", "edit:edit"),
        *(Program(name, "edit:no_vi") for name in ("vi", "vim", "nano", "emacs")),
        Program("date", "clock:date"),
        Program("sleep", "clock:sleep"),
        Program("echo", "echo:echo"),
        Program("printf", "echo:printf"),
        Program("seq", "echo:seq"),
        Program("test", "conditions:test"),
        Program("[", "conditions:test"),
        *TEXT_TOOLS,
        Program("help", says(lambda _: HELP.rstrip("\n"))),
        Program("hostname", "network.ip:hostname"),
        Program("whoami", "identity:whoami"),
        Program("id", "identity:id_"),
        Program("yes", "facts:yes"),
        Program("true", says(lambda _: "")),
        Program("false", says(lambda _: "", code=1)),
        Program("clear", says(lambda _: "")),
    )
}
ALIASES: Mapping[str, str] = {"k": "kubectl", "netcat": "nc", "egrep": "grep"}
