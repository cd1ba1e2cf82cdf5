/** The segments that crossed the network, byte by byte. */
import { h } from "preact";
import { useMemo, useState } from "preact/hooks";
import { clock, size } from "../format.js";
import { bytesOf, hexRows, hexText, offsetText } from "../hex.js";
import { Copy } from "./copy.js";
import { Loaded } from "./loaded.js";

const ROWS_FIRST = 64;

/** @param {import("./drawer.js").TabProps} props */
export function Bytes({ app, entry }) {
  const { t, language } = app.strings;
  return h(Loaded, { app, entry, show: ({ segments }) => {
    if (segments.length === 0) return h("p", { class: "empty" }, t("bytes.none"));
    return h("div", { class: "records" }, segments.map((segment, i) => h("details", { key: segment.number, open: i < 3, class: "record" },
      h("summary", null, h("b", null, t("bytes.segment", { number: segment.number })), h("code", null, segment.flags),
        h("span", { class: "fine" }, `seq ${segment.sequence} · ${size(segment.length, language.value)} · ${clock(segment.sent, 6)}`)),
      segment.payload ? h(Hex, { app, hex: segment.payload, label: t("bytes.segment", { number: segment.number }) }) : h("p", { class: "fine" }, t("bytes.empty")),
      segment.truncated && h("p", { class: "hint" }, t("body.truncated")))));
  } });
}

/** A hex view. `lead` bytes at the start are a header and are set apart. @param {{app: import("../app.js").App, hex: string, label: string, lead?: number}} props */
export function Hex({ app, hex, label, lead = 0 }) {
  const { t } = app.strings;
  const [all, setAll] = useState(false);
  const bytes = useMemo(() => bytesOf(hex), [hex]);
  const rows = useMemo(() => hexRows(bytes), [bytes]);
  const shown = all ? rows : rows.slice(0, ROWS_FIRST);
  return h("div", { class: "hex" },
    h(Copy, { app, text: hexText(bytes) }),
    h("pre", { tabIndex: 0, "aria-label": label }, shown.map((row) => h("span", { key: row.offset, class: "hex-row" },
      h("span", { class: "hex-offset" }, offsetText(row.offset)), "  ",
      row.offset < lead ? [h("span", { class: "hex-lead" }, row.hex.slice(0, lead).join(" ")), ` ${row.hex.slice(lead).join(" ")}`.padEnd(48 - lead * 3)] : row.hex.join(" ").padEnd(47),
      "  ", h("span", { class: "hex-ascii" }, row.ascii), "\n"))),
    rows.length > shown.length && h("button", { type: "button", class: "button", onClick: () => setAll(true) }, t("bytes.more", { count: rows.length - shown.length })));
}
