/** The lesson beside the diagram: its frame with title and progress, and the beats of a walkthrough. */
import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../icons.js";
import { titleOf } from "../lesson/prose.js";
import { Background, Onward, Score } from "./ending.js";
import { Exercise } from "./exercise.js";
import { useHeir } from "./heir.js";
import { later } from "./later.js";
import { MythButton } from "./myth.js";
import { Notices } from "./notices.js";
import { Prose, inLanguage } from "./prose.js";
import { Feedback, QuestionForm } from "./question.js";

/** @typedef {import("../lesson/lesson.js").Lesson} Lesson */
/** @typedef {{app: import("../app.js").App, lesson: Lesson}} Props */

const BODIES = {
  walkthrough: Walkthrough,
  exercise: Exercise,
  incident: later(() => import("../incidents/incident.js"), "Incident", "faultform"),
};

/** @param {{app: import("../app.js").App}} props */
export function LessonPane({ app }) {
  const {
    lesson,
    lessonFolded,
    strings: { t, language },
  } = app;
  if (!lesson) return null;
  const { data } = lesson;
  const folded = lessonFolded.value;
  const worked = data.kind !== "walkthrough";
  const solved = worked && lesson.state.value.solved;
  useTitle(solved ? `✓ ${t("lesson.solved.title")}` : "");
  return h(
    "aside",
    { class: `lesson pane${folded ? " folded" : ""}`, "aria-label": t("lesson.label") },
    h(
      "header",
      { class: "lesson-head" },
      h(
        "div",
        { class: "lesson-title" },
        h(
          "p",
          { class: "kicker" },
          h("a", { href: `/${data.kind}s/` }, t(`lesson.${data.kind}`)),
          " · ",
          t("lesson.minutes", { count: data.minutes }),
        ),
        solved && h("p", { class: "solved-sign" }, h(Icon, { name: "check", size: 13 }), t("lesson.solved.title")),
        h("h1", null, inLanguage(language.value, data.titles)),
      ),
      h(
        "button",
        {
          type: "button",
          class: "ghost fold",
          "aria-expanded": String(!folded),
          onClick: () => app.foldLesson(!folded),
          title: t(folded ? "lesson.unfold" : "lesson.fold"),
          "aria-label": t(folded ? "lesson.unfold" : "lesson.fold"),
        },
        h(Icon, { name: folded ? "right" : "left" }),
      ),
    ),
    data.beats.length > 0 && h(Steps, { app, lesson }),
    // An incident says in its own place what came of what was said.
    data.kind !== "incident" && h(Notices, { app, lesson }),
    !folded && h(BODIES[data.kind], { app, lesson }),
    data.beats.length > 0 && h(Moves, { app, lesson }),
    worked && !folded && h(ToTerminal, { app }),
  );
}

/** Say something before the page's title, where other tabs show it too. @param {string} news */
function useTitle(news) {
  const plain = useRef(document.title);
  useEffect(() => {
    document.title = news ? `${news} · ${plain.current}` : plain.current;
  }, [news]);
}

/** Where in the lesson: one mark a beat; what has been reached can be gone back to. @param {Props} props */
function Steps({ app, lesson }) {
  const { t, language } = app.strings;
  const { beats } = lesson.data;
  const at = lesson.index.value;
  return h(
    "nav",
    { class: "steps", "aria-label": t("lesson.steps") },
    h(
      "ol",
      null,
      beats.map((beat, i) => {
        const reached = i <= lesson.reached.value;
        const title = lesson.told(beat) ? `${i + 1}. ${inLanguage(language.value, beat.title)}` : t("lesson.step.later", { at: i + 1 });
        return h(
          "li",
          { key: beat.id },
          h("button", {
            type: "button",
            class: `step${i === at ? " now" : i < at || lesson.finished.value ? " past" : ""}`,
            disabled: !reached,
            "aria-current": i === at ? "step" : undefined,
            onClick: () => lesson.show(beat.id),
            title,
            "aria-label": title,
          }),
        );
      }),
    ),
    h("span", { class: "steps-text" }, t("lesson.progress", { at: at + 1, of: beats.length })),
  );
}

