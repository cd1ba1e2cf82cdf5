/** The segments that crossed the network, byte by byte. */
import { h } from "preact";
import { useState } from "preact/hooks";
import { clock, size } from "../format.js";
import { later } from "./later.js";
import { Loaded } from "./loaded.js";

export const Explained = later(() => import("../fields/explained.js"), "Explained");

/** @param {import("./drawer.js").TabProps} props */
export function Bytes({ app, entry }) {
  const { t, language } = app.strings;
  return h(Loaded, {
    app,
    entry,
    show: ({ segments, fieldsCut }) => {
      if (segments.length === 0) return h("p", { class: "empty" }, t("bytes.none"));
      return h(
        "div",
        { class: "records" },
        fieldsCut && h("p", { class: "hint" }, t("fields.cut")),
        segments.map((segment, i) =>
          h(
            Fold,
            {
              key: segment.number,
              first: i === 0,
              summary: [
                h("b", null, t("bytes.segment", { number: segment.number })),
                h("code", null, segment.flags),
                h(
                  "span",
                  { class: "fine" },
                  `seq ${segment.sequence} · ${size(segment.length, language.value)} · ${clock(segment.sent, 6)}`,
                ),
              ],
            },
            segment.payload
              ? h(Explained, {
                  app,
                  hex: segment.payload,
                  fields: segment.payloadFields,
                  label: t("bytes.segment", { number: segment.number }),
                  base: segment.from,
                })
              : h("p", { class: "fine" }, t("bytes.empty")),
            segment.truncated && h(Shown, { app, hex: segment.payload, from: segment.from ?? 0, count: segment.length }),
          ),
        ),
      );
    },
  });
}

/** Which bytes are shown of what is long. @param {{app: import("../app.js").App, hex: string, from: number, count: number}} props */
export function Shown({ app, hex, from, count }) {
  const values = { from, to: from + hex.length / 2 - 1, count };
  return h("p", { class: "hint" }, app.strings.t(from > 0 ? "bytes.window" : "bytes.beginning", values));
}

/** What can be folded away; while it is, nothing of it is in the document. @param {{first: boolean, summary: any, children?: any}} props */
export function Fold({ first, summary, children }) {
  const [open, setOpen] = useState(first);
  return h(
    "details",
    {
      class: "record",
      open,
      onToggle: (/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.currentTarget).open),
    },
    h("summary", null, summary),
    open && children,
  );
}
