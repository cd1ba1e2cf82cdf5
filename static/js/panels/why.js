/** Why: the chain of causes, from the command, timer or fault that began it down to the entry of which it was asked. */
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
  return h(
    "div",
    { class: "why" },
    h("p", { class: "explanation" }, t("why.text", { count: chain.length - 1, time: duration(Math.max(0, passed), language.value) })),
    h(Origin, { app, entry: first }),
    h(
      "ol",
      { class: "chain" },
      chain.map((link, i) =>
        h(
          "li",
          { key: link.seq },
          i > 0 &&
            h(
              "span",
              { class: "chain-wait", "aria-hidden": "true" },
              duration(Math.max(0, (link.arrived ?? link.at) - (chain[i - 1].arrived ?? chain[i - 1].at)), language.value),
            ),
          h(EntryLink, { app, entry: link, current: link.seq === entry.seq }),
        ),
      ),
    ),
  );
}