/** @param {Props} props */
function Moves({ app, lesson }) {
  const { t } = app.strings;
  const finished = lesson.finished.value;
  const last = !finished && lesson.index.value === lesson.data.beats.length - 1;
  const wandered = lesson.wandered.value;
  const beat = lesson.beat.value;
  const mine = lesson.state.value.handedOver && lesson.stage.value === "beat" && lesson.index.value === lesson.reached.value;
  return h(
    "footer",
    { class: "lesson-foot" },
    mine && !finished && h(YourTurn, { app, suggest: beat?.handOver?.suggest ?? null }),
    h(
      "div",
      { role: "status", class: "wandered-place" },
      wandered &&
        h(
          "p",
          { class: "wandered" },
          h("span", null, t("lesson.wandered")),
          h("button", { type: "button", class: "button", onClick: lesson.restore }, t("lesson.return"), h("kbd", null, "r")),
        ),
    ),
    h(
      "div",
      { class: "moves" },
      h(
        "button",
        {
          type: "button",
          class: "button",
          disabled: lesson.index.value <= 0 && !finished,
          onClick: lesson.previous,
          title: `${t("lesson.previous")} (b)`,
        },
        h(Icon, { name: "left", size: 15 }),
        t("lesson.previous.short"),
      ),
      (!finished || lesson.check.value) &&
        h(
          "button",
          {
            type: "button",
            class: "button primary",
            disabled: !lesson.able.value,
            onClick: lesson.next,
            title: `${t(last ? "lesson.finish" : "lesson.next")} (n)`,
          },
          t(last ? "lesson.finish" : "lesson.next.short"),
          h(Icon, { name: last ? "check" : "right", size: 15 }),
        ),
    ),
  );
}

/** @param {Props} props */
function Walkthrough({ app, lesson }) {
  const { t, language } = app.strings;
  const body = useRef(/** @type {HTMLDivElement | null} */ (null));
  const beat = lesson.beat.value;
  const stage = lesson.stage.value;
  const check = lesson.check.value;
  useEffect(() => body.current?.scrollTo(0, 0), [beat?.id, stage, lesson.finished.value, check]);
  useHeir(body, [beat?.id, stage, lesson.finished.value, check, lesson.open(check)]);
  /** @type {Record<import("../lesson/lesson.js").Stage, () => any>} */
  const stages = {
    none: () => h(Waiting, { app, text: t("lesson.opening") }),
    question: () => h(Predict, { app, lesson }),
    waiting: () => h(Waiting, { app, text: t(lesson.state.value.ready ? "lesson.waiting" : "lesson.opening") }),
    lost: () => h(Lost, { app }),
    beat: () => h(BeatText, { app, lesson }),
  };
  return h(
    "div",
    {
      class: "lesson-body",
      ref: body,
      tabIndex: 0,
      role: "region",
      "aria-label": beat && !lesson.finished.value && lesson.told(beat) ? inLanguage(language.value, beat.title) : t("lesson.label"),
    },
    lesson.finished.value ? h(Finished, { app, lesson }) : stages[stage](),
  );
}

/** @param {Props} props */
function Predict({ app, lesson }) {
  const { t, language } = app.strings;
  const beat = lesson.beat.value;
  const question = beat?.question ? lesson.question(beat.question) : null;
  if (!question) return null;
  return h(
    "div",
    { class: "predict" },
    h("p", { class: "kicker" }, t("lesson.predict")),
    h("h2", null, titleOf(language.value, `question ${question.id}`)),
    h(QuestionForm, { key: question.id, app, lesson, question, onSkip: () => lesson.skip(question.id) }),
  );
}

