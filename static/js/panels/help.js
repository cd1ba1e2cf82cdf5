/** Help: the keys, which can be searched, and what each kind of arrow looks like. */
import { h } from "preact";
import { useState } from "preact/hooks";
import { Dialog } from "../dialog.js";
import { ICONS } from "../icons.js";
import { matching } from "../keys.js";
import { LEGEND, SHAPES } from "../shapes.js";

/** @typedef {{app: import("../app.js").App}} Props */

/** @param {Props} props */
export function Help({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const open = store.dialog.value === "help";
  const [sought, seek] = useState("");
  const found = matching(app.keys.list, sought, t);
  const close = () => {
    if (store.dialog.peek() === "help") store.dialog.value = null;
  };
  return h(
    Dialog,
    { open, onClose: close, title: t("help.title"), closing: t("help.close"), class: "help" },
    open &&
      h(
        "div",
        { class: "help-columns" },
        h(
          "section",
          null,
          h("h3", null, t("help.keys")),
          h("input", {
            type: "search",
            class: "keys-find",
            value: sought,
            placeholder: t("help.find"),
            "aria-label": t("help.find"),
            maxLength: 64,
            autofocus: true,
            onInput: (/** @type {Event} */ event) => seek(/** @type {HTMLInputElement} */ (event.currentTarget).value),
          }),
          h("p", { role: "status", class: found.length ? "visually-hidden" : "empty" }, found.length ? "" : t("help.none")),
          h(
            "dl",
            { class: "keys" },
            found.map(({ keys, name }) => [
              h(
                "dt",
                { key: `${name}t` },
                keys.map((key) => h("kbd", { key }, key === " " ? t("keys.space") : key)),
              ),
              h("dd", { key: name }, t(`keys.${name}`)),
            ]),
          ),
          h(
            "label",
            { class: "check" },
            h("input", {
              type: "checkbox",
              checked: store.shortcuts.value,
              onChange: (/** @type {Event} */ event) => app.keys.enable(/** @type {HTMLInputElement} */ (event.currentTarget).checked),
            }),
            t("help.shortcuts"),
          ),
        ),
        h(
          "section",
          null,
          h("h3", null, t("help.legend")),
          h(
            "ul",
            { class: "legend" },
            LEGEND.map((family) =>
              h(
                "li",
                { key: family },
                h(Sample, { family }),
                h("span", null, h("b", null, t(`family.${family}`)), " ", t(`legend.${family}`)),
              ),
            ),
          ),
        ),
      ),
  );
}

/** @param {{family: import("../shapes.js").Family}} props */
function Sample({ family }) {
  const shape = SHAPES[family];
  const note = ["note", "command", "process", "fault"].includes(family);
  return h(
    "svg",
    { class: `sample row ${family}`, width: "6.4rem", height: "2.2rem", viewBox: "0 0 64 22", "aria-hidden": "true" },
    note
      ? [h("rect", { key: "c", class: "chip", x: 12, y: 2, width: 40, height: 18, rx: 5 })]
      : [
          h("path", { key: "l", class: "line", d: "M6 9L54 13" }),
          shape.line === "double" && h("path", { key: "k", class: "core", d: "M6 9L54 13" }),
          shape.tail === "ring" && h("path", { key: "t", class: "tail", d: "M2 9a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z" }),
          shape.tail === "diamond" && h("path", { key: "t", class: "tail", d: "M1 9l4 -3.5l4 3.5l-4 3.5z" }),
          h("path", {
            key: "h",
            class: "head",
            d: {
              filled: "M60 13.5L51 8.5L50.5 16.5z",
              open: "M52 8L60 13.5L51 17",
              half: "M52 8L60 13.5",
              cross: "M52 8L60 17M60 8L52 17",
            }[shape.head],
          }),
        ],
    shape.icon &&
      h("path", {
        key: "i",
        class: "glyph",
        d: ICONS[shape.icon],
        transform: note ? "translate(27 6) scale(.42)" : "translate(24 0) scale(.4)",
      }),
  );
}
