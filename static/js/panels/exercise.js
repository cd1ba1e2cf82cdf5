/**
 * An exercise: its goal, questions, checks that tick while the cluster runs, hints, a solution, and what went wrong.
 * Once it is solved, what was said on the way is folded and no warning any more.
 */
import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icons.js";
import { clock } from "../format.js";
import { HINT_SECONDS, askedAt, hintWait } from "../lesson/hints.js";
import { askedIn, verdictOf } from "../lesson/questions.js";
import { sectionOf, titleOf } from "../lesson/prose.js";
import { Copy } from "./copy.js";
import { Background, Onward, Score } from "./ending.js";
import { useHeir } from "./heir.js";
import { Prose } from "./prose.js";
import { Feedback, QuestionForm } from "./question.js";
import { SeqLink } from "./seqlink.js";

/** @typedef {import("./lesson.js").Props} Props */

/** @param {Props} props */
export function Exercise({ app, lesson }) {
  const { t } = app.strings;
  const { data, state, pointed } = lesson;
  const { solved } = state.value;
  const body = useRef(/** @type {HTMLDivElement | null} */ (null));
  // The whole of it is pointed at by no name: its beginning.
  useEffect(() => {
    if (pointed.value?.id === "") body.current?.scrollTo(0, 0);
  }, [pointed.value]);
  return h(
    "div",
    { class: `lesson-body exercise${solved ? " done" : ""}`, ref: body, tabIndex: 0, role: "region", "aria-label": t("lesson.exercise") },
    solved && h(Solved, { app, lesson }),
    h("section", null, h(Prose, { app, section: "goal" })),
    h(Questions, { app, lesson, when: "start" }),
    h(Debriefs, { app, lesson }),
    h(Checks, { app, lesson }),
    h(Questions, { app, lesson, when: "checks" }),
    data.hints > 0 && h(Hints, { app, lesson }),
    h(Solution, { app, lesson }),
    app.store.may("gateway") &&
      h(
        "p",
        { class: "fine outside" },
        h(Icon, { name: "globe", size: 14 }),
        h(
          "span",
          null,
          t("lesson.outside"),
          " ",
          h("button", { type: "button", class: "linklike", popovertarget: "kubeconfig" }, t("kubeconfig.title")),
        ),
      ),
    h(Background, { app, lesson }),
    app.store.may("replace") &&
      h(
        "div",
        { class: "replace" },
        h(
          "button",
          { type: "button", class: "button", onClick: () => app.replace("undo"), title: t("lesson.undo.title") },
          h(Icon, { name: "back", size: 14 }),
          t("lesson.undo"),
        ),
        h(
          "button",
          { type: "button", class: "button", onClick: () => app.replace("reset"), title: t("lesson.reset.title") },
          h(Icon, { name: "start", size: 14 }),
          t("lesson.reset"),
        ),
      ),
  );
}

/** @param {Props & {when: "start" | "checks"}} props */
function Questions({ app, lesson, when }) {
  const { t } = app.strings;
  const ids = askedAt(lesson.data.ask, when);
  if (ids.length === 0) return null;
  const first = ids.find((id) => lesson.open(id));
  return h(
    "section",
    { class: "questions" },
    h("h2", null, t(when === "start" ? "lesson.questions" : "lesson.questions.after")),
    ids.map((id) => h(Asked, { key: id, app, lesson, id, first: id === first })),
  );
}

const SIGNS = { right: "check", wrong: "close", pending: "dots", open: "help" };

/**
 * A part that can be unfolded: `first` by itself, otherwise by hand, or because a notice points at it; folded when all is solved.
 * @param {import("../lesson/lesson.js").Lesson} lesson @param {string} id @param {boolean} first
 */
