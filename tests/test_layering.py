"""Which way imports point: the map of ARCHITECTURE.md, kept true, and no circles in it."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ENGINE = ROOT / "cluster_engine"

# A room may import the rooms named, and itself. `cluster` and what stands above it may import every room.
MAY_IMPORT = {
    "metrics": set(),
    "world": {"metrics"},
    "rpc": set(),
    "cast": set(),
    "pki": {"world", "cast"},
    "raft": set(),
    "etcd": {"world", "rpc", "metrics", "raft"},
    "api": {"rpc"},
    "journal": set(),
    "lens": {"rpc", "world.tap", "journal", "api"},
    "streaming": {"api.objects", "api.documents", "api.strconv"},
    "client": {"world", "api", "rpc.http2", "streaming", "metrics"},
    "apiserver": {"world", "rpc", "etcd", "api", "streaming", "metrics", "client.kubeconfig"},
    # Where a daemon belongs is asked as the scheduler asks (component-helpers/scheduling).
    # Tokens that lie in Secrets are signed as the API server signs (pkg/serviceaccount, which both import).
    # Certificates are signed as the cluster's authority signs (pkg/controller/certificates/authority).
    "controllers": {"world", "api", "client", "secure_port", "scheduler.affinity", "pki.authority"}
    | {"apiserver.authentication", "apiserver.serving"},
    "scheduler": {"world", "api", "client", "metrics", "secure_port", "apiserver.serving"},
    "proxy": {"world", "api", "client", "metrics"},
    "coredns": {"world", "api", "client"},
    # Containers run the programs that a person can type, by the same shell. Its streaming
    # server's port is served as the API server's is.
    "containerd": {"world", "rpc", "programs", "shell", "streaming", "apiserver.serving", "coredns"},
    # Whose ports are served, and their callers recognised, as the API server's are (k8s.io/apiserver, all of them).
    "secure_port": {"world", "api", "client", "metrics", "pki", "apiserver.serving", "apiserver.authentication"},
    # A kubelet's port is served, and its callers are recognised, as the API server's are (k8s.io/apiserver, both).
    # What is bound to its node it holds against the scheduler's filters (pkg/kubelet/lifecycle imports pkg/scheduler).
    "kubelet": {
        "secure_port.delegation",
        # It makes keys, requests and the kubeconfig of its own (client-go's util/cert and pkg/kubelet/certificate).
        "pki",
        "world",
        "rpc",
        "api",
        "client",
        "streaming",
        "metrics",
        "apiserver.serving",
        "apiserver.authentication",
    }
    | {f"scheduler.{name}" for name in ("affinity", "filters", "nodes", "resources")},
    # Whose images are broken is written where containerd keeps what it knows of registries.
    # What is wrong with an API server's answers is written where it looks for it; expired tokens are signed as its own.
    "faults": {"world", "cast", "deeds", "pki", "api", "etcd", "apiserver.trouble", "apiserver.authentication"}
    | {"containerd.trouble", "containerd.references"},
    # kubeadm signs with the cluster's authority; etcdctl speaks to etcd as it stands in rpc, and knows what a range is;
    # etcdutl reads and makes etcd's files by itself (it is linked with etcd's server).
    # What kubectl proxy listens at is served as the API server's port is. tshark reads captures as the lens reads the
    # tap (decision 27).
    "programs": {"world", "api", "client", "cast", "pki", "rpc", "streaming", "etcd.history", "apiserver.serving"}
    | {
        "lens.lens",
        "lens.tls_names",
        "lens.trial",
        "lens.protection",
        "lens.unreadable",
        "journal",
        "etcd.database",
        "etcd.members",
        "etcd.store",
    },
    "shell": {"world", "programs", "cast"},
    "deeds": set(),
    "predicates": {"api.objects", "deeds"},
    "stored": {"api", "etcd"},
    # kubeadm writes manifests of the cast's components, and creates its addons by requests.
    "kubeadm": {"world", "api", "client", "cast"},
    "machines": {"world", "api", "cast", "pki", "mounted_tokens"},
    "mounted_tokens": {"world", "api", "etcd", "apiserver", "cast"},
    "words": {"api", "cast"},
    # Packets are written as tcpdump writes them.
    "export": {
        "words",
        "journal",
        "lens.evidence",
        "lens.opening",
        "world.captures",
        "world.tap",
        "programs.capture.packets",
    },
    # What stood at a position is read from the journal's evidence; kinds and their columns are the API's.
    # A node's rules cross no wire: they are derived by kube-proxy's own pure code (decision 35). Columns of kinds that
    # were added are JSONPaths, followed as kubectl follows them (client-go/util/jsonpath, both).
    "state": {"journal", "lens", "api", "proxy.iptables", "proxy.services", "predicates.globs"}
    | {"programs.kubectl.errors", "programs.kubectl.jsonpath"},
    "comparing": {"journal", "words"},
    # What was recorded of other clusters is read as our own tap is (decision 27), and named by our own words.
    "recordings": {"world.tap", "journal", "lens.lens", "lens.trial", "lens.evidence"}
    | {"export.blocks", "export.keylog", "export.selection", "programs.capture.keys"},
    # Which bytes are which field is read with the lens's tables of names, and explained in words.
    "fields": {"lens", "journal", "words", "rpc", "api"},
    "collecting": set(),
    "version": set(),
}
ANY_MAY_IMPORT = {"version"}
ABOVE = {
    "cluster",
    "commands",
    "from_outside",
    "printed",
    "console",
    "injections",
    "stops",
    "looking",
    "options",
    "run",
    "thread",
    "command_line",
    "__main__",
}


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@functools.cache
def imports_of(path: Path) -> set[str]:
    """The dotted names a module imports, wherever in it."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def room_of(path: Path) -> str:
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


