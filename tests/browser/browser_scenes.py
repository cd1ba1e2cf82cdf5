"""Every page and every state of the product that looks different, and how a person comes there.

Each act is a generator: it goes from state to state as a person would and yields the state's name and its page, so that
whoever iterates looks at the page (axe, a picture) before the act goes on. Nothing here depends on the language.

    for name, page in playground(Stage(chromium, server)):
        page.screenshot(path=f"{name}.png")
"""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import browser_incident as incident
from browser_page import HEAR, PATIENCE_MS
from playwright.sync_api import Browser, BrowserContext, Page, expect

Scenes = Iterator[tuple[str, Page]]

OPEN = {
    "landing": "/",
    "courses": "/courses/",
    "course": "/courses/first-look/",
    "walkthroughs": "/walkthroughs/",
    "walkthrough-intro": "/walkthroughs/mutual-tls/",
    "exercises": "/exercises/",
    "exercise-intro": "/exercises/node-down/",
    "map": "/map/",
    "rooms": "/rooms/",
    "join": "/join/",
    "progress": "/progress/",
    "incident-intro": "/incident/?seed=1",
    "fault-cards": "/faults/cards/",
    "glossary": "/glossary/",
    "privacy": "/privacy/",
    "sign-in": "/account/sign-in/",
    "sign-up": "/account/sign-up/",
    "error-404": "/nowhere/",
    "error-404-cluster": "/clusters/nowhere/",
}
MINE = {
    "account": "/account/",
    "account-password": "/account/password/",
    "account-delete": "/account/delete/",
    "account-progress": "/progress/",
    "account-rooms": "/rooms/",
}
LONG_AGO = "2026-01-02T03:04:05.000Z"
NOTES = {  # of somebody who was here before: one lesson done with a wrong prediction, the next one begun
    "walkthroughs/kubectl-to-running": {"solvedAt": LONG_AGO, "answers": {"right": 1, "total": 2}, "at": LONG_AGO},
    "walkthroughs/who-talks-to-whom": {"beat": "a", "beats": [1, 5], "at": "2026-01-03T03:04:05.000Z"},
}
PASSWORD = "a lamp beside the sea"
STEPS_MAX = 40


class Stage:
    """Where acts play: browsers of as many people as an act needs."""

    def __init__(self, chromium: Browser, server: str, **options: Any) -> None:
        self._chromium = chromium
        self._options = {"base_url": server, "locale": "en-US", "reduced_motion": "reduce"} | options
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def person(self) -> Page:
        """A page in a browser of somebody new."""
        context = self._chromium.new_context(**self._options)
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.add_init_script(HEAR)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def close(self) -> None:
        """Everybody leaves."""
        for context in self._contexts:
            context.close()


def sign_up(page: Page, name: str = "") -> str:
    """Open an account and be signed in."""
    name = name or f"ann-{secrets.token_hex(4)}"
    page.goto("/account/sign-up/")
    page.fill("[name=username]", name)
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    page.click("main button[type=submit], main form button")
    page.locator(".account-name").wait_for()
    return name


def doors(stage: Stage) -> Scenes:
    """The pages that anybody may open, and what is said where something is not there, refused or broken."""
    page = stage.person()
    for name, path in OPEN.items():
        page.goto(path)
        yield name, page
    page.goto("/account/sign-in/")
    page.click("main button")
    page.locator(".errorlist").first.wait_for()
    yield "sign-in-refused", page
    page.evaluate("(all) => localStorage.setItem('glassplane:progress', JSON.stringify(all))", NOTES)
    for name in ("landing", "courses", "progress"):
        page.goto(OPEN[name])
        page.locator(".course-done:visible").first.wait_for()
        yield f"{name}-known", page
    page.goto(OPEN["map"])
    page.locator(".map-count:visible").first.wait_for()
    yield "map-known", page
    page.goto("/join/")
    page.click("main button")
    page.locator(".errorlist").first.wait_for()
    yield "join-refused", page


def errors(stage: Stage) -> Scenes:
    """Forms that are refused: of another site, out of bounds, too many."""
    page = stage.person()
    post(page, "/clusters/", token=False)
    yield "error-403", page
    post(page, "/clusters/", nodes="99")
    yield "error-400", page
    page.goto("/walkthroughs/mutual-tls/")
    for _ in range(STEPS_MAX):
        answer = post(page, "/clusters/", lesson="walkthroughs/mutual-tls")
        if answer == 429:
            break
    yield "error-429", page