/** @param {Props} props */
function BeatText({ app, lesson }) {
  const { t, language } = app.strings;
  const beat = lesson.beat.value;
  if (!beat) return null;
  const question = beat.question ? lesson.question(beat.question) : null;
  return h(
    "article",
    { class: "beat" },
    h("h2", null, inLanguage(language.value, beat.title)),
    question && h(Feedback, { app, lesson, question }),
    h(Prose, { app, section: `beat ${beat.id}` }),
    beat.myth && h(MythButton, { app, myth: beat.myth }),
    app.store.focus.value.size > 0 &&
      h(
        "p",
        { class: "focus-note fine" },
        t("lesson.focus", { count: app.store.picture.value.plan.lanes.focus.size }),
        " ",
        h("button", { type: "button", class: "linklike", onClick: app.actions.clearFilters }, t("lesson.focus.all")),
      ),
  );
}

/** The learner's own turn: time runs, the terminal is theirs, and the lesson goes on by itself. @param {{app: import("../app.js").App, suggest: string | null}} props */
function YourTurn({ app, suggest }) {
  const { t } = app.strings;
  return h(
    "section",
    { class: "your-turn" },
    h("h2", null, h(Icon, { name: "terminal", size: 16 }), t("lesson.handOver.title")),
    h("p", null, t("lesson.handOver.text")),
    suggest &&
      h(
        "button",
        { type: "button", class: "button primary", disabled: !app.store.may("type"), onClick: () => app.typeCommand(suggest) },
        h(Icon, { name: "prompt", size: 16 }),
        h("code", null, suggest),
      ),
    h(ToTerminal, { app }),
  );
}

/** Where there is room for the lesson or the terminal only: from one to the other. @param {{app: import("../app.js").App}} props */
const ToTerminal = ({ app }) =>
  h(
    "button",
    { type: "button", class: "button to-terminal", onClick: app.toTerminal },
    h(Icon, { name: "terminal", size: 15 }),
    app.strings.t("lesson.toTerminal"),
  );

/** @param {{app: import("../app.js").App, text: string}} props */
const Waiting = ({ text }) =>
  h("p", { class: "lesson-waiting", role: "status" }, h("span", { class: "spin", "aria-hidden": "true" }), text);

/** @param {{app: import("../app.js").App}} props */
function Lost({ app }) {
  const { t } = app.strings;
  return h(
    "div",
    { class: "lesson-lost", role: "alert" },
    h("h2", null, t("lesson.lost.title")),
    h("p", null, t("lesson.lost.text")),
    app.store.may("replace") &&
      h("button", { type: "button", class: "button primary", onClick: () => app.replace("reset") }, t("lesson.lost.again")),
  );
}

/** After the last beat: the last questions, one after another, then what came of all of them. @param {Props} props */
function Finished({ app, lesson }) {
  const { t } = app.strings;
  if (lesson.check.value) return h(Check, { key: lesson.check.value, app, lesson, id: lesson.check.value });
  return h(
    "article",
    { class: "finished" },
    h("h2", null, h("span", { class: "finished-sign" }, h(Icon, { name: "check", size: 20 })), t("lesson.finished.title")),
    h(Score, { app, lesson }),
    h(Onward, { app, lesson }),
    h("p", { class: "fine" }, t("lesson.finished.text")),
    h(Background, { app, lesson }),
  );
}

/** @param {Props & {id: string}} props */
function Check({ app, lesson, id }) {
  const { t, language } = app.strings;
  const question = lesson.question(id);
  if (!question) return null;
  const { check } = lesson.data;
  return h(
    "div",
    { class: "predict" },
    h(
      "p",
      { class: "kicker" },
      t("lesson.check"),
      check.length > 1 && ` · ${t("lesson.progress", { at: check.indexOf(id) + 1, of: check.length })}`,
    ),
    h("h2", null, titleOf(language.value, `question ${id}`)),
    lesson.open(id)
      ? h(QuestionForm, { app, lesson, question, onSkip: () => lesson.skip(id) })
      : [h(Prose, { key: "t", app, section: `question ${id}` }), h(Feedback, { key: "f", app, lesson, question })],
  );
}
