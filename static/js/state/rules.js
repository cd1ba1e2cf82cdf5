/** The forwarding rules of a node, as iptables-save prints them, by chain. */
import { h } from "preact";
import { useState } from "preact/hooks";
import { ruleKey } from "./facts.js";
import { More, Seq, Sign, windowOf } from "./table.js";

/** @typedef {import("./facts.js").Rule} Rule */

const LINES = 24;

/** @param {Rule} rule */
const chainOf = ({ table, chain }) => `${table} ${chain}`;

/** @param {import("./pane.js").ViewProps} props */
export function Rules({ app, data, marks }) {
  const { t } = app.strings;
  const [from, go] = useState(0);
  const rules = /** @type {Rule[]} */ (data.rules);
  const seen = windowOf(rules, from, LINES);
  const host = app.state.host.value || data.hosts[0];
  if (data.hosts.length === 0) return h("p", { class: "empty" }, t("state.empty.rules"));
  return h(
    "div",
    { class: "state-rules" },
    h(
      "div",
      { class: "state-kinds", role: "group", "aria-label": t("state.host") },
      data.hosts.map((/** @type {string} */ name) =>
        h(
          "button",
          {
            key: name,
            type: "button",
            "aria-pressed": String(name === host),
            onClick: () => {
              app.state.host.value = name;
            },
          },
          name,
        ),
      ),
    ),
    h(
      "p",
      { class: "fine" },
      t(data.derived ? "state.rules.derived" : "state.rules.seen", { host }),
      " ",
      data.by && h(Seq, { app, seq: data.by }),
    ),
    rules.length === 0 && h("p", { class: "state-none" }, t("state.none")),
    h(
      "ol",
      { class: "state-lines" },
      seen.rows.map((rule, i) =>
        h(
          "li",
          { key: `${seen.start + i}`, class: marks.has(ruleKey(rule)) ? "changed" : undefined },
          (i === 0 || chainOf(seen.rows[i - 1]) !== chainOf(rule)) && h("h3", null, chainOf(rule)),
          h(Sign, { app, mark: marks.get(ruleKey(rule)) ?? null }),
          h("code", null, rule.text),
        ),
      ),
    ),
    h(More, { app, all: rules, from: seen.start, size: LINES, go, changed: (rule) => marks.has(ruleKey(rule)) }),
  );
}
