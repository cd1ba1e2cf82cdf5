/** The audit log's part in an entry: the line of an event, and what has the same audit id: its request's answer, its events. */
import { h } from "preact";
import { sameAudit } from "../causes.js";
import { EntryLink } from "./entrylink.js";

/** @param {import("./drawer.js").TabProps} props */
export function Audit({ app, entry }) {
  const {
    store,
    strings: { t },
  } = app;
  const others = sameAudit(store.log.entries, entry, store.shown.value);
  if (entry.fields.auditID === undefined) return null;
  return h(
    "section",
    { class: "audit" },
    h("h3", null, t("what.audit")),
    entry.kind === "audit.event" && entry.fields.line && h("pre", null, pretty(entry.fields.line)),
    h(
      "ul",
      { class: "links" },
      others.map((other) => h("li", { key: other.seq }, h(EntryLink, { app, entry: other }))),
    ),
  );
}

/** @param {string} line */
function pretty(line) {
  try {
    return JSON.stringify(JSON.parse(line), null, 2);
  } catch {
    return line;
  }
}