def post(page: Page, path: str, token: bool = True, **fields: str) -> int:
    """Send a form as a page of ours would; the answer's status."""
    page.goto("/walkthroughs/mutual-tls/")
    with page.expect_navigation() as navigation:
        page.evaluate(
            """([path, token, fields]) => {
              const form = document.createElement("form");
              Object.assign(form, { method: "post", action: path });
              const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;
              for (const [name, value] of Object.entries(token ? { csrfmiddlewaretoken: csrf, ...fields } : fields)) {
                const input = document.createElement("input");
                Object.assign(input, { type: "hidden", name, value });
                form.append(input);
              }
              document.body.append(form);
              form.submit();
            }""",
            [path, token, fields],
        )
    answer = navigation.value
    return answer.status if answer is not None else 0


def account(stage: Stage) -> Scenes:
    """The pages of somebody who has an account."""
    page = stage.person()
    sign_up(page)
    for name, path in MINE.items():
        page.goto(path)
        yield name, page
    page.locator(".account-name").click()
    page.locator("#account-menu").wait_for()
    yield "account-menu", page


def playground(stage: Stage) -> Scenes:
    """The sandbox: as it opens, with a message opened at each depth, its dialogs, and something broken."""
    page = stage.person()
    page.goto("/sandbox/")
    page.locator(".health.running").wait_for()
    page.locator("#diagram [role=option]").first.wait_for()
    yield "sandbox", page
    page.click("#first-command:enabled")
    page.locator(".screen-log", has_text="deployment.apps/web created").wait_for()
    close_coach(page)
    page.fill("#search", "POST deployments")
    page.press("#search", "Enter")
    page.locator(".row.request").first.click()
    for tab in ("what", "why", "headers", "body", "records", "bytes"):
        page.click(f"#tab-{tab}")
        expect(page.locator("#drawer-panel .loading")).to_have_count(0)
        yield f"drawer-{tab}", page
    page.locator(".drawer-tools button").last.click()  # on a phone it leaves no room for anything but the diagram
    page.fill("#search", "lane:")
    page.locator("#find-offers li").first.wait_for()
    yield "find", page
    page.press("#search", "Escape")
    page.locator("[popovertarget=breakpoints]").click()
    page.locator("#breakpoints .suggestion").first.click()
    page.locator("#breakpoints .breaks-list li").wait_for()
    yield "breakpoints", page
    page.keyboard.press("Escape")
    page.locator("#diagram").focus()
    page.keyboard.press("?")
    page.locator("dialog[open]").wait_for()
    yield "keys", page
    page.keyboard.press("Escape")
    page.locator("[popovertarget=kubeconfig]").first.click()
    page.locator("#kubeconfig").wait_for()
    yield "kubeconfig", page
    page.keyboard.press("Escape")
    page.locator("#diagram").focus()
    page.keyboard.press("x")
    page.locator("dialog.faults input:checked").wait_for()
    yield "faults", page
    page.locator("dialog.faults .fault-about summary").first.click()
    page.locator("dialog.faults .fault-card").wait_for()
    yield "fault-card", page
    page.locator("dialog.faults input[value=power-off]").check(force=True)
    page.locator("dialog.faults [type=submit]").click()
    page.locator(".fault-chip").wait_for()
    yield "fault-active", page
    page.locator(".fault-ask").click()
    page.locator(".fault-popover .fault-card").wait_for()
    yield "fault-active-card", page


def terminal(stage: Stage) -> Scenes:
    """The terminal while a program reads what is typed, and while a text is edited."""
    page = stage.person()
    page.goto("/sandbox/")
    page.locator(".health.running").wait_for()
    close_coach(page)
    enter(page, "cat > note.txt")
    page.locator(".prompt.keys").wait_for()
    enter(page, "what is typed goes to cat")
    page.locator(".stdin").wait_for()
    yield "terminal-keys", page
    page.locator("#command").press("Control+d")
    page.locator(".prompt.keys").wait_for(state="detached")
    enter(page, "edit web.yaml")
    page.locator("#editor-text").wait_for()
    yield "terminal-editor", page


STATE_VIEWS = ("objects", "board", "topology", "beliefs", "identities", "rules")


