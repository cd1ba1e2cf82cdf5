"""Every regular expression of ours takes time in proportion to what it reads, and documents have one door.

Python's `re` backtracks: a pattern that can match one text in two ways inside a loop takes quadratic or exponential
time when the match fails at last. Whether a pattern can is decided here, for each one that stands in the source, on its
Glushkov automaton (a state for each character class, an edge to whatever may follow):

    two paths around one state over the same text                    exponential, `(a+)+$`
    a loop at p, a way to q, a loop at q, all over the same text      polynomial,  `\\s*.*?\\s*$`, and search of `a+b`

(Weber and Seidl 1991; a search that may begin anywhere is a loop over all characters in front.) The test may refuse a
pattern that is harmless, never the other way round: assertions are ignored, counted loops count as endless ones.
"""

import ast
import re
from collections import defaultdict
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path
    for folder in ("cluster_engine", "visualizer")
    for path in (ROOT / folder).rglob("*.py")
    if not path.name.endswith("_pb2.py")
)
FUNCTIONS = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
ANCHORED = {"match", "fullmatch"}
OTHER_ENGINES = {"fnmatch", "regex", "glob", "sre_parse"}

# Patterns that are put together while the program runs: where, and why that is harmless.
MADE_AT_RUN_TIME: dict[str, str] = {
    "cluster_engine/containerd/catalogue.py:self.versions": "a constant of each repository in a table of ours",
    "visualizer/lessons/glossary.py:word": "a choice of the words in our glossary, without a loop",
    "visualizer/refusals.py:''.join(parts)": "from sentences of ours, read over sentences of the engine",
}
# Patterns that the judge takes for slow, and why they may stay.
REVIEWED = {
    "cluster_engine/programs/curl/output.py:VARIABLE": "a hundred characters at most behind each beginning",
    "cluster_engine/programs/text/cut.py:_RANGE": "nine digits on either side at most",
    "visualizer/json_bounds.py:_MARKS": "behind a quote it always matches: what follows may all be missing",
    "visualizer/site_pages.py:POINTER": "over pages of our own lessons, a few kilobytes each",
}
# YAML that is not read through cluster_engine/api/documents.py.
READS_YAML_ITSELF = {
    "cluster_engine/kubeadm/addons.py": "a file of our own",
    "cluster_engine/api/documents.py": "the door",
    "visualizer/lessons/source.py": "needs the line of everything; refuses depth and aliases by the events first",
}


# -- from a pattern to its automaton -----------------------------------------------------------------------------------

ALPHABET = [chr(code) for code in range(128)] + ["é", "٣", " ", "€", "中"]
ANY = frozenset(range(len(ALPHABET)))


def letters(items, flags):
    """The characters of the alphabet that one node of sre_parse's tree matches."""
    from re import _compiler, _parser

    source = _parser.State()
    source.flags = flags
    pattern = _parser.SubPattern(source, [items])
    compiled = _compiler.compile(pattern, flags)
    return frozenset(at for at, character in enumerate(ALPHABET) if compiled.fullmatch(character))


FREE, ANCHORED_ONLY = "free", "anchored"
"""How a part can be passed without a character: anywhere, or only at the text's beginning (a ^)."""
COPIES_MAX = 8


class Part:
    """What Glushkov's construction knows of a part: whether it can be empty, where it begins and where it ends."""

    def __init__(self, empty=None, first=(), at_start=(), last=()):
        self.empty, self.first, self.at_start, self.last = empty, set(first), set(at_start), set(last)


