/**
 * What opens over the page when a button with its id for `popovertarget` is pressed: a dialog with a name. Esc and a
 * click beside it close it and the focus goes back to the button, which is the browser's doing. It is drawn while it is
 * open only: most of them never are, and a page carries a dozen.
 */
import { h } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "../icons.js";

/** @typedef {{app: import("../app.js").App}} Props */

/** @param {{id: string, class?: string, label: string, children: () => any}} props `children` gives what is in it; it is a dialog called `label` */
export function Popover({ id, class: className = "", label, children }) {
  const [open, setOpen] = useState(false);
  const turn = (/** @type {ToggleEvent} */ event) => setOpen(event.newState === "open");
  // Drawn before it opens, and till it has closed: the browser gives the focus back only if it still lies in there.
  const before = (/** @type {ToggleEvent} */ event) => event.newState === "open" && turn(event);
  const opened = { popover: "auto", role: "dialog", onBeforeToggle: before, onToggle: turn };
  return h("div", { id, class: `popover pane ${className}`, "aria-label": label, ...opened }, open && children());
}

/**
 * A button, and the popover that it opens. What is in there is fetched when it is opened first, or pointed at.
 *
 * @param {Props & {id: string, of: import("./later.js").Later, label: string, icon: string, size?: number, text?: string, spoken?: string, count?: number,
 *   class: string, look?: string, card?: string, given?: Record<string, any>}} props  `spoken`: the button's name where it says more than `label`;
 *   `text` stands beside the icon, `count` on it; `class`, `look`, `card`: of both, of the button, of the popover; `given`: what the content is told
 */
export function PopoverButton({
  app,
  id,
  of,
  label,
  icon,
  size,
  text,
  spoken = text ? undefined : label,
  count = 0,
  class: className,
  look = "ghost",
  card,
  given,
}) {
  const onLost = () => document.getElementById(id)?.hidePopover();
  return h(
    "div",
    { class: className },
    h(
      "button",
      { type: "button", class: look, popovertarget: id, title: label, "aria-label": spoken, onPointerEnter: of.early },
      h(Icon, { name: icon, size }),
      text && h("span", null, text),
      count > 0 && h("span", { class: "badge-count", "aria-hidden": "true" }, count),
    ),
    h(Popover, { id, class: card, label, children: () => h(of, { app, onLost, ...given }) }),
  );
}
