/** The TLS records that carried the message: each as it was sent, and what the session keys make of it if it was encrypted. */
import { h } from "preact";
import { size } from "../format.js";
import { Hex } from "./bytes.js";
import { Loaded } from "./loaded.js";

/** @param {import("./drawer.js").TabProps} props */
export function Records({ app, entry }) {
  const { t, language } = app.strings;
  return h(Loaded, {
    app,
    entry,
    show: ({ records }) => {
      if (records.length === 0) return h("p", { class: "empty" }, t("records.none"));
      return h(
        "div",
        { class: "records" },
        records.map((record, i) =>
          h(
            "details",
            { key: record.number, open: i === 0, class: "record" },
            h(
              "summary",
              null,
              h("b", null, t("records.number", { number: record.number })),
              h("code", null, record.type),
              h("span", { class: "fine", title: t("records.version") }, `${record.version} · ${size(record.length, language.value)}`),
            ),
            h("p", { class: "hint" }, t(`records.readers.${record.readers}`)),
            h("h3", { class: "sub" }, t(onTheWire(record))),
            h(Hex, { app, hex: record.wire, lead: 5, label: t(onTheWire(record)) }),
            record.plaintext && [
              h("h3", { key: "h", class: "sub" }, t("records.plaintext")),
              h(Hex, { app, hex: record.plaintext, label: t("records.plaintext"), key: "x" }),
            ],
            record.truncated && h("p", { class: "hint" }, t("body.truncated")),
          ),
        ),
      );
    },
  });
}

/** What a record looked like on the wire, as a string's name. @param {import("../details.js").TlsRecord} record */
const onTheWire = (record) => (record.plaintext === null ? "records.clear" : "records.ciphertext");