class Automaton:
    """A state for each character class of the pattern. `doubled`: edges that stand there twice, by two loops."""

    def __init__(self, pattern, flags=0):
        from re import _parser

        self.letters = []
        self.follow = defaultdict(set)
        self.doubled = set()
        self.ends_anchored = False
        tree = _parser.parse(pattern, flags)
        self.flags = tree.state.flags
        self.whole = self.sequence(tree)

    def join(self, states, following):
        for state in states:
            self.doubled |= {(state, target) for target in self.follow[state] & following}
            self.follow[state] |= following

    def sequence(self, items):
        return self.chain(self.item(item) for item in items)

    def chain(self, parts):
        whole = Part(FREE)
        for part in parts:
            self.join(whole.last, part.first | part.at_start)
            if whole.empty == FREE:
                whole.first |= part.first
                whole.at_start |= part.at_start
            elif whole.empty == ANCHORED_ONLY:
                whole.at_start |= part.first | part.at_start
            whole.last = whole.last | part.last if part.empty else part.last
            whole.empty = part.empty if whole.empty == FREE else whole.empty and part.empty and ANCHORED_ONLY
        return whole

    def item(self, item):
        name, argument = str(item[0]), item[1]
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            self.letters.append(letters(item, self.flags))
            state = {len(self.letters) - 1}
            return Part(None, state, (), state)
        if name == "BRANCH":
            found = [self.sequence(branch) for branch in argument[1]]
            ways = {part.empty for part in found}
            empty = FREE if FREE in ways else ANCHORED_ONLY if ANCHORED_ONLY in ways else None
            whole = Part(empty)
            for part in found:
                whole.first |= part.first
                whole.at_start |= part.at_start
                whole.last |= part.last
            return whole
        if name == "SUBPATTERN":
            return self.sequence(argument[3])
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            return self.repeat(*argument)
        if name == "AT":
            self.ends_anchored |= str(argument) in ("AT_END", "AT_END_STRING")
            return Part(ANCHORED_ONLY if str(argument) in ("AT_BEGINNING", "AT_BEGINNING_STRING") else FREE)
        if name in ("ASSERT", "ASSERT_NOT"):
            return Part(FREE)
        raise AssertionError(f"{name} is not known to be linear")

    def repeat(self, least, most, inner):
        if most <= COPIES_MAX:
            parts = [self.sequence(inner) for _ in range(most)]
            for part in parts[least:]:
                part.empty = FREE
            return self.chain(parts)
        part = self.sequence(inner)
        self.join(part.last, part.first | part.at_start)
        part.empty = FREE if least == 0 else part.empty
        return part


def ambiguity(pattern, function, flags=0):
    """Say how a pattern takes more than linear time; "" when it does not."""
    automaton = Automaton(pattern, flags)
    count = len(automaton.letters)
    edges = {state: set(automaton.follow[state]) for state in range(count)}
    labels = list(automaton.letters)
    if function not in ANCHORED:
        edges[count] = {count, *automaton.whole.first}
        labels.append(ANY)
    fails_late = function == "fullmatch" or automaton.ends_anchored

    def always_ends_well(state):
        return state in automaton.whole.last and (not fails_late or labels[state] == ANY)

    def steps(*states):
        """Where several walkers get to when all read one character."""
        return (
            target for target in product(*(edges[state] for state in states))
            if frozenset.intersection(*(labels[state] for state in target))
        )  # fmt: skip

    def reachable(start, step):
        seen, todo = set(), [start]
        while todo:
            for target in step(*todo.pop()):
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return seen

    pairs = {state: reachable((state, state), steps) for state in edges}
    loops = [state for state in edges if (state, state) in pairs[state]]
    for state, target in automaton.doubled:
        if (state, state) in pairs[target]:
            return f"exponential: two loops over {shown(labels[target])}"
    for p in loops:
        apart = [pair for pair in pairs[p] if pair[0] != pair[1]]
        if any((p, p) in reachable(pair, steps) for pair in apart):
            return f"exponential around {shown(labels[p])}"
    for p, q in product(loops, loops):
        if p != q and not always_ends_well(q) and (p, q, q) in reachable((p, p, q), steps):
            return f"polynomial: {shown(labels[p])} then {shown(labels[q])}"
    return ""


def shown(which):
    text = "".join(ALPHABET[at] for at in sorted(which))
    return repr(text[:12]) if text else "nothing"


# -- from the source to its patterns -----------------------------------------------------------------------------------


