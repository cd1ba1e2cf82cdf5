/** An entry named by its number alone: pressing it shows it in the diagram. */
import { h } from "preact";

/** @param {{app: import("../app.js").App, seq: number, title?: string}} props */
export function SeqLink({ app, seq, title }) {
  const { t, say } = app.strings;
  const entry = app.store.log.get(seq);
  const show = () => (entry ? app.actions.reveal(seq) : app.toast(t("lesson.anchor.later")));
  return h(
    "button",
    {
      type: "button",
      class: "ghost small seq-link",
      onClick: show,
      title: title ?? (entry ? say(entry) : t("lesson.anchor")),
      "aria-label": `${title ?? t("lesson.anchor")}: #${seq}`,
    },
    `#${seq}`,
  );
}
