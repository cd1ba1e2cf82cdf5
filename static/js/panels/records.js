/** The TLS records that carried the message: each as it was sent, and what the session keys make of it if it was encrypted. */
import { h } from "preact";
import { size } from "../format.js";
import { Explained, Fold, Shown } from "./bytes.js";
import { Loaded } from "./loaded.js";

/** @param {import("./drawer.js").TabProps} props */
export function Records({ app, entry }) {
  const { t, language } = app.strings;
  return h(Loaded, {
    app,
    entry,
    show: ({ records, fieldsCut }) => {
      if (records.length === 0) return h("p", { class: "empty" }, t("records.none"));
      return h(
        "div",
        { class: "records" },
        fieldsCut && h("p", { class: "hint" }, t("fields.cut")),
        records.map((record, i) =>
          h(
            Fold,
            {
              key: record.number,
              first: i === 0,
              summary: [
                h("b", null, t("records.number", { number: record.number })),
                h("code", null, record.type),
                h("span", { class: "fine", title: t("records.version") }, `${record.version} · ${size(record.length, language.value)}`),
              ],
            },
            h("p", { class: "hint" }, t(`records.readers.${record.readers}`)),
            h(Part, { app, hex: record.wire, fields: record.wireFields, window: record.wireWindow, label: t(onTheWire(record)) }),
            record.plaintext &&
              h(Part, {
                app,
                hex: record.plaintext,
                fields: record.plaintextFields,
                window: record.plaintextWindow,
                label: t("records.plaintext"),
              }),
          ),
        ),
      );
    },
  });
}

/** @param {{app: import("../app.js").App, hex: string, fields?: import("../fields/fieldtree.js").Field[], window?: import("../details.js").Window, label: string}} props */
function Part({ app, hex, fields, window, label }) {
  return [
    h("h3", { key: "h", class: "sub" }, label),
    h(Explained, { key: "x", app, hex, fields, label, base: window?.[0] }),
    window && h(Shown, { key: "w", app, hex, from: window[0], count: window[1] }),
  ];
}

/** What a record looked like on the wire, as a string's name. @param {import("../details.js").TlsRecord} record */
const onTheWire = (record) => (record.plaintext === null ? "records.clear" : "records.ciphertext");
