/**
 * An incident beside the diagram: say that something is wrong, name it, have it repaired, read what it was. The server
 * judges all of it (`visualizer.lessons.incidents`); the page knows what it was answered.
 */
import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { duration } from "../format.js";
import { Icon } from "../icons.js";
import { titleOf } from "../lesson/prose.js";
import { DiagnosisForm, loadFaults } from "../panels/diagnosisform.js";
import { EntryLink } from "../panels/entrylink.js";
import { Hints } from "../panels/exercise.js";
import { Prose } from "../panels/prose.js";
import { QuestionForm } from "../panels/question.js";
import { Card } from "./card.js";

/** @typedef {import("../panels/lesson.js").Props} Props */

const SEED_MAX = 999_999;

/** @param {Props} props */
export function Incident({ app, lesson }) {
  const { t } = app.strings;
  const { state } = lesson;
  const { noticed, diagnosed } = state.value.checks;
  const { solved } = state.value;
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  // What is to be done now stands at the top, what it is all about below it: a page before this one has told it.
  useEffect(() => ref.current?.scrollTo(0, 0), [Boolean(noticed), Boolean(diagnosed), solved]);
  return h(
    "div",
    { class: "lesson-body exercise incident", tabIndex: 0, role: "region", "aria-label": t("lesson.incident"), ref },
    solved && h(Debrief, { app, lesson }),
    h(Progress, { app, lesson }),
    !noticed && h(Alarm, { app, lesson }),
    !noticed && h("section", null, h(Prose, { app, section: "goal" })),
    noticed && !diagnosed && h(Diagnosis, { app, lesson }),
    diagnosed && h(Named, { app, lesson }),
    diagnosed && h(Repair, { app, lesson }),
    !solved && h(Hints, { app, lesson }),
    app.store.may("replace") &&
      h(
        "div",
        { class: "replace" },
        h(
          "button",
          { type: "button", class: "button", onClick: () => app.replace("reset"), title: t("lesson.reset.title") },
          h(Icon, { name: "start", size: 14 }),
          t("lesson.reset"),
        ),
      ),
  );
}

/** The three things to do, each ticked once it is done. @param {Props} props */
function Progress({ app, lesson }) {
  const { t, language } = app.strings;
  const held = lesson.state.value.checks;
  return h(
    "ol",
    { class: "incident-steps", "aria-label": t("incident.steps") },
    lesson.data.checks.map(({ id }) =>
      h(
        "li",
        { key: id, class: held[id] ? "done" : "" },
        h(Icon, { name: held[id] ? "check" : "dots", size: 14 }),
        h("span", null, titleOf(language.value, `check ${id}`)),
        held[id] && h("span", { class: "visually-hidden" }, t("incident.step.done")),
      ),
    ),
  );
}

/** @param {Props} props */
function Alarm({ app, lesson }) {
  const { t } = app.strings;
  const answer = lesson.answers.value.noticed;
  const [failed, setFailed] = useState(false);
  const able = app.store.may("learn") && lesson.state.value.ready;
  return h(
    "section",
    null,
    h(
      "button",
      {
        type: "button",
        class: "button danger large",
        disabled: !able || answer?.right === null,
        onClick: () => setFailed(!lesson.answer("noticed", true)),
      },
      h(Icon, { name: "warning", size: 16 }),
      t("incident.alarm"),
    ),
    h("p", { class: "fine" }, t("incident.alarm.hint")),
    h(
      "p",
      { role: "alert", class: "incident-said wrong" },
      failed ? t("lesson.offline") : answer?.right === false && t("incident.alarm.false", { count: answer.tries ?? 1 }),
    ),
  );
}

