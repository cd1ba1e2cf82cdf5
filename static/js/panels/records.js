/** The TLS records that carried the message: each one's header, its ciphertext, and what the session keys make of it. */
import { h } from "preact";
import { size } from "../format.js";
import { Hex } from "./bytes.js";
import { Loaded } from "./loaded.js";

/** @param {import("./drawer.js").TabProps} props */
export function Records({ app, entry }) {
  const { t, language } = app.strings;
  return h(Loaded, { app, entry, show: ({ records }) => {
    if (records.length === 0) return h("p", { class: "empty" }, t("records.none"));
    return h("div", { class: "records" }, records.map((record, i) => h("details", { key: record.number, open: i === 0, class: "record" },
      h("summary", null, h("b", null, t("records.number", { number: record.number })), h("code", null, record.type), h("span", { class: "fine", title: t("records.version") }, `${record.version} · ${size(record.length, language.value)}`)),
      h("h3", { class: "sub" }, t("records.ciphertext")),
      h(Hex, { app, hex: record.ciphertext, lead: 5, label: t("records.ciphertext") }),
      record.plaintext && [h("h3", { key: "h", class: "sub" }, t("records.plaintext")), h(Hex, { app, hex: record.plaintext, label: t("records.plaintext"), key: "x" })],
      record.truncated && h("p", { class: "hint" }, t("body.truncated")))));
  } });
}
