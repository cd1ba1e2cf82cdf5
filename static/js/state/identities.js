/** Who shows what: the certificates and tokens in use on the connections that are open. A token's text is never told. */
import { h } from "preact";
import { certificateKey, tokenKey } from "./facts.js";
import { ConnectionLink } from "./topology.js";
import { Table } from "./table.js";

const CONNECTIONS = 3;

/** @param {import("./pane.js").ViewProps} props */
export function Identities({ app, data, marks }) {
  const { t, name } = app.strings;
  const connections = (/** @type {number[]} */ numbers) => [
    ...numbers.slice(0, CONNECTIONS).map((number) => h(ConnectionLink, { app, key: number, number })),
    numbers.length > CONNECTIONS ? ` +${numbers.length - CONNECTIONS}` : "",
  ];
  const ends = (/** @type {string | number | null} */ it) =>
    it === null
      ? "–"
      : String(it)
          .replace("T", "\n")
          .replace(/:\d\dZ$/, "")
          .replace("Z", "");
  return h(
    "div",
    { class: "state-identities" },
    h("h3", null, t("state.certificates", { total: data.certificates.length })),
    data.certificates.length === 0 && h("p", { class: "state-none" }, t("state.none")),
    data.certificates.length > 0 &&
      h(Table, {
        app,
        caption: t("state.caption.certificates"),
        heads: [t("state.subject"), t("state.shownBy"), t("state.until"), t("state.used")],
        rows: data.certificates,
        size: 5,
        marks,
        keyOf: certificateKey,
        head: (/** @type {any} */ one) => [one.subject, h("span", { class: "fine" }, t("state.issuer", { issuer: one.issuer }))],
        cells: (/** @type {any} */ one) => [
          { text: `${name(one.participant)} (${t(one.role === "server" ? "state.server" : "state.client")})` },
          { text: ends(one.notAfter), label: "until", class: "as-is" },
          { text: connections(one.connections), label: "connections" },
        ],
        seqOf: (/** @type {any} */ one) => one.seq,
      }),
    h("h3", null, t("state.tokens", { total: data.tokens.length })),
    data.tokens.length === 0 && h("p", { class: "state-none" }, t("state.none")),
    data.tokens.length > 0 &&
      h(Table, {
        app,
        caption: t("state.caption.tokens"),
        heads: [t("state.subject"), t("state.shownBy"), t("state.audience"), t("state.until"), t("state.used")],
        rows: data.tokens,
        size: 4,
        marks,
        keyOf: tokenKey,
        head: (/** @type {any} */ one) => one.subject,
        cells: (/** @type {any} */ one) => [
          { text: name(one.participant) },
          { text: [one.audience ?? "–"].flat().join(", ") },
          { text: ends(one.expires), label: "until", class: "as-is" },
          { text: connections(one.connections), label: "connections" },
        ],
        seqOf: (/** @type {any} */ one) => one.seq,
      }),
  );
}