/** @param {Props} props */
function Diagnosis({ app, lesson }) {
  const { t } = app.strings;
  const [faults, setFaults] = useState(/** @type {import("../faults.js").Fault[]} */ ([]));
  const answer = lesson.answers.value.diagnosis;
  const wrong = answer?.right === false;
  useEffect(() => void loadFaults().then(setFaults, () => app.toast(t("lesson.offline"))), []);
  return h(
    "section",
    null,
    h("p", { role: "status" }, t("incident.noticed")),
    h("p", { class: "fine" }, t("incident.ends")),
    faults.length > 0 &&
      h(DiagnosisForm, {
        faults,
        cast: app.store.cast.value,
        strings: app.strings,
        busy: answer?.right === null,
        onDiagnose: (/** @type {string} */ fault, /** @type {string} */ target) => {
          if (!lesson.answer("diagnosis", { fault, target })) app.toast(t("lesson.offline"));
        },
      }),
    h("p", { role: "alert", class: "incident-said wrong" }, wrong && t("incident.wrong", { count: answer.tries ?? 1 })),
  );
}

/** @param {Props} props */
function Named({ app, lesson }) {
  const { t } = app.strings;
  const truth = lesson.answers.value.diagnosis?.truth;
  if (!truth) return null;
  return h(
    "p",
    { role: "status", class: "incident-said right" },
    h(Icon, { name: "check", size: 15 }),
    h("span", null, h("b", null, t(`fault.${truth.fault}.name`)), ...whereOf(truth, t)),
  );
}

/** Where it is; of a storyline, which. @param {{fault: string, target: string}} truth @param {Props["app"]["strings"]["t"]} t */
const whereOf = ({ fault, target }, t) => (fault === "storyline" ? [": ", t(`fault.choice.${target}`)] : [" ", t("fault.on", { target })]);

/** @param {Props} props */
function Repair({ app, lesson }) {
  const { t, language } = app.strings;
  const question = lesson.question("remedy");
  const answer = lesson.answers.value.remedy;
  const { solved } = lesson.state.value;
  if (!question || (solved && !answer)) return null;
  return h(
    "section",
    null,
    h("h2", null, titleOf(language.value, "question remedy")),
    answer &&
      answer.right !== null &&
      h(Prose, { key: String(answer.right), app, section: "question remedy", part: answer.right ? "right" : "wrong" }),
    !solved && answer?.right !== true && answer?.right !== null && h(QuestionForm, { key: answer?.tries ?? 0, app, lesson, question }),
    !solved && answer?.right && h("p", { class: "fine" }, t("incident.waits")),
  );
}

/** @param {Props} props */
function Debrief({ app, lesson }) {
  const { t, language } = app.strings;
  const { checks, anchors, hints } = lesson.state.value;
  const { noticed, diagnosis } = lesson.answers.value;
  const truth = diagnosis?.truth;
  const began = anchors.began;
  const seen = anchors.seen && app.store.log.get(anchors.seen.seq);
  const alarms = (noticed?.tries ?? 1) - 1;
  const after = (/** @type {string} */ id) => duration(Math.max(0, checks[id].at - began.at), language.value);
  if (!truth || !began) return null;
  return h(
    "section",
    { class: "solved incident-debrief", role: "status" },
    h("h2", null, h(Icon, { name: "check", size: 18 }), t("incident.solved")),
    h(
      "dl",
      null,
      ["noticed", "diagnosed", "repaired"].map((id) => [
        h("dt", { key: `${id} t` }, t(`incident.after.${id}`)),
        h("dd", { key: `${id} d` }, after(id)),
      ]),
      h("dt", null, t("incident.tries")),
      h("dd", null, diagnosis.tries ?? 1),
      h("dt", null, t("incident.alarms")),
      h("dd", null, alarms),
      h("dt", null, t("incident.hints")),
      h("dd", null, hints),
    ),
    h("p", { class: "fine" }, t("incident.clock")),
    seen && [h("h3", null, t("incident.seen")), h(EntryLink, { app, entry: seen })],
    h("h3", null, t(`fault.${truth.fault}.name`)),
    h(Card, { name: truth.fault, words: app.urls.words, strings: app.strings }),
    h(
      "p",
      { class: "finished-links" },
      h("a", { class: "button primary", href: `/incident/?seed=${1 + Math.floor(Math.random() * SEED_MAX)}` }, t("incident.another")),
    ),
  );
}