def calls(tree):
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
        ):
            yield node


def uses_of(tree, name):
    """How a compiled pattern is used in its module: by its name, or by that of a parameter to which it is handed."""
    found = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in FUNCTIONS and ast.unparse(node.value) != "re":
            found[ast.unparse(node.value)].add(node.attr)
    return found.get(name) or set().union(*found.values())


def flags_of(call):
    return sum(
        getattr(re, node.attr)
        for argument in [*call.args[1:], *(keyword.value for keyword in call.keywords)]
        for node in ast.walk(argument)
        if isinstance(node, ast.Attribute) and node.attr.isupper()
    )


def patterns():
    for path in SOURCES:
        text = path.read_text()
        if "re." not in text:
            continue
        tree = ast.parse(text)
        names = {
            id(node.value): target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in calls(tree):
            if call.func.attr not in FUNCTIONS:
                continue
            place = str(path.relative_to(ROOT))
            name = names.get(id(call))
            used = {call.func.attr} if call.func.attr != "compile" else uses_of(tree, name)
            assert used, f"{place}:{call.lineno}: compiled, and used by another module"
            yield place, name, call, sorted(used)


def slow(place, name, call, used):
    """Why a pattern may take longer than in proportion."""
    pattern = call.args[0]
    if not isinstance(pattern, ast.Constant):
        if f"{place}:{ast.unparse(pattern)}" not in MADE_AT_RUN_TIME:
            yield f"{place}:{call.lineno}: a pattern that is no literal cannot be judged"
        return
    text = pattern.value.decode("latin-1") if isinstance(pattern.value, bytes) else pattern.value
    for function in used:
        found = ambiguity(text, function, flags_of(call))
        if found and f"{place}:{name}" not in REVIEWED:
            yield f"{place}:{call.lineno}: {pattern.value!r} ({function}) is {found}"


def test_every_pattern_takes_time_in_proportion_to_the_text():
    judged = list(patterns())
    assert len(judged) > 100
    assert [found for one in judged for found in slow(*one)] == []


@pytest.mark.parametrize(
    ("pattern", "function", "linear"),
    [
        ("(a+)+$", "match", False),
        ("(a*)*b", "match", False),
        ("(a|ab|b)*c", "match", False),
        (r"^\s*@(.*?)\s*$", "match", False),
        (r"a*a*b", "fullmatch", False),
        (r"a*b", "search", False),
        (r"(\d+(?:\.\d+)?)(h|ms|m|s)", "findall", False),
        (r"(\d+(?:\.\d+)?)(h|ms|m|s)", "match", True),
        (r"([^\s=]+)", "findall", True),
        (r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", "fullmatch", True),
        (r'"((?:[^"\\]|\\.)*)"', "match", True),
        (r"[a-z]{1,63}(\.[a-z]{1,63})*", "fullmatch", True),
        (r"([a-z]{1,63})*", "fullmatch", False),
        (r"(?:^|,)\s*metadata\.name==?([^,!=]+)", "search", True),
    ],
)
def test_the_judge_knows_slow_from_fast(pattern, function, linear):
    assert (ambiguity(pattern, function) == "") is linear


def hidden(place, tree):
    """Where a module hides an engine, or reads YAML by itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in {"re", "yaml", "re2", *OTHER_ENGINES}:
            yield f"{place}: import {node.module}, use its name"
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name in OTHER_ENGINES:
                    yield f"{place} imports {name.name}"
                if name.asname is not None and name.name in {"re", "yaml", "re2"}:
                    yield f"{place} renames {name.name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "yaml":
            reads = "load" in node.attr.lower() or node.attr in ("parse", "scan", "compose", "compose_all")
            if reads and place not in READS_YAML_ITSELF:
                yield f"{place}: yaml.{node.attr}; read through api/documents.py"


def test_no_module_hides_an_engine_or_reads_yaml_by_itself():
    trees = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in SOURCES}
    assert [found for place, tree in trees.items() for found in hidden(place, tree)] == []