def state(stage: Stage) -> Scenes:
    """The state at the cursor: each view of it, an object's history, and a message opened over it."""
    page = stage.person()
    page.goto("/sandbox/")
    page.locator(".health.running").wait_for()
    page.click("#first-command:enabled")
    page.locator(".screen-log", has_text="deployment.apps/web created").wait_for()
    close_coach(page)
    page.locator("#run").click()
    page.locator(".state-button:visible").click()
    for view in STATE_VIEWS:
        page.click(f"#state-tab-{view}")
        page.locator(f".state-{view}").wait_for()
        yield f"state-{view}", page
    page.click("#state-tab-objects")
    page.locator(".state-table .object-link").first.click()
    page.locator(".state-versions .version").first.wait_for()
    yield "state-history", page
    page.locator(".state-versions .version").first.click()
    page.keyboard.press("w")
    page.locator(".drawer").wait_for()
    yield "state-behind", page


def enter(page: Page, line: str) -> None:
    """Type a line into the terminal."""
    page.fill("#command", line)
    page.press("#command", "Enter")


def close_coach(page: Page) -> None:
    """The first hint is read."""
    page.locator(".coach .close").click()


def walkthrough(stage: Stage) -> Scenes:
    """A walkthrough: a beat, a question, its answer, a myth card, the learner's turn, the end."""
    page = stage.person()
    start(page, "walkthroughs/mutual-tls")
    page.locator(".beat h2").wait_for()
    yield "beat", page
    page.locator("button.term").first.click()
    page.locator("#term a[href*=glossary]").wait_for()
    yield "term", page
    page.keyboard.press("Escape")
    go_on(page, until=".predict")
    yield "question-order", page
    page.locator(".predict [type=submit]").click()
    page.locator(".feedback").wait_for()
    yield "answer", page
    go_on(page, until=".myth-open")
    page.click(".myth-open")
    page.locator("dialog.myth[open] svg").first.wait_for()
    yield "myth", page
    page.keyboard.press("Escape")
    go_on(page, until=".your-turn")
    yield "your-turn", page
    go_on(page, until=".finished")
    yield "finished", page


def start(page: Page, lesson: str) -> None:
    """Begin a lesson from its introduction."""
    page.goto(f"/{lesson}/")
    page.locator("main .start button.primary").click()
    page.locator(".lesson").wait_for()


def to_terminal(page: Page) -> None:
    """On a phone the lesson makes room for the terminal."""
    button = page.locator(".to-terminal")
    if button.is_visible():
        button.click()


def to_lesson(page: Page) -> None:
    """And back."""
    unfold = page.locator(".lesson.folded .fold")
    if unfold.count():
        unfold.click()


def go_on(page: Page, until: str) -> None:
    """Go on, answering nothing, until something is there."""
    skip, onward = page.locator(".question-send .ghost:enabled"), page.locator(".moves .primary:enabled")
    for _ in range(STEPS_MAX):
        page.locator(until).or_(onward).or_(skip).first.wait_for()
        if page.locator(until).first.is_visible():
            return
        before = page.locator(".lesson-body").inner_text()
        (skip if skip.count() else onward).click()
        page.wait_for_function("(text) => document.querySelector('.lesson-body').innerText !== text", arg=before)
        page.locator(".lesson-waiting").wait_for(state="detached")
    raise AssertionError(f"no {until} came")


def exercise(stage: Stage) -> Scenes:
    """An exercise: as it begins, with a hint and an answer, and solved."""
    page = stage.person()
    start(page, "exercises/order-the-handshake")
    page.locator(".exercise .question").first.wait_for()
    page.locator(".question [type=submit]:enabled").first.wait_for()
    yield "exercise", page
    to_terminal(page)
    page.fill("#command", "kubectl logs web")
    page.press("#command", "Enter")
    to_lesson(page)
    page.locator(".checks .passed").first.wait_for()
    ask = page.locator(".hint-ask button")
    ask.click()
    ask.click()
    page.locator(".hint-text").wait_for()
    page.locator(".question [type=submit]:enabled").first.click()
    page.locator(".feedback").first.wait_for()
    yield "exercise-answered", page
    page.locator("details.solution summary").click()
    yield "exercise-solution", page
    page.locator("details.solution summary").click()
    solve_the_handshake(page)
    page.locator(".solved").scroll_into_view_if_needed()
    yield "exercise-solved", page


ORDER = [
    "client-hello",
    "server-hello",
    "certificate-request",
    "server-certificate",
    "client-certificate",
    "first-request",
]


