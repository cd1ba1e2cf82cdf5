/** How a lesson ends: what came of its predictions, where it goes on, and where all that it said can be looked up. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { titleOf } from "../lesson/prose.js";
import { askedIn, verdictOf } from "../lesson/questions.js";
import { Prose, inLanguage } from "./prose.js";
import { SeqLink } from "./seqlink.js";

/** @typedef {import("./lesson.js").Props} Props */

const SIGNS = { right: "check", wrong: "close", pending: "dots", skipped: "dots" };

/** All predictions: which were right, each with the message that decided it. A walkthrough takes one try, an exercise several. @param {Props} props */
export function Score({ app, lesson }) {
  const { t, language } = app.strings;
  const answers = lesson.answers.value;
  const ids = askedIn(lesson.data);
  if (ids.length === 0) return null;
  const said = lesson.data.kind === "exercise" ? "lesson.solved.answers" : "lesson.score";
  return h(
    "section",
    { class: "score" },
    h("h3", null, t(said, { right: ids.filter((id) => answers[id]?.right).length, total: ids.length })),
    h(
      "ul",
      null,
      ids.map((id) => {
        const answer = answers[id];
        const verdict = answer ? verdictOf(answer) : "skipped";
        const title = titleOf(language.value, `question ${id}`);
        const asked = lesson.data.beats.some((beat) => beat.question === id);
        return h(
          "li",
          { key: id, class: verdict },
          h(
            "span",
            { class: "asked-sign" },
            h(Icon, { name: SIGNS[verdict], size: 13 }),
            h("span", { class: "visually-hidden" }, t(`lesson.verdict.${verdict}`)),
          ),
          asked ? h("button", { type: "button", class: "linklike", onClick: () => lesson.review(id) }, title) : h("span", null, title),
          answer?.seq ? h(SeqLink, { app, seq: answer.seq }) : null,
        );
      }),
    ),
  );
}

/** The next lesson of the course, as the button to press. @param {Props} props */
export function NextLesson({ app, lesson }) {
  const { t, language } = app.strings;
  const { next } = lesson.data;
  if (!next) return null;
  return h(
    "a",
    { class: "button primary", href: next.url },
    t("lesson.nextLesson", { title: inLanguage(language.value, next.titles) }),
    h(Icon, { name: "right", size: 15 }),
  );
}

/** Where it goes on. @param {Props} props */
export function Onward({ app, lesson }) {
  const { t, language } = app.strings;
  const { next, course, kind } = lesson.data;
  return h(
    "p",
    { class: "finished-links" },
    h(NextLesson, { app, lesson }),
    app.store.may("replace") && h("button", { type: "button", class: "button", onClick: () => app.replace("reset") }, t("lesson.again")),
    course
      ? h(
          "a",
          { class: `button${next ? "" : " primary"}`, href: `/courses/${course.id}/` },
          t("lesson.course", { title: inLanguage(language.value, course.titles) }),
        )
      : h("a", { class: "button", href: `/${kind}s/` }, t(`lesson.more.${kind}`)),
  );
}

/** Where this cluster differs from others, and the sources of what was said. @param {Props} props */
export function Background({ app, lesson }) {
  const { t, language } = app.strings;
  const { sources } = lesson.data;
  const differs = titleOf(language.value, "differs");
  return [
    differs && h("section", { key: "d", class: "differs" }, h("h3", null, differs), h(Prose, { app, section: "differs" })),
    sources.length > 0 &&
      h(
        "details",
        { key: "s", class: "sources" },
        h("summary", null, t("lesson.sources"), " ", h("span", { class: "fine" }, sources.length)),
        h(
          "ul",
          null,
          sources.map((source, i) => h("li", { key: i }, h(SourceLink, { source }))),
        ),
      ),
  ];
}

const IN_TREE = /^kubernetes v(\d+\.\d+) (\S+): (.*)$/;

/** A page, or a file of Kubernetes at that version with what it shows. @param {{source: import("../lesson/lesson.js").Source}} props */
function SourceLink({ source: { at, title } }) {
  const [, version, path, what] = IN_TREE.exec(at) ?? [];
  const href = path ? `https://github.com/kubernetes/kubernetes/blob/v${version}.0/${path}` : at;
  return [h("a", { key: "a", href, rel: "noopener" }, path ?? title ?? at), what && `: ${what}`];
}