MODULES = [path for path in sorted(ENGINE.rglob("*.py")) if not path.name.endswith("_pb2.py")]


def upward(path):
    """What a module of the engine imports and may not."""
    room = room_of(path)
    for name in imports_of(path):
        top, *rest = name.split(".")
        if top in {"django", "channels", "visualizer", "daphne"}:
            yield name
        if top != "cluster_engine" or not rest or room in ABOVE or room == "__init__":
            continue
        target = ".".join(rest)
        if not any(target == one or target.startswith(f"{one}.") for one in {room, *MAY_IMPORT[room], *ANY_MAY_IMPORT}):
            yield name


def test_imports_point_down_the_map():
    assert [f"{path} imports {name}" for path in MODULES for name in upward(path)] == []


def test_every_room_is_on_the_map():
    rooms = {room_of(path) for path in MODULES} - ABOVE - {"__init__"}
    assert rooms == set(MAY_IMPORT)


def test_the_worker_that_hosts_clusters_does_not_import_django():
    path = ROOT / "visualizer" / "hosting" / "worker.py"
    assert not [name for name in imports_of(path) if name.startswith(("django", "channels", "visualizer.models"))]


def test_the_worker_that_hosts_clusters_knows_of_the_engine_only_what_people_do():
    script = (
        "import sys, visualizer.hosting.worker; print(*(m for m in sys.modules if m.startswith('cluster_engine.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    )
    assert done.stdout.split() == ["cluster_engine.deeds"]


LESSONS = sorted((ROOT / "visualizer" / "lessons").glob("*.py"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.name)
def test_lessons_do_without_django_and_know_nothing_of_the_web(path):
    for name in imports_of(path):
        top, *rest = name.split(".")
        assert top not in {"django", "channels", "daphne"}, f"{path.name} imports {name}"
        assert top != "visualizer" or rest[0] == "lessons", f"{path.name} imports {name}"


def test_a_worker_that_plays_lessons_loads_neither_django_nor_markdown():
    script = (
        "import sys, visualizer.lessons.player as p, visualizer.lessons.library as l; l.library(); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    )
    loaded = set(done.stdout.split())
    assert "visualizer.lessons.stage" in loaded
    assert not loaded & {
        "django",
        "channels",
        "markdown_it",
        "cluster_engine.shell.terminal",
        "cluster_engine.programs",
    }


FORBIDDEN = {
    "time": {"time", "monotonic", "perf_counter", "sleep"},
    "datetime": {"now", "utcnow", "today"},
    "uuid": {"uuid1", "uuid4"},
    "random": {"random", "randint", "choice", "shuffle", "sample", "uniform"},
}
OWNS_TIME = {"world/clock.py", "world/outside.py", "cluster.py", "command_line.py"}


def looks_at_clocks(path):
    """Where a module looks at the wall clock, or takes chance that no seed decides."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in FORBIDDEN.get(node.value.id, ()):
                yield f"{path}:{node.lineno}: {node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in FORBIDDEN:
            taken = {name.name for name in node.names} & FORBIDDEN[node.module]
            yield from (f"{path}:{node.lineno}: {one} from {node.module}" for one in sorted(taken))


def test_the_engine_never_looks_at_the_wall_clock_or_unseeded_chance():
    others = [path for path in MODULES if str(path.relative_to(ENGINE)) not in OWNS_TIME]
    assert [found for path in others for found in looks_at_clocks(path)] == []


COMMENTS_OF_JS = re.compile(r"/\*.*?\*/|^\s*//.*?$", re.DOTALL | re.MULTILINE)
IMPORTS_OF_JS = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']""")


def python_imports():
    """What each module of ours imports of the others, in functions and for type checkers too."""
    files = [path for top in (ENGINE, ROOT / "visualizer") for path in sorted(top.rglob("*.py"))]
    names = {str(path.relative_to(ROOT).with_suffix("")).removesuffix("/__init__"): path for path in files}
    graph = {}
    for name, path in names.items():
        found = {imported.replace(".", "/") for imported in imports_of(path)}
        graph[name] = {one if one in names else one.rpartition("/")[0] for one in found} & set(names) - {name}
    return graph


def browser_imports():
    """What each of the page's modules imports of the others; types in comments are not imported."""
    files = sorted((ROOT / "static" / "js").rglob("*.js"))
    return {
        str(path.relative_to(ROOT)): {
            str((path.parent / found).resolve().relative_to(ROOT))
            for found in IMPORTS_OF_JS.findall(COMMENTS_OF_JS.sub("", path.read_text()))
        }
        for path in files
    }


def reached_from(start, graph):
    """Whatever an import of `start` leads to."""
    reached, ahead = set(), [start]
    while ahead:
        ahead += (new := graph.get(ahead.pop(), set()) - reached)
        reached |= new
    return reached


def circles_of(graph):
    """The sets of modules each of which leads to every other one, in order of their names."""
    reached = {name: reached_from(name, graph) for name in graph}
    circles = {
        frozenset(other for other in onward if name in reached.get(other, ()))
        for name, onward in reached.items()
        if name in onward
    }
    return sorted(map(sorted, circles))


def test_no_python_modules_import_each_other_in_a_circle():
    assert circles_of(python_imports()) == []


def test_no_modules_of_the_page_import_each_other_in_a_circle():
    assert circles_of(browser_imports()) == []


def test_a_circle_is_seen_whatever_its_length():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"f"}, "f": {"e"}, "g": {"g"}}
    assert circles_of(graph) == [["a", "b", "c"], ["e", "f"], ["g"]]


