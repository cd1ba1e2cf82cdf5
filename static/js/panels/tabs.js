/** A row of tabs over a panel: one stop of the tab key, the arrow keys go from one to the next. */
import { h } from "preact";

/** @typedef {{name: string, text: string, title?: string, disabled?: boolean}} Tab */

/** `id`: what the tabs' ids begin with; `panel`: the id of what they choose. @param {{label: string, tabs: Tab[], now: string, id: string, panel: string, onShow: (name: any) => void}} props */
export function Tabs({ label, tabs, now, id, panel, onShow }) {
  const able = tabs.filter((tab) => !tab.disabled).map((tab) => tab.name);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const next = able[(able.indexOf(now) + by + able.length) % able.length];
    onShow(next);
    document.getElementById(`${id}-${next}`)?.focus();
  };
  return h(
    "div",
    { class: "tabs", role: "tablist", "aria-label": label, onKeyDown },
    tabs.map(({ name, text, title, disabled }) =>
      h(
        "button",
        {
          key: name,
          type: "button",
          role: "tab",
          id: `${id}-${name}`,
          title,
          "aria-selected": String(name === now),
          "aria-controls": panel,
          tabIndex: name === now ? 0 : -1,
          disabled,
          onClick: () => onShow(name),
        },
        text,
      ),
    ),
  );
}
