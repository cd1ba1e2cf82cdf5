/** A question: its form, by mouse, finger or keyboard, and what is said once it is answered. */
import { h } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icons.js";
import { answerOf, firstDraft, moved, othersRight, ticked, verdictOf } from "../lesson/questions.js";
import { optionOf, sectionOf } from "../lesson/prose.js";
import { Prose } from "./prose.js";
import { SeqLink } from "./seqlink.js";

/** @typedef {import("../lesson/questions.js").Question} Question */
/** @typedef {{app: import("../app.js").App, lesson: import("../lesson/lesson.js").Lesson, question: Question}} Props */
/** @typedef {{app: import("../app.js").App, question: Question, draft: any, onDraft: (draft: any) => void, section: string}} FieldProps */

const SIGNS = { right: "check", wrong: "close", pending: "dots" };

/** The form. `onSkip` where the reader may go on without an answer. @param {Props & {onSkip?: () => void, onSent?: () => void}} props */
export function QuestionForm({ app, lesson, question, onSkip, onSent }) {
  const { t } = app.strings;
  const [draft, setDraft] = useState(() => firstDraft(question));
  const [failed, setFailed] = useState("");
  const section = `question ${question.id}`;
  const Field = { choice: Choice, order: Order, number: NumberField }[question.kind];
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = answerOf(question, draft);
    if (answer === null) return setFailed(t(question.kind === "number" ? "lesson.question.number" : "lesson.question.choose"));
    if (!lesson.answer(question.id, answer)) return setFailed(t("lesson.offline"));
    return onSent?.();
  };
  const able = app.store.may("learn") && lesson.state.value.ready;
  return h(
    "form",
    { class: "question", noValidate: true, onSubmit: submit },
    h(Prose, { app, section }),
    h(Field, {
      app,
      question,
      draft,
      section,
      onDraft: (/** @type {any} */ next) => {
        setDraft(next);
        setFailed("");
      },
    }),
    h("p", { role: "alert", class: "question-failed" }, failed),
    h(
      "div",
      { class: "question-send" },
      h("button", { type: "submit", class: "button primary", disabled: !able }, t("lesson.question.answer")),
      onSkip && h("button", { type: "button", class: "ghost", onClick: onSkip }, t("lesson.question.skip")),
    ),
  );
}

/** @param {FieldProps} props */
function Choice({ app, question, draft, onDraft, section }) {
  const { t } = app.strings;
  return h(
    "fieldset",
    { class: "options" },
    h("legend", { class: "fine" }, t(question.many ? "lesson.question.several" : "lesson.question.one")),
    (question.options ?? []).map((option) =>
      h(
        "label",
        { key: option, class: `option${draft.includes(option) ? " chosen" : ""}` },
        h("input", {
          type: question.many ? "checkbox" : "radio",
          name: question.id,
          value: option,
          checked: draft.includes(option),
          onChange: () => onDraft(ticked(question, draft, option)),
        }),
        h(Prose, { app, section, option, inline: true }),
      ),
    ),
  );
}

/** @param {FieldProps} props */
function NumberField({ app, question, draft, onDraft }) {
  const { t } = app.strings;
  const id = `number-${question.id}`;
  const unit = question.unit ? t(`lesson.unit.${question.unit}`) : "";
  return h(
    "div",
    { class: "number" },
    h("label", { for: id }, t("lesson.question.guess")),
    h(
      "span",
      null,
      h("input", {
        id,
        type: "text",
        inputMode: "decimal",
        autocomplete: "off",
        value: draft,
        "aria-describedby": unit ? `${id}-unit` : undefined,
        onInput: (/** @type {Event} */ event) => onDraft(/** @type {HTMLInputElement} */ (event.currentTarget).value),
      }),
      unit && h("span", { id: `${id}-unit` }, unit),
    ),
  );
}

