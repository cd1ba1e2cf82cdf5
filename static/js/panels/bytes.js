/** The segments that crossed the network, byte by byte. */
import { h } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { clock, size } from "../format.js";
import { bytesOf, hexRows, hexText, offsetText } from "../hex.js";
import { Copy } from "./copy.js";
import { Loaded } from "./loaded.js";

const ROWS_FIRST = 96;
/** From this width on a row holds sixteen bytes, below it eight. */
const WIDE_PIXELS = 480;

/** @param {import("./drawer.js").TabProps} props */
export function Bytes({ app, entry }) {
  const { t, language } = app.strings;
  return h(Loaded, {
    app,
    entry,
    show: ({ segments }) => {
      if (segments.length === 0) return h("p", { class: "empty" }, t("bytes.none"));
      return h(
        "div",
        { class: "records" },
        segments.map((segment, i) =>
          h(
            "details",
            { key: segment.number, open: i < 3, class: "record" },
            h(
              "summary",
              null,
              h("b", null, t("bytes.segment", { number: segment.number })),
              h("code", null, segment.flags),
              h("span", { class: "fine" }, `seq ${segment.sequence} · ${size(segment.length, language.value)} · ${clock(segment.sent, 6)}`),
            ),
            segment.payload
              ? h(Hex, { app, hex: segment.payload, label: t("bytes.segment", { number: segment.number }) })
              : h("p", { class: "fine" }, t("bytes.empty")),
            segment.truncated && h("p", { class: "hint" }, t("body.truncated")),
          ),
        ),
      );
    },
  });
}

/** A hex view. `lead` bytes at the start are a header and are set apart. @param {{app: import("../app.js").App, hex: string, label: string, lead?: number}} props */
export function Hex({ app, hex, label, lead = 0 }) {
  const { t } = app.strings;
  const [all, setAll] = useState(false);
  const bytes = useMemo(() => bytesOf(hex), [hex]);
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [width, setWidth] = useState(8);
  useLayoutEffect(() => {
    const box = /** @type {HTMLDivElement} */ (ref.current);
    const size = new ResizeObserver(() => setWidth(box.clientWidth >= WIDE_PIXELS ? 16 : 8));
    size.observe(box);
    return () => size.disconnect();
  }, []);
  const rows = useMemo(() => hexRows(bytes, width), [bytes, width]);
  const full = width * 3 - 1;
  const shown = all ? rows : rows.slice(0, ROWS_FIRST);
  return h(
    "div",
    { class: "hex", ref },
    h(Copy, { app, text: hexText(bytes) }),
    h(
      "pre",
      { tabIndex: 0, "aria-label": label },
      shown.map((row) =>
        h(
          "span",
          { key: row.offset, class: "hex-row" },
          h("span", { class: "hex-offset" }, offsetText(row.offset)),
          "  ",
          row.offset < lead
            ? [
                h("span", { class: "hex-lead" }, row.hex.slice(0, lead).join(" ")),
                ` ${row.hex.slice(lead).join(" ")}`.padEnd(full + 1 - lead * 3),
              ]
            : row.hex.join(" ").padEnd(full),
          "  ",
          h("span", { class: "hex-ascii" }, row.ascii),
          "\n",
        ),
      ),
    ),
    rows.length > shown.length &&
      h("button", { type: "button", class: "button", onClick: () => setAll(true) }, t("bytes.more", { count: rows.length - shown.length })),
  );
}
