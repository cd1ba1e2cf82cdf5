/** Notices of a lesson (lesson/notices.js), between its head and its text: in view wherever the text is scrolled to, and spoken. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { titleOf } from "../lesson/prose.js";
import { askedIn, score } from "../lesson/questions.js";
import { NextLesson } from "./ending.js";
import { SeqLink } from "./seqlink.js";

/** @typedef {import("../lesson/notices.js").Notice} Notice */
/** @typedef {import("./lesson.js").Props & {notice: Notice}} NoticeProps */

/** @param {import("./lesson.js").Props} props */
export function Notices({ app, lesson }) {
  const { t } = app.strings;
  return h(
    "div",
    { class: "lesson-notices", role: "status" },
    lesson.notices.list.value.map((notice) =>
      h(
        "div",
        { key: `${notice.kind} ${notice.id}`, class: `lesson-notice ${toneOf(lesson, notice)}` },
        h(NOTICES[notice.kind], { app, lesson, notice }),
        h(
          "button",
          {
            type: "button",
            class: "ghost close",
            onClick: () => lesson.notices.dismiss(notice),
            title: t("lesson.notice.dismiss"),
            "aria-label": t("lesson.notice.dismiss"),
          },
          h(Icon, { name: "close", size: 15 }),
        ),
      ),
    ),
  );
}

/** @param {import("../lesson/lesson.js").Lesson} lesson @param {Notice} notice */
function toneOf(lesson, { kind, id }) {
  if (kind === "solved") return "good";
  return kind === "verdict" && lesson.answers.value[id]?.right ? "good" : "warn";
}

/** Show what a notice is about, also where the lesson is folded away; "": its beginning. @param {import("../app.js").App} app @param {import("../lesson/lesson.js").Lesson} lesson @param {string} id */
function review(app, lesson, id) {
  app.foldLesson(false);
  lesson.review(id);
}

/** @param {NoticeProps} props */
function Verdict({ app, lesson, notice: { id } }) {
  const { t, language } = app.strings;
  const answer = lesson.answers.value[id];
  if (!answer) return null;
  return [
    h(Icon, { key: "i", name: answer.right ? "check" : "close", size: 16 }),
    h(
      "p",
      { key: "p" },
      h("b", null, t(answer.right ? "lesson.notice.right" : "lesson.notice.wrong")),
      " ",
      h("button", { type: "button", class: "linklike", onClick: () => review(app, lesson, id) }, titleOf(language.value, `question ${id}`)),
      answer.seq && [" ", t("lesson.decided"), " ", h(SeqLink, { key: "s", app, seq: answer.seq })],
    ),
  ];
}

/** @param {NoticeProps} props */
function Debrief({ app, lesson, notice: { id } }) {
  const { t, language } = app.strings;
  const held = lesson.state.value.debriefs[id];
  return [
    h(Icon, { key: "i", name: "warning", size: 16 }),
    h(
      "p",
      { key: "p" },
      h("b", null, t("lesson.notice.debrief")),
      " ",
      h("button", { type: "button", class: "linklike", onClick: () => review(app, lesson, id) }, titleOf(language.value, `debrief ${id}`)),
      held && [" ", h(SeqLink, { key: "s", app, seq: held.seq })],
    ),
  ];
}

/** @param {NoticeProps} props */
function Solved({ app, lesson, notice }) {
  const { t } = app.strings;
  const { right, total } = score(lesson.answers.value);
  const summary = () => {
    lesson.notices.dismiss(notice);
    review(app, lesson, "");
  };
  return [
    h(Icon, { key: "i", name: "check", size: 18 }),
    h(
      "p",
      { key: "p" },
      h("b", null, t("lesson.solved.title")),
      askedIn(lesson.data).length > 0 && [" · ", t("lesson.solved.answers", { right, total })],
    ),
    h(
      "span",
      { key: "l", class: "lesson-notice-links" },
      h(NextLesson, { app, lesson }),
      h("button", { type: "button", class: "button", onClick: summary }, t("lesson.notice.summary")),
    ),
  ];
}

/** @type {Record<Notice["kind"], (props: NoticeProps) => any>} */
const NOTICES = { verdict: Verdict, debrief: Debrief, solved: Solved };