/** A list that is put in order: by dragging the handles, or by the buttons up and down. @param {FieldProps} props */
function Order({ app, draft, onDraft, section }) {
  const { t, language } = app.strings;
  const list = useRef(/** @type {HTMLOListElement | null} */ (null));
  const [said, setSaid] = useState("");
  const [dragged, setDragged] = useState(/** @type {string | null} */ (null));
  /** What had the focus before the list was put in order: the nodes move, and the focus would be lost. */
  const focused = useRef("");
  useLayoutEffect(() => {
    const button =
      focused.current && /** @type {HTMLButtonElement | null} */ (list.current?.querySelector(`#${CSS.escape(focused.current)}`));
    focused.current = "";
    if (button && !button.disabled) button.focus();
    else if (button) /** @type {HTMLElement | null | undefined} */ (button.parentElement?.querySelector("button:not(:disabled)"))?.focus();
  }, [draft]);
  const textOf = (/** @type {string} */ item) => optionOf(language.value, section, item)?.textContent ?? item;
  const move = (/** @type {string} */ item, /** @type {number} */ to) => {
    const from = draft.indexOf(item);
    if (to < 0 || to >= draft.length || to === from) return;
    onDraft(moved(draft, from, to));
    setSaid(t("lesson.order.moved", { item: textOf(item), at: to + 1, of: draft.length }));
  };
  const press = (/** @type {string} */ item, /** @type {number} */ by, /** @type {Event} */ event) => {
    focused.current = /** @type {HTMLElement} */ (event.currentTarget).id;
    move(item, draft.indexOf(item) + by);
  };
  const onPointerDown = (/** @type {PointerEvent} */ event, /** @type {string} */ item) => {
    if (event.button !== 0 || /** @type {Element} */ (event.target).closest("button")) return;
    event.preventDefault();
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    setDragged(item);
  };
  const onPointerMove = (/** @type {PointerEvent} */ event) => {
    if (!dragged) return;
    const rows = [...(list.current?.children ?? [])].map((row) => row.getBoundingClientRect());
    const over = rows.findIndex((row) => event.clientY < row.bottom);
    const to = over < 0 ? rows.length - 1 : over;
    const from = draft.indexOf(dragged);
    // Past the middle of the row it is over, so that rows of different heights do not flicker.
    if (
      to !== from &&
      (to > from ? event.clientY > (rows[to].top + rows[to].bottom) / 2 : event.clientY < (rows[to].top + rows[to].bottom) / 2)
    )
      move(dragged, to);
  };
  const drop = () => setDragged(null);
  return h(
    "div",
    { class: "order" },
    h("p", { class: "fine" }, t("lesson.order.how")),
    h(
      "ol",
      { ref: list },
      draft.map((/** @type {string} */ item, /** @type {number} */ i) =>
        h(
          "li",
          {
            key: item,
            "data-item": item,
            class: item === dragged ? "dragged" : "",
            onPointerDown: (/** @type {PointerEvent} */ event) => onPointerDown(event, item),
            onPointerMove,
            onPointerUp: drop,
            onPointerCancel: drop,
          },
          h("span", { class: "order-place", "aria-hidden": "true" }, i + 1),
          h(Prose, { app, section, option: item, inline: true }),
          h(
            "span",
            { class: "order-buttons" },
            h(
              "button",
              {
                type: "button",
                class: "ghost",
                id: `up-${item}`,
                disabled: i === 0,
                onClick: (/** @type {Event} */ event) => press(item, -1, event),
                "aria-label": t("lesson.order.up", { item: textOf(item) }),
                title: t("lesson.order.up.short"),
              },
              h(Icon, { name: "up", size: 16 }),
            ),
            h(
              "button",
              {
                type: "button",
                class: "ghost",
                id: `down-${item}`,
                disabled: i === draft.length - 1,
                onClick: (/** @type {Event} */ event) => press(item, 1, event),
                "aria-label": t("lesson.order.down", { item: textOf(item) }),
                title: t("lesson.order.down.short"),
              },
              h(Icon, { name: "down", size: 16 }),
            ),
          ),
        ),
      ),
    ),
    h("p", { class: "visually-hidden", role: "status" }, said),
  );
}

