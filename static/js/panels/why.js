/**
 * Why: the chain of causes, from the command, timer or fault that began it down to the entry of which it was asked.
 *
 * Each link says whether the wire says it itself (an answer and its request, a watch event and what etcd stored) or by
 * which rule it was inferred. What a program had to wait for, beside what triggered it, is told apart.
 */
import { h } from "preact";
import { chainOf } from "../causes.js";
import { duration } from "../format.js";
import { EntryLink } from "./entrylink.js";
import { Origin } from "./origin.js";

/** @param {import("./drawer.js").TabProps} props */
export function Why({ app, entry }) {
  const { t, language } = app.strings;
  const chain = chainOf(app.store.log.entries, app.store.asked.value ?? entry.seq);
  const first = chain[0];
  const last = chain[chain.length - 1];
  const passed = (last.arrived ?? last.at) - first.at;
  const inferred = chain.filter((link) => link.cause !== null && link.how).length;
  return h(
    "div",
    { class: "why" },
    h(
      "p",
      { class: "explanation" },
      chain.length > 1 ? t("why.text", { count: chain.length - 1, time: duration(Math.max(0, passed), language.value) }) : t("why.alone"),
    ),
    inferred > 0 && h("p", { class: "explanation" }, t("why.inferred", { count: inferred })),
    h(Origin, { app, entry: first }),
    h(
      "ol",
      { class: "chain" },
      chain.map((link, i) =>
        h(
          "li",
          { key: link.seq },
          i > 0 && h(How, { app, entry: link, passed: (link.arrived ?? link.at) - (chain[i - 1].arrived ?? chain[i - 1].at) }),
          h(EntryLink, { app, entry: link, current: link.seq === entry.seq }),
          h(WaitedFor, { app, entry: link }),
        ),
      ),
    ),
  );
}

/** How an entry is known to follow from its cause, and how much later it came. @param {{app: import("../app.js").App, entry: import("../log.js").Entry, passed?: number}} props */
export function How({ app, entry, passed }) {
  const { t, language } = app.strings;
  return h(
    "span",
    { class: `chain-wait${entry.how ? " inferred" : ""}` },
    passed !== undefined && h("span", { "aria-hidden": "true" }, duration(Math.max(0, passed), language.value)),
    entry.how && h("span", { class: "how" }, t(`how.${entry.how}`)),
  );
}

/** The message for which an entry's speaker had to wait, where that is another than what triggered it. @param {import("./drawer.js").TabProps} props */
export function WaitedFor({ app, entry }) {
  const waited = app.store.log.get(entry.after);
  if (!waited) return null;
  return h("div", { class: "waited" }, h("span", null, app.strings.t("why.waited")), h(EntryLink, { app, entry: waited }));
}