def solve_the_handshake(page: Page) -> None:
    """Put it in order, and answer what is asked."""
    page.locator(".asked:is(.right, .wrong)").first.wait_for()  # what was answered before is judged
    again = page.locator(".asked.wrong button.button")
    if again.count():
        again.first.click()
    for place, item in enumerate(ORDER):
        for _ in range(len(ORDER)):
            items = page.eval_on_selector_all(".order li", "(all) => all.map((one) => one.dataset.item)")
            if items.index(item) <= place:
                break
            page.locator(f"#up-{item}").click()
    page.locator("form:has(.order) [type=submit]").click()
    page.locator(".asked.right").first.wait_for()
    for answer in ("encrypted-extensions", "cluster-admins"):
        option = page.locator(f"input[value={answer}]")
        option.wait_for(state="attached")
        # A click would close it where the page opens the next question by itself in the same moment.
        page.locator("details.asked", has=option).evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        option.check()
        page.locator("form", has=option).locator("[type=submit]").click()
        option.wait_for(state="detached")
    page.locator(".solved").wait_for()


def an_incident(stage: Stage) -> Scenes:
    """An incident: before anything is wrong, a false alarm, noticed, named wrongly and rightly, and its debrief."""
    page = stage.person()
    incident.begin(page)
    incident.cry_wolf(page)
    yield "incident", page
    incident.notice(page)
    incident.diagnose(page, "power-off", "worker-1")
    expect(page.locator(".incident-said.wrong")).not_to_be_empty()
    yield "incident-noticed", page
    incident.diagnose(page, *incident.NAMED)
    incident.ask_for(page, "power")
    page.locator(".incident .question").wait_for()
    yield "incident-named", page
    incident.ask_for(page, "start")
    page.locator(".incident-debrief .fault-card").wait_for()
    yield "incident-debrief", page


def room(stage: Stage, learners: tuple[tuple[str, str], ...] = (("Kim", "A"), ("Robin", "B"))) -> Scenes:
    """A class: the instructor's console empty and at work, a learner's page, an incident noticed and diagnosed."""
    teacher = stage.person()
    sign_up(teacher)
    teacher.goto("/rooms/")
    teacher.fill("#title", "Monday: when a node dies")
    teacher.click("form[action='/rooms/'] button.primary")
    teacher.locator(".room-code").first.wait_for()
    yield "console-empty", teacher
    code = teacher.locator(".room-code").first.inner_text()
    kim, robin, *_ = [join(stage.person(), code, name, group) for name, group in learners]
    yield "learner", kim
    robin.locator(".room-help").click()
    expect(teacher.locator("tbody tr")).to_have_count(len(learners))
    teacher.locator(".room-counts .room-flag").wait_for()
    yield "console", teacher
    teacher.click("#break")
    teacher.locator("dialog[open] input[value=power-off]").check(force=True)
    yield "console-break", teacher
    teacher.locator("dialog[open] [type=submit]").click()
    teacher.locator(".room-incidents li").first.wait_for()
    expect(teacher.locator(".room-report .room-step")).to_have_count(len(learners))
    kim.locator(".room-notice").click()
    kim.locator(".docked select").first.wait_for()
    yield "learner-diagnosis", kim
    kim.locator(".docked select").first.select_option("power-off")
    kim.locator(".docked select").nth(1).select_option("worker-1")
    kim.locator(".docked [type=submit]").click()
    kim.locator(".room-verdict.wrong").wait_for()
    yield "learner-verdict", kim
    yield "console-incident", teacher
    teacher.locator(".room-way-in button").first.click()
    teacher.locator(".room-projected").wait_for()
    yield "console-projected", teacher
    teacher.keyboard.press("Escape")
    teacher.goto("/rooms/")
    yield "rooms-mine", teacher


def join(page: Page, code: str, name: str, group: str) -> Page:
    """Come into a room, and wait for the cluster to run."""
    page.goto("/join/")
    page.fill("#code", code)
    page.fill("#name", name)
    page.fill("#group", group)
    page.click("main button.primary")
    page.locator(".health.running").wait_for()
    page.locator(".room-tools").wait_for()
    return page


ACTS: dict[str, Callable[[Stage], Scenes]] = {
    "terminal": terminal,
    "doors": doors,
    "errors": errors,
    "account": account,
    "playground": playground,
    "state": state,
    "walkthrough": walkthrough,
    "exercise": exercise,
    "incident": an_incident,
    "room": room,
}