# Where whatever is raised is caught and not raised again, and why: the edges at which a bug of ours is paid for
# (docs/decisions/0021).
EDGES = {
    "cluster_engine/apiserver/chain.py:serve": "the request is answered 500",
    "cluster_engine/apiserver/serving/wire.py:_recovered": "the stream is reset",
    "cluster_engine/cluster.py:command": "the line ends with 70",
    "cluster_engine/run.py:_settle": "whoever asked is told, and the cluster ends",
    "cluster_engine/run.py:_take_for": "the same",
    "cluster_engine/shell/terminal.py:_job": "the job ends with 70",
    "cluster_engine/thread.py:_main": "the cluster has ended; its owner is told",
    "cluster_engine/world/arrivals.py:_arrive": "passed to the loop's exception handler",
    "cluster_engine/world/process.py:_run": "the process crashes",
    "cluster_engine/world/story.py:main": "passed to whoever runs the story",
    "cluster_engine/world/tap.py:accepted": "the world ends",
    "cluster_engine/world/tap.py:connection": "the world ends",
    "cluster_engine/world/tap.py:note": "the world ends",
    "cluster_engine/world/tap.py:secret": "the world ends",
    "cluster_engine/world/tap.py:segment": "the world ends",
    "visualizer/hosting/fork_server.py:_become": "the cluster's process ends",
    "visualizer/hosting/hosted_cluster.py:start": "the cluster is told not to have started",
    "visualizer/hosting/hosted_cluster.py:stop": "it is ending anyway",
    "visualizer/hosting/questions.py:answered": "whoever asked is told",
    "visualizer/hosting/web_process.py:stop": "the others are to be stopped too",
    "visualizer/hosting/web_process.py:_mark_seen": "tried again",
    "visualizer/hosting/worker.py:outermost": "a worker goes on for its other clusters",
    "visualizer/lessons/check_play.py:play": "told as a mistake of the lesson's",
    "visualizer/page_socket.py:_receive": "the page is told",
    "visualizer/page_socket.py:_write": "the page connects again",
    "visualizer/rooms/consumer.py:_conducted": "the page is told",
    "visualizer/imports/answering.py:replied": "whoever asked is told",
    "visualizer/imports/open_recordings.py:_reply": "whoever asked is told, and may ask again",
    "visualizer/imports/reader.py:main": "what came before it of a file is kept",
    "visualizer/error_pages.py:server_error": "even the error's page broke",
}


def broad_guards(tree):
    """The functions in which everything is caught, or let pass, and not raised again."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = [node for node in ast.walk(function) if isinstance(node, ast.ExceptHandler | ast.Call)]
            nested = [
                one
                for one in ast.walk(function)
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one is not function
            ]
            within = {id(node) for one in nested for node in ast.walk(one)}
            if any(_is_broad(node) for node in inside if id(node) not in within):
                yield function.name


def _is_broad(node):
    if isinstance(node, ast.ExceptHandler):
        raises_again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
        return not raises_again and (node.type is None or _names_all(node.type))
    return ast.unparse(node.func).endswith("suppress") and any(map(_names_all, node.args))


def _names_all(node):
    return bool({"Exception", "BaseException"} & {one.id for one in ast.walk(node) if isinstance(one, ast.Name)})


def test_everything_is_caught_only_at_the_edges_named_here():
    found = {
        f"{path.relative_to(ROOT)}:{name}"
        for top in (ENGINE, ROOT / "visualizer")
        for path in top.rglob("*.py")
        for name in broad_guards(tree_of(path))
    }
    assert found == set(EDGES)


def test_a_guard_is_seen_however_it_is_written():
    source = """
def a():
    try: pass
    except (OSError, Exception): pass
async def b():
    with contextlib.suppress(BaseException): pass
def c():
    try: pass
    except: pass
def d():
    try: pass
    except BaseException:
        clean_up()
        raise
def e():
    def f():
        try: pass
        except Exception as bug: raise ValueError from bug
"""
    assert sorted(broad_guards(ast.parse(source))) == ["a", "b", "c", "f"]
