"""From YAML to steps. Each is a mapping whose first key says what it does."""

from collections.abc import Callable, Mapping

from cluster_engine import faults
from cluster_engine.faults import FaultError
from cluster_engine.predicates import Predicate
from visualizer.lessons import steps
from visualizer.lessons.questions import Question
from visualizer.lessons.source import Source
from visualizer.lessons.yaml_values import Place, Problems, Wrong

STEPS_MAX = 40
SECONDS_MAX = 7200.0
UNTIL_SECONDS = 300.0
EXIT_CODE_MAX = 255

ReadPredicate = Callable[[Place], Predicate]


class StepReader:
    """Reads the steps of one lesson."""

    def __init__(
        self, source: Source, problems: Problems, predicate: ReadPredicate, questions: Mapping[str, Question]
    ) -> None:
        self._source, self._problems = source, problems
        self._predicate, self._questions = predicate, questions
        self._kinds: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Place], int], steps.Step]]] = {
            "run": (("code", "background", "sealed"), self._run),
            "interrupt": ((), self._interrupt),
            "fault": (("sealed",), self._fault),
            "heal": ((), self._heal),
            "until": (("within",), self._until),
            "wait": ((), lambda keys, at: steps.Wait(seconds=keys["wait"].number(0, SECONDS_MAX), at=at)),
            "answer": ((), self._answer),
            "hint": ((), self._hint),
        }

    def read(self, place: Place, without: tuple[str, ...] = ()) -> tuple[steps.Step, ...]:
        """Read a list of steps; `without` are those that have no place here."""
        return self._problems.each(place.items(STEPS_MAX), lambda one: self._step(one, without))

    def _step(self, place: Place, without: tuple[str, ...]) -> steps.Step:
        known = [kind for kind in self._kinds if kind not in without]
        kind = next((key for key in place.value if key in self._kinds), None) if isinstance(place.value, dict) else None
        if kind is None:
            raise place.wrong("this is no step", f"a step has one of the keys {', '.join(known)}")
        if kind in without:
            raise place.wrong(f"{kind} has no place here", f"possible are {', '.join(known)}")
        options, read = self._kinds[kind]
        return read(place.keys((kind, *options)), self._source.line(place.where))

    def _run(self, keys: dict[str, Place], at: int) -> steps.Step:
        code: int | None = 0
        if "code" in keys:
            code = None if keys["code"].value == "any" else keys["code"].whole(0, EXIT_CODE_MAX)
        background, sealed = ((keys[key].flag() if key in keys else False) for key in ("background", "sealed"))
        if background and sealed:
            raise keys["sealed"].wrong("a sealed line is waited for", "leave background out")
        return steps.Run(line=keys["run"].text(), code=code, background=background, sealed=sealed, at=at)

    def _interrupt(self, keys: dict[str, Place], at: int) -> steps.Step:
        keys["interrupt"].one_of(("all",), "such thing to interrupt:")
        return steps.Interrupt(at=at)

    def _fault(self, keys: dict[str, Place], at: int) -> steps.Step:
        place = keys["fault"]
        try:
            record = faults.read(place.value)
        except FaultError as problem:
            raise place.wrong(str(problem), "see docs/faults.md, or GET /faults/") from problem
        return steps.Break(fault=record, sealed=keys["sealed"].flag() if "sealed" in keys else False, at=at)

    def _heal(self, keys: dict[str, Place], at: int) -> steps.Step:
        name = keys["heal"].one_of(("all", *faults.FAULTS), "fault")
        return steps.Heal(name=None if name == "all" else name, at=at)

    def _until(self, keys: dict[str, Place], at: int) -> steps.Step:
        within = keys["within"].number(0, SECONDS_MAX) if "within" in keys else UNTIL_SECONDS
        return steps.Until(predicate=self._predicate(keys["until"]), within=within, at=at)

    def _answer(self, keys: dict[str, Place], at: int) -> steps.Step:
        answers = []
        for id_, place in keys["answer"].keys(tuple(self._questions)).items():
            try:
                answers.append((id_, self._questions[id_].accept(place.value)))
            except ValueError as problem:
                raise Wrong(place.where, str(problem).rstrip("."), "give such an answer") from problem
        return steps.Answer(answers=tuple(answers), at=at)

    def _hint(self, keys: dict[str, Place], at: int) -> steps.Step:
        if not keys["hint"].flag():
            raise keys["hint"].wrong("hint: false does nothing", "write hint: true")
        return steps.Hint(at=at)


__all__ = ["StepReader"]
