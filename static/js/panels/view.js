/** How large the page is written, and the presentation: the diagram and what is said of it, as large as the last row can read. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { nextSize } from "../textsize.js";

/** @typedef {{app: import("../app.js").App}} Props */

/** @param {Props} props */
export function View({ app }) {
  const {
    strings: { t, language },
    settings,
  } = app;
  const size = settings.size.value;
  const presenting = settings.presenting.value;
  const percent = new Intl.NumberFormat(language.value, { style: "percent" }).format(size);
  return [
    h("h2", null, t("view.size")),
    h(
      "div",
      { class: "sizes", role: "group", "aria-label": t("view.size") },
      h(Step, { by: -1, icon: "minus", label: t("view.smaller"), size, choose: settings.chooseSize }),
      h("output", { "aria-live": "polite" }, percent),
      h(Step, { by: 1, icon: "plus", label: t("view.larger"), size, choose: settings.chooseSize }),
    ),
    h(
      "button",
      { type: "button", class: "button", "aria-pressed": String(presenting), onClick: app.present },
      h(Icon, { name: "expand", size: 16 }),
      t("view.present"),
      h("kbd", { "aria-hidden": "true" }, "p"),
    ),
    h("p", { class: "fine" }, t("view.present.text")),
  ];
}

/** @param {{by: 1 | -1, icon: string, label: string, size: number, choose: (size: number) => void}} props */
function Step({ by, icon, label, size, choose }) {
  const next = nextSize(size, by);
  return h(
    "button",
    { type: "button", class: "button", "aria-label": label, title: label, disabled: next === size, onClick: () => choose(next) },
    h(Icon, { name: icon, size: 16 }),
  );
}
