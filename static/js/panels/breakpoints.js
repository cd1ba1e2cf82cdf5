/** Breakpoints: what time is to stop at, and running on and back to it. */
import { h } from "preact";
import { useState } from "preact/hooks";
import { POINTS_MAX, SUGGESTED } from "../breakpoints.js";
import { Icon } from "../icons.js";
import { inWords, parse } from "../query.js";

/** @typedef {{app: import("../app.js").App}} Props */

/** @param {Props} props */
export function Breakpoints({ app }) {
  const {
    breakpoints,
    strings: { t },
  } = app;
  const points = breakpoints.points.value;
  const [line, setLine] = useState("");
  const on = points.filter((point) => point.on).length;
  const full = points.length >= POINTS_MAX;
  const offered = SUGGESTED.filter((text) => !points.some((point) => point.text === text));
  return [
    h("h2", null, t("breaks.title")),
    h("p", null, t("breaks.text")),
    h(
      "ul",
      { class: "breaks-list" },
      points.map(({ text, on: armed }) =>
        h(
          "li",
          { key: text },
          h(
            "label",
            { class: "check" },
            h("input", { type: "checkbox", checked: armed, onChange: () => breakpoints.toggle(text) }),
            h("span", null, h("code", null, text), h("span", { class: "fine" }, inWords(parse(text), t))),
          ),
          h(
            "button",
            {
              type: "button",
              class: "ghost",
              title: t("breaks.remove"),
              "aria-label": `${t("breaks.remove")}: ${text}`,
              onClick: () => breakpoints.remove(text),
            },
            h(Icon, { name: "trash", size: 15 }),
          ),
        ),
      ),
    ),
    !full &&
      h(
        "form",
        {
          class: "breaks-add",
          onSubmit: (/** @type {Event} */ event) => {
            event.preventDefault();
            if (breakpoints.add(line)) setLine("");
          },
        },
        h("input", {
          type: "text",
          value: line,
          "aria-label": t("breaks.line"),
          placeholder: t("breaks.line"),
          maxLength: 256,
          autocomplete: "off",
          spellcheck: false,
          onInput: (/** @type {Event} */ event) => setLine(/** @type {HTMLInputElement} */ (event.currentTarget).value),
        }),
        h("button", { type: "submit", class: "button", disabled: parse(line).terms.length === 0 }, t("breaks.add")),
      ),
    !full &&
      h(
        "div",
        { class: "breaks-offered", role: "group", "aria-label": t("breaks.offered") },
        offered.map((text) => h("button", { key: text, type: "button", class: "suggestion", onClick: () => breakpoints.add(text) }, text)),
      ),
    h(
      "div",
      { class: "breaks-run" },
      h("button", { type: "button", class: "button", disabled: on === 0, title: ",", onClick: () => app.runTo(-1) }, t("breaks.back")),
      h("button", { type: "button", class: "button primary", disabled: on === 0, title: ".", onClick: () => app.runTo(1) }, t("breaks.on")),
    ),
  ];
}