/** What came of an answer: right, not quite, or not known yet; what was given beside what is true; and the message that decided. @param {Props} props */
export function Feedback({ app, lesson, question }) {
  const { t, language } = app.strings;
  const answer = lesson.answers.value[question.id];
  if (!answer) return null;
  const verdict = verdictOf(answer);
  const section = `question ${question.id}`;
  const wrong = `wrong ${Array.isArray(answer.given) ? answer.given[0] : answer.given}`;
  const part = verdict === "right" ? "right" : hasPart(language.value, section, wrong) ? wrong : "wrong";
  return h(
    "div",
    { class: `feedback ${verdict}`, role: "status" },
    h(
      "p",
      { class: "feedback-head" },
      h(Icon, { name: SIGNS[verdict], size: 16 }),
      h("b", null, t(`lesson.verdict.${verdict}`)),
      answer.seq ? h("span", { class: "decided" }, t("lesson.decided"), " ", h(SeqLink, { app, seq: answer.seq })) : null,
    ),
    h(Compared, { app, question, answer, section }),
    verdict === "pending" ? h("p", null, t(`lesson.verdict.pending.${question.kind}`)) : h(Prose, { app, section, part }),
  );
}

/** @param {string} language @param {string} section @param {string} part */
const hasPart = (language, section, part) => Boolean(sectionOf(language, section)?.querySelector(`[data-part="${CSS.escape(part)}"]`));

/** Given and true, where there is more to it than a tick. @param {{app: import("../app.js").App, question: Question, answer: import("../lesson/questions.js").Answer, section: string}} props */
function Compared({ app, question, answer, section }) {
  const { t, language } = app.strings;
  const number = new Intl.NumberFormat(language.value, { maximumFractionDigits: 2 });
  const unit = question.unit ? ` ${t(`lesson.unit.${question.unit}`)}` : "";
  if (question.kind === "number") {
    return h(
      "dl",
      { class: "compared" },
      h("dt", null, t("lesson.given")),
      h("dd", null, `${number.format(answer.given)}${unit}`),
      typeof answer.truth === "number" && [
        h("dt", { key: "t" }, t("lesson.truth")),
        h("dd", { key: "d" }, `${number.format(answer.truth)}${unit}`),
      ],
    );
  }
  if (question.kind === "choice") {
    const others = othersRight(answer);
    return [
      h(Options, { key: "g", app, section, label: t("lesson.answered"), options: [answer.given].flat() }),
      others.length > 0 &&
        h(Options, { key: "o", app, section, label: t(answer.right ? "lesson.truth.also" : "lesson.truth.choice"), options: others }),
    ];
  }
  const truth = Array.isArray(answer.truth) ? answer.truth : null;
  // Where the order of some did not matter, another one than the wire's is right as well.
  const same = (/** @type {number} */ i) => answer.right || truth?.[i] === answer.given[i];
  return h(
    "table",
    { class: "compared-order" },
    h("thead", null, h("tr", null, h("th", { scope: "col" }, t("lesson.given")), truth && h("th", { scope: "col" }, t("lesson.truth")))),
    h(
      "tbody",
      null,
      answer.given.map((/** @type {string} */ item, /** @type {number} */ i) =>
        h(
          "tr",
          { key: item },
          h(
            "td",
            { class: truth ? (same(i) ? "same" : "other") : "" },
            truth && h(Icon, { name: same(i) ? "check" : "close", size: 13 }),
            h(Prose, { app, section, option: item, inline: true }),
          ),
          truth && h("td", null, h(Prose, { app, section, option: truth[i], inline: true })),
        ),
      ),
    ),
  );
}

/** @param {{app: import("../app.js").App, section: string, label: string, options: string[]}} props */
const Options = ({ app, section, label, options }) =>
  h(
    "p",
    { class: "chosen-text" },
    h("span", { class: "fine" }, label),
    " ",
    options.map((option, i) => [i > 0 && " · ", h(Prose, { key: option, app, section, option, inline: true })]),
  );
