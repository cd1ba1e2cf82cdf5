/** Where the state at the cursor stands beside the diagram, and the button that opens it; what is in it comes when it is opened. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { later } from "./later.js";

const StatePane = later(() => import("../state/pane.js"), "StatePane", "state");

/** @param {{app: import("../app.js").App}} props */
export const StateAside = ({ app }) =>
  h("aside", { class: "state pane", id: "state", "aria-label": app.strings.t("state.title") }, h(StatePane, { app }));

/** It stands beside the time; where that has no room for it, in the top bar. @param {{app: import("../app.js").App, place: "beside-time" | "in-bar"}} props */
export function StateButton({ app, place }) {
  const { t } = app.strings;
  const open = app.state.open.value;
  return h(
    "button",
    {
      type: "button",
      class: `toggle state-button ${place}`,
      "aria-pressed": String(open),
      "aria-label": t("state.title"),
      title: `${t("state.title")} (s)`,
      onClick: app.state.toggle,
    },
    h(Icon, { name: "state", size: 16 }),
    h("span", { class: "wide", "aria-hidden": "true" }, t("state.button")),
  );
}
