"""The way through: a first visit to the end of the first course without a mouse, and one exercise of each course.

Exercises are solved as their own solution says, typed and answered at the page; the hand is a learner's, the plan is
the lesson's.
"""

import pytest
from browser_lesson import Learner
from playwright.sync_api import Locator, expect

from cluster_engine.predicates import Predicate
from cluster_engine.predicates.predicate import All, Reached
from visualizer.lessons import courses, library
from visualizer.lessons.lesson import EXERCISE, WALKTHROUGH, Lesson
from visualizer.lessons.questions import Question
from visualizer.lessons.steps import Answer, Interrupt, Run, Until, Wait

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]

SOLVE_MS = 240_000
AT_ONCE_MS = 5_000
TABS_MAX = 250
FOCUSED = "(one) => one === document.activeElement"
PASTE = """(input, text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  input.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""
OF_EACH_COURSE = [
    "exercises/order-the-handshake",
    "exercises/two-writers",
    "exercises/schedule-by-hand",
    "exercises/the-pod-that-never-starts",
    "exercises/decrypt-or-not",
]


def test_each_course_with_exercises_has_one_that_is_played_here() -> None:
    played = {course.id for course in courses.courses() for path in course.lessons if path in OF_EACH_COURSE}
    with_exercises = {course.id for course in courses.courses() if any("exercises/" in path for path in course.lessons)}
    assert with_exercises - played == {courses.courses()[0].id}, "that of the first course is played by keyboard"


@pytest.mark.parametrize("path", OF_EACH_COURSE)
def test_an_exercise_of_each_course_is_solved_at_the_page(learner: Learner, path: str) -> None:
    Hand(learner).solve(library.read(path))


def test_a_first_visit_leads_to_the_end_of_the_first_course_without_a_mouse(learner: Learner) -> None:
    page, hand = learner.page, Hand(learner, tabs=True)
    first, second = courses.courses()[:2]
    page.goto("/")
    hand.press_on(page.locator("#go-on"))
    for path in first.lessons:
        page.wait_for_url(f"**/{path}/")
        hand.press_on(page.locator("main .start button.primary"))
        learner.arrive()
        lesson = library.read(path)
        if lesson.kind == WALKTHROUGH:
            hand.walk(lesson)
        else:
            hand.solve(lesson)
        hand.press_on(page.locator(".finished-links a.primary"))
    page.wait_for_url(f"**/{second.lessons[0]}/")
    page.goto("/")
    expect(page.locator("#go-on")).to_have_attribute("href", f"/{second.lessons[0]}/")
    done = f"{len(first.lessons)} of {len(first.lessons)}"
    expect(page.locator(f"[data-course={first.id}] .course-done")).to_contain_text(done)


class Hand:
    """Goes through lessons with the keyboard; `tabs`: also to every field and button, by the tab key."""

    def __init__(self, learner: Learner, *, tabs: bool = False) -> None:
        self.learner, self.page, self._tabs = learner, learner.page, tabs

    # -- a walkthrough -------------------------------------------------------------------------------------------------

    def walk(self, lesson: Lesson) -> None:
        """Go from beat to beat, answer what is asked, and see the end."""
        for beat in lesson.beats:
            if beat.question is not None:
                self.predict(lesson, beat.question)
            self.page.locator(".beat").wait_for()
            self.onward()
        for id_ in lesson.last_questions:
            self.predict(lesson, id_)
            self.onward()
        expect(self.page.locator(".finished")).to_be_visible()

    def onward(self) -> None:
        """Press n as soon as the lesson lets go on."""
        self.page.locator(".moves .primary:enabled").wait_for()
        self.page.locator("#diagram").focus()
        self.page.keyboard.press("n")

    def predict(self, lesson: Lesson, id_: str) -> None:
        """Answer a question that stands alone in the pane."""
        question = lesson.question(id_)
        assert question is not None
        form = self.page.locator(".predict form")
        form.wait_for()
        self.answer(form, question, _right(question))

    # -- an exercise ---------------------------------------------------------------------------------------------------

    def solve(self, lesson: Lesson) -> None:
        """Do what the solution says; then the page says that it is solved."""
        assert lesson.kind == EXERCISE
        checks = [check.id for check in lesson.checks]
        if self.page.locator(".exercise").count() == 0:
            self.learner.begin(lesson.path)
        for step in lesson.solution:
            match step:
                case Answer(answers=answers):
                    for id_, answer in answers:
                        self.give(lesson, id_, answer)
                case Run(line=line, background=background):
                    self.type(f"{line.strip()} &" if background else line.strip())
                case Interrupt():
                    self.page.locator(".ran-line .stop").first.press("Enter")
                case Until(predicate=Reached(name=name)) if name in checks:
                    self.wait_for(self.page.locator(".checks li").nth(checks.index(name)))
                case Until(predicate=predicate):
                    self.learner.hurry()
                    self.learner.reached(*_names(predicate))
                case Wait():
                    raise AssertionError("nobody has said yet how one waits for seconds of the cluster")
                case _:
                    pass
        self.learner.hurry()
        expect(self.page.locator(".solved").first).to_be_visible(timeout=SOLVE_MS)

    def wait_for(self, check: Locator) -> None:
        """Wait until a check has passed; where that takes long, faster."""
        try:
            expect(check).to_have_class("passed", timeout=AT_ONCE_MS)
        except AssertionError:
            self.learner.hurry()
            expect(check).to_have_class("passed", timeout=SOLVE_MS)

    def give(self, lesson: Lesson, id_: str, answer: object) -> None:
        """Answer one of the questions of an exercise, unless it is solved already: then they are folded."""
        if self.page.locator(".lesson-head .solved-sign").count():
            return
        question = lesson.question(id_)
        assert question is not None
        title = library.prose(lesson, "en").section("question", id_)
        assert title is not None
        item = self.page.locator(f".asked[data-question='{id_}']")
        form = item.locator("form")
        while not form.is_visible():  # where it unfolds by itself in the same moment, this folds it again
            self.press_on(item.locator("summary"))
        expect(item.locator("summary")).to_contain_text(title.title.replace("`", ""))
        self.answer(form, question, answer)
        expect(item.locator(".feedback")).to_be_attached()  # and folded, if that has solved it

    def type(self, line: str) -> None:
        """Type a line (or paste several) and wait until the terminal takes the next."""
        self.come_to(self.page.locator("#command"))
        before = self.page.locator(".ran").count()
        if "\n" in line:
            self.page.locator("#command").evaluate(
                PASTE,
                line,
            )
        else:
            self.page.keyboard.insert_text(line)
            self.page.keyboard.press("Enter")
        self.page.wait_for_function("(n) => document.querySelectorAll('.ran').length > n", arg=before)
        self.page.locator(".line .stop").wait_for(state="detached")

    # -- the hand ------------------------------------------------------------------------------------------------------

    def press_on(self, target: Locator, key: str = "Enter") -> None:
        """Come to a link or a button by the tab key, and press it."""
        self.come_to(target)
        self.page.keyboard.press(key)

    def come_to(self, target: Locator) -> None:
        """Have the focus there."""
        target.wait_for()
        if not self._tabs:
            target.focus()
        for _ in range(TABS_MAX):
            if target.evaluate(FOCUSED):
                break
            self.page.keyboard.press("Tab")
        assert target.evaluate(FOCUSED), "the tab key does not come there"

    def answer(self, form: Locator, question: Question, answer: object) -> None:
        """Fill in a question's form and send it."""
        if question.kind == "order":
            self._order(form, list(answer))  # type: ignore[call-overload]
        elif question.kind == "number":
            self.come_to(form.locator("input"))
            self.page.keyboard.insert_text(str(answer))
        elif question.many:
            for option in question.options:
                if option in answer:  # type: ignore[operator]
                    self.press_on(form.locator(f"input[value='{option}']"), "Space")
        else:
            self.press_on(form.locator("input").first, "Space")
            for _ in range(question.options.index(str(answer))):
                self.page.keyboard.press("ArrowDown")
        self.press_on(form.locator("[type=submit]"))

    def _order(self, form: Locator, wanted: list[str]) -> None:
        """Bring the items into an order with their buttons."""
        for place, item in enumerate(wanted):
            for _ in range(len(wanted)):
                now = form.locator("[data-item]").evaluate_all("(all) => all.map((one) => one.dataset.item)")
                if now.index(item) <= place:
                    break
                form.locator(f"[data-item='{item}'] button").first.press("Enter")


def _names(predicate: Predicate) -> list[str]:
    """What has to be reached."""
    match predicate:
        case Reached(name=name):
            return [name]
        case All(parts=parts):
            return [name for part in parts for name in _names(part)]
    raise AssertionError(f"nobody has said yet how one waits for {predicate}")


def _right(question: Question) -> object:
    if question.kind == "order":
        return list(question.items)
    if question.kind == "number":
        return question.truth if isinstance(question.truth, float) else 10
    return list(question.right) if question.many else question.right[0]
