/** Something that is on or off, said as a switch: its position and its word, not only its colour. */
import { h } from "preact";

/** @param {{on: boolean, label: string, title?: string, disabled?: boolean, onChange: (on: boolean) => void}} props */
export function Switch({ on, label, title, disabled = false, onChange }) {
  return h(
    "button",
    {
      type: "button",
      role: "switch",
      "aria-checked": String(on),
      class: "room-switch",
      title,
      disabled,
      onClick: (/** @type {MouseEvent} */ event) => {
        release(event);
        onChange(!on);
      },
    },
    h("span", { class: "room-switch-track", "aria-hidden": "true" }, h("span", { class: "room-switch-knob" })),
    h("span", null, label),
  );
}

/** After a click by pointer the keys are the page's again: Space is to pause the cluster, not to switch back. @param {MouseEvent} event */
function release(event) {
  if (event.detail > 0) /** @type {HTMLElement} */ (event.currentTarget).blur();
}
