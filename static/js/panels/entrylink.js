/** An entry named in a panel: pressing it shows it in the diagram. */
import { h } from "preact";
import { clock } from "../format.js";
import { objectOf } from "../causes.js";
import { Icon } from "../icons.js";
import { SHAPES, familyOf } from "../shapes.js";

/** @param {{app: import("../app.js").App, entry: import("../log.js").Entry, current?: boolean}} props */
export function EntryLink({ app, entry, current = false }) {
  const family = familyOf(entry);
  const object = objectOf(app.store.log.entries, entry);
  return h(
    "button",
    {
      type: "button",
      class: `entry-link ${family}`,
      "aria-current": current ? "step" : undefined,
      onClick: () => app.trail.follow(entry.seq),
      title: app.strings.say(entry),
    },
    h(
      "span",
      { class: "entry-sign" },
      h(Icon, { name: SHAPES[family].icon ?? (SHAPES[family].line === "dashed" ? "left" : "right"), size: 13 }),
    ),
    h(
      "span",
      { class: "entry-words" },
      h("span", { class: "entry-label" }, app.strings.label(entry)),
      object &&
        !app.strings.label(entry).endsWith(` ${object.slice(object.lastIndexOf("/") + 1)}`) &&
        h("span", { class: "entry-object" }, object),
      h("span", { class: "entry-route" }, app.strings.name(entry.from), entry.to ? ` → ${app.strings.name(entry.to)}` : ""),
    ),
    h("span", { class: "entry-time" }, clock(entry.arrived ?? entry.at)),
  );
}
