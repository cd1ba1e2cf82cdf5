/** Branches: the button beside the time controls, and the panel it opens, which is fetched when it is opened first. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { later } from "./later.js";
import { Popover } from "./popover.js";

/** @typedef {{app: import("../app.js").App}} Props */

const Panel = later(() => import("../branches/panel.js"), "Panel");
const Begun = later(() => import("../branches/begun.js"), "Begun");

/** @param {Props} props */
export function BranchesButton({ app }) {
  const label = app.strings.t("branches.title");
  return h(
    "button",
    { type: "button", class: "ghost branches-button", popovertarget: "branches", title: `${label} (a)`, "aria-label": label },
    h(Icon, { name: "branch" }),
  );
}

/** The panel; it stands by itself, so that it opens also where there is no room for the button. @param {Props} props */
export function Branches({ app }) {
  const label = app.strings.t("branches.title");
  return h(Popover, { id: "branches", class: "breaks", label, children: () => [h("h2", null, label), h(Panel, { app })] });
}

/** What a branch is, while it is new. @param {Props} props */
export const BranchBegun = ({ app }) => app.store.cluster.value.branch && !app.shared && h(Begun, { app });
