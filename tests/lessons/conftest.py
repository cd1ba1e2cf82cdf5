"""A small walkthrough and a small exercise, written to a folder, to be broken in one place at a time."""

import pytest

from visualizer.lessons.lesson import LANGUAGES

WALKTHROUGH = """\
walkthrough: tiny
subjects: [3]
minutes: 2
level: 1
cluster: {nodes: 1, seed: 3}
sources:
  - {of: [asked, answered, deleted, direct], at: "kubernetes v1.32 staging/src/k8s.io/apiserver: the server"}
  - {of: [which, sequence], at: "https://kubernetes.io/docs/", title: Kubernetes}
start:
  - run: kubectl create deployment web --image=nginx
marks:
  - id: syn
    when: {entry: {kind: tcp.syn, from: workstation/kubectl, on: asked}}
questions:
  - {id: which, kind: choice, options: [list, watch], right: list}
  - {id: sequence, kind: order, items: [syn, asked, answered]}
beats:
  - id: asked
    do:
      - run: kubectl get pods
    anchor: {entry: {kind: http.request, from: workstation/kubectl, fields: {verb: list, resource: pods}}}
    focus: [workstation/kubectl, control-plane/kube-apiserver]
    question: which
    myth:
      id: direct
      common: [{from: kubectl, to: etcd, label: GET pods}, {from: etcd, to: kubectl, says: all}]
      wire: [syn, asked, answered]
  - id: answered
    anchor: {entry: {kind: http.response, answers: asked}}
    question: sequence
    hand-over: {suggest: kubectl delete deployment web}
  - id: deleted
    anchor: {entry: {kind: http.request, from: workstation/kubectl, after: answered, fields: {verb: delete}}}
    open: headers
"""

WALKTHROUGH_PROSE = """\
# Tiny

A small walkthrough.

## beat asked: It asks
See [the SYN](mark:syn).

## beat answered: It is answered
As [asked](beat:asked).

## beat deleted: It deletes
Over.

## question which: Which verb?
Think.

- list: LIST
- watch: WATCH

### right
Yes.
### wrong watch
No.

## question sequence: In which order?
- syn: SYN
- asked: request
- answered: answer
### right
Yes.
### wrong
No.

## myth direct: "kubectl reads etcd"
It does not.

- all: all of them
"""

EXERCISE = """\
exercise: tiny
subjects: [3]
catalogue: 9
minutes: 2
level: 1
cluster: {nodes: 1, seed: 3}
sources:
  - {of: [seconds, who, no-kubectl], at: "https://kubernetes.io/docs/", title: Kubernetes}
start:
  - run: kubectl create deployment web --image=nginx
marks:
  - id: scaled
    when: {entry: {kind: http.request, from: workstation/kubectl, fields: {verb: patch, resource: deployments}}}
questions:
  - {id: seconds, kind: number, unit: seconds, truth: {from: scaled, to: two}, tolerance: 30}
  - {id: who, kind: choice, options: [kubectl, controller], right: controller}
ask: [seconds, {question: who, before: checks}]
checks:
  - {id: two, when: {objects: {resource: pods, name: "web-*", where: {status.phase: Running}, count: 2}}}
  - {id: known, when: {answered: {question: who, right: true}}}
hints: 1
solution:
  - {answer: {seconds: 10}}
  - {run: kubectl scale deployment web --replicas=2}
  - {until: {reached: two}}
  - {hint: true}
  - {answer: {who: controller}}
near-misses:
  - id: too-few
    play:
      - {run: kubectl scale deployment web --replicas=1}
      - {answer: {who: kubectl}}
      - {wait: 10}
    refuses: [two, known]
    debrief: no-kubectl
debriefs:
  - {id: no-kubectl, when: {answered: {question: who, right: false}}}
"""

EXERCISE_PROSE = """\
# Tiny

A small exercise.

## goal: What to do
Let there be [two](check:two).

## question seconds: How many seconds?
### right
Yes.
### wrong
No.

## question who: Who creates pods?
- kubectl: kubectl does
- controller: a controller does
### right
Yes.
### wrong
No.

## check two: Two pods run
## check known: You know who

## hint 1: A command
`kubectl scale`

## solution: One way
```sh
kubectl scale deployment web --replicas=2
```

## debrief no-kubectl: Not kubectl
See [lists](lesson:walkthroughs/tiny).
"""


class Content:
    """A folder of lessons."""

    def __init__(self, folder):
        self.folder = folder
        self.write("walkthroughs/tiny/lesson.yaml", WALKTHROUGH)
        self.write("exercises/tiny/lesson.yaml", EXERCISE)
        for language in LANGUAGES:
            self.write(f"walkthroughs/tiny/{language}.md", WALKTHROUGH_PROSE)
            self.write(f"exercises/tiny/{language}.md", EXERCISE_PROSE)

    def write(self, name, text):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def change(self, name, *changes):
        """Replace texts in a file; each must be there."""
        file = self.folder / name
        text = file.read_text()
        for old, new in changes:
            assert old in text, f"{old!r} is not in {name}"
            text = text.replace(old, new, 1)
        file.write_text(text)

    def line(self, name, text):
        """The first line of a file that has this text."""
        lines = (self.folder / name).read_text().splitlines()
        return next(n for n, line in enumerate(lines, 1) if text in line)

    def told(self, errors):
        """Errors as people read them, with files from the folder on."""
        return [str(error).removeprefix(f"{self.folder}/") for error in errors]


@pytest.fixture
def content(tmp_path):
    """One walkthrough and one exercise, both called tiny, without a mistake."""
    return Content(tmp_path)