function useFold(lesson, id, first) {
  const { solved } = lesson.state.value;
  const [open, setOpen] = useState(first && !solved);
  const ref = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  useEffect(() => {
    if (first) setOpen(true);
  }, [first]);
  useEffect(() => {
    if (solved) setOpen(false);
  }, [solved]);
  useEffect(() => {
    if (lesson.pointed.value?.id !== id) return;
    setOpen(true);
    requestAnimationFrame(() => ref.current?.scrollIntoView({ block: "nearest" }));
  }, [lesson.pointed.value]);
  const onToggle = (/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.currentTarget).open);
  return { open, setOpen, fold: { ref, open, onToggle } };
}

/** What lies ahead keeps its title to itself, for titles tell: a question has one once it is opened. @param {Props & {id: string, first: boolean}} props */
function Asked({ app, lesson, id, first }) {
  const { t, language } = app.strings;
  const question = lesson.question(id);
  const answer = lesson.answers.value[id];
  const verdict = answer ? verdictOf(answer) : "open";
  const { open, setOpen, fold } = useFold(lesson, id, first);
  const [opened, setOpened] = useState(first);
  const [again, setAgain] = useState(false);
  useHeir(fold.ref, [Boolean(answer), again], () => fold.ref.current?.querySelector("summary"));
  useEffect(() => {
    if (open) setOpened(true);
  }, [open]);
  const number = askedIn(lesson.data).indexOf(id) + 1;
  if (!question) return null;
  return h(
    "details",
    { class: `asked ${verdict}`, "data-question": id, ...fold },
    h(
      "summary",
      null,
      h(
        "span",
        { class: "asked-sign" },
        h(Icon, { name: SIGNS[verdict], size: 14 }),
        h("span", { class: "visually-hidden" }, t(`lesson.verdict.${verdict}`)),
      ),
      h("span", null, opened || answer ? titleOf(language.value, `question ${id}`) : t("lesson.question.later", { at: number })),
    ),
    answer && !again
      ? h(
          "div",
          null,
          h(Feedback, { app, lesson, question }),
          verdict === "wrong" &&
            app.store.may("learn") &&
            h("button", { type: "button", class: "button", onClick: () => setAgain(true) }, t("lesson.question.again")),
        )
      : h(QuestionForm, {
          app,
          lesson,
          question,
          onSent: () => setAgain(false),
          onSkip: lesson.open(id)
            ? () => {
                lesson.skip(id);
                setOpen(false);
              }
            : undefined,
        }),
  );
}

/** @param {Props} props */
function Checks({ app, lesson }) {
  const { t, language } = app.strings;
  const { checks } = lesson.data;
  const passed = lesson.state.value.checks;
  const count = checks.filter((check) => passed[check.id]).length;
  return h(
    "section",
    { class: "checks" },
    h(
      "h2",
      null,
      t("lesson.checks"),
      " ",
      h("span", { class: "fine", role: "status" }, t("lesson.checks.count", { at: count, of: checks.length })),
    ),
    h(
      "ul",
      null,
      checks.map(({ id }) => {
        const held = passed[id];
        return h(
          "li",
          { key: id, class: held ? "passed" : "" },
          h(
            "span",
            { class: "check-sign" },
            held && h(Icon, { name: "check", size: 13 }),
            h("span", { class: "visually-hidden" }, t(held ? "lesson.check.passed" : "lesson.check.open")),
          ),
          h("span", null, titleOf(language.value, `check ${id}`), h(Prose, { app, section: `check ${id}` })),
          held && h(SeqLink, { app, seq: held.seq, title: t("lesson.check.where") }),
        );
      }),
    ),
  );
}

/** What the lesson noticed on the way, each with the entry at which it happened; the last one is open. @param {Props} props */
function Debriefs({ app, lesson }) {
  const list = Object.entries(lesson.state.value.debriefs).sort(([, a], [, b]) => b.seq - a.seq);
  return list.map(([id, held], i) => h(Debrief, { key: id, app, lesson, id, held, first: i === 0 }));
}

