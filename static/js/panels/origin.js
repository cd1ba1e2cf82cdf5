/** Where a chain of causes begins: a command, a timer, a fault, a signal, the cluster's start, or somebody outside. */
import { h } from "preact";
import { Icon } from "../icons.js";

/** @type {Record<string, string>} */
const ICONS = { command: "prompt", timer: "pulse", fault: "bolt", signal: "power", start: "power", outside: "globe" };

/** @param {{app: import("../app.js").App, entry: import("../log.js").Entry}} props */
export function Origin({ app, entry }) {
  const outside = entry.from.startsWith("outside/");
  const trigger = outside ? "outside" : (entry.trigger ?? "start");
  return h("p", { class: "origin" }, h(Icon, { name: ICONS[trigger] ?? "power", size: 15 }), app.strings.t(`trigger.${trigger}`));
}
