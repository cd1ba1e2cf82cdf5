/** HTTP headers as they were sent, pseudo-headers first. */
import { h } from "preact";
import { Copy } from "./copy.js";
import { Loaded } from "./loaded.js";

/** @param {import("./drawer.js").TabProps} props */
export function Headers({ app, entry }) {
  const { t } = app.strings;
  return h(Loaded, {
    app,
    entry,
    show: ({ headers }) => {
      if (headers.length === 0) return h("p", { class: "empty" }, t("headers.none"));
      return h(
        "div",
        { class: "headers" },
        h(
          "div",
          { class: "tool-line" },
          h("span", { class: "tool-title" }, t("headers.count", { count: headers.length })),
          h(Copy, { app, text: headers.map(([key, value]) => `${key}: ${value}`).join("\n") }),
        ),
        h(
          "table",
          null,
          h(
            "thead",
            { class: "visually-hidden" },
            h("tr", null, h("th", { scope: "col" }, t("headers.name")), h("th", { scope: "col" }, t("headers.value"))),
          ),
          h(
            "tbody",
            null,
            headers.map(([key, value], i) =>
              h("tr", { key: i, class: key.startsWith(":") ? "pseudo" : "" }, h("th", { scope: "row" }, key), h("td", null, value)),
            ),
          ),
        ),
      );
    },
  });
}