/** @param {Props & {id: string, held: import("../lesson/lesson.js").Held, first: boolean}} props */
function Debrief({ app, lesson, id, held, first }) {
  const { t, language } = app.strings;
  const { fold } = useFold(lesson, id, first);
  return h(
    "details",
    { class: "debrief", ...fold },
    h("summary", null, h(Icon, { name: "warning", size: 16 }), h("span", null, titleOf(language.value, `debrief ${id}`))),
    h(Prose, { app, section: `debrief ${id}` }),
    h(
      "button",
      { type: "button", class: "button", onClick: () => app.actions.reveal(held.seq) },
      t("lesson.debrief.where"),
      h("span", { class: "seq" }, `#${held.seq} · ${clock(held.at, 2)}`),
    ),
  );
}

/** Hints come one by one; who cannot wait asks twice. @param {Props} props */
export function Hints({ app, lesson }) {
  const { t, language } = app.strings;
  const shown = Math.min(lesson.state.value.hints, lesson.data.hints);
  const [since, setSince] = useState(() => Date.now());
  const [now, setNow] = useState(() => Date.now());
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    setSince(Date.now());
    setAsked(false);
  }, [shown]);
  const wait = hintWait(since, now);
  useEffect(() => {
    if (wait === 0 || shown >= lesson.data.hints) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [wait === 0, shown]);
  const press = () => {
    if (wait > 0 && !asked) setAsked(true);
    else if (!lesson.hint()) app.toast(t("lesson.offline"));
  };
  return h(
    "section",
    { class: "hints" },
    h("h2", null, t("lesson.hints"), " ", h("span", { class: "fine" }, t("lesson.hints.count", { at: shown, of: lesson.data.hints }))),
    Array.from({ length: shown }, (_, i) =>
      h(
        "details",
        { key: i, class: "hint-text", open: i === shown - 1 },
        h("summary", null, titleOf(language.value, `hint ${i + 1}`)),
        h(Prose, { app, section: `hint ${i + 1}` }),
      ),
    ),
    shown < lesson.data.hints &&
      h(
        "div",
        { class: "hint-ask" },
        h(
          "button",
          { type: "button", class: "button", disabled: !app.store.may("learn"), onClick: press },
          t(wait > 0 && asked ? "lesson.hint.anyway" : "lesson.hint.next"),
        ),
        h(
          "span",
          { class: "fine", role: asked ? "status" : undefined, "aria-live": "off" },
          wait > 0 && t(asked ? "lesson.hint.early" : "lesson.hint.wait", { count: wait, of: HINT_SECONDS }),
        ),
      ),
  );
}

/** @param {Props} props */
function Solution({ app, lesson }) {
  const { t, language } = app.strings;
  // Where the text gives the commands they are not given twice.
  const solution = sectionOf(language.value, "solution")?.querySelector("pre.command") ? [] : lesson.data.solution;
  return h(
    "details",
    { class: "solution" },
    h("summary", null, t("lesson.solution")),
    h("p", { class: "fine" }, t("lesson.solution.read")),
    h(Prose, { app, section: "solution" }),
    solution.length > 0 &&
      h(
        "ol",
        { class: "solution-steps" },
        solution.map((line, i) => h("li", { key: i, class: "paste" }, h("pre", { tabIndex: 0 }, line), h(Copy, { app, text: line }))),
      ),
  );
}

/** @param {Props} props */
function Solved({ app, lesson }) {
  const { t } = app.strings;
  const { hints, golf } = lesson.state.value;
  const last = Math.max(0, ...Object.values(lesson.state.value.checks).map((held) => held.at));
  return h(
    "section",
    { class: "solved" },
    h("h2", null, h(Icon, { name: "check", size: 18 }), t("lesson.solved.title")),
    h(
      "p",
      null,
      t("lesson.solved.time", { time: clock(last, 1) }),
      " ",
      hints > 0 ? t("lesson.solved.hints", { count: hints }) : t("lesson.solved.noHints"),
    ),
    golf && h("p", { class: "golf" }, t(golf.count > golf.par ? "lesson.solved.golf" : "lesson.solved.par", golf)),
    h(Score, { app, lesson }),
    h(Onward, { app, lesson }),
  );
}
