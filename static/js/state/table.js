/** A table of the state: with caption and headers, a window of its rows, and what the step changed marked by a sign. */
import { h } from "preact";
import { useMemo, useState } from "preact/hooks";
import { WRITTEN } from "./facts.js";

/** @typedef {import("./changes.js").Change} Change */
/** @typedef {ReadonlyMap<string, Change>} Marks */
/** `label`: of the column, as the view's facts name it; `span`: over so many. @typedef {{text: any, label?: string, class?: string, span?: number}} Cell */

/** The part of a list that is shown: where it begins, and what is in it. @template T @param {T[]} all @param {number} from @param {number} size */
export function windowOf(all, from, size) {
  const start = Math.max(0, Math.min(from, Math.floor((all.length - 1) / size) * size));
  return { start, rows: all.slice(start, start + size) };
}

/**
 * @param {{app: import("../app.js").App, caption: any, heads: string[], rows: any[], size?: number, marks: Marks,
 *   keyOf: (row: any) => string, head: (row: any) => any, cells: (row: any) => Cell[], seqOf?: (row: any) => number | null}} props
 */
export function Table({ app, caption, heads, rows, size = 8, marks, keyOf, head, cells, seqOf }) {
  const [from, go] = useState(0);
  const seen = windowOf(rows, from, size);
  return h(
    "div",
    { class: "state-scroll" },
    h(
      "table",
      { class: "state-table" },
      typeof caption === "string" ? h("caption", { class: "visually-hidden" }, caption) : h("caption", null, caption),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          heads.map((name) => h("th", { key: name, scope: "col" }, name)),
          seqOf && h("th", { scope: "col" }, app.strings.t("state.written")),
        ),
      ),
      h(
        "tbody",
        null,
        seen.rows.map((row) => {
          const key = keyOf(row);
          return h(Row, { key, app, row, mark: marks.get(key) ?? null, head, cells, seqOf });
        }),
      ),
    ),
    h(More, { app, all: rows, from: seen.start, size, go, changed: (row) => marks.has(keyOf(row)) }),
  );
}

/** Drawn again only when its row or its mark is another. @param {any} props */
function Row({ app, row, mark, head, cells, seqOf }) {
  const language = app.strings.language.value;
  return useMemo(() => {
    const seq = seqOf?.(row);
    return h(
      "tr",
      { class: mark ? "changed" : undefined },
      h("th", { scope: "row" }, h(Sign, { app, mark }), head(row)),
      cells(row).map((/** @type {Cell} */ { text, label, class: className, span }, /** @type {number} */ place) => {
        const field = mark?.fields.find((/** @type {any} */ one) => one.label === label && label !== undefined);
        return h(
          "td",
          {
            key: place,
            colSpan: span,
            class: [className, field && "changed"].filter(Boolean).join(" ") || undefined,
            title: field && was(app, field.was),
          },
          text,
        );
      }),
      seqOf && h("td", null, seq ? h(Seq, { app, seq }) : "–"),
    );
  }, [row, mark, language]);
}

/** @param {import("../app.js").App} app @param {string} value */
const was = (app, value) => app.strings.t("state.was", { value: value || "–" });

/** What the step has done to it. @param {{app: import("../app.js").App, mark: Change | null}} props */
export function Sign({ app, mark }) {
  const { t } = app.strings;
  if (!mark) return null;
  const written = mark.fields.length > 0 && mark.fields.every(({ label }) => label === WRITTEN);
  const word = t(mark.sign === "+" ? "state.mark.new" : written ? "state.mark.written" : "state.mark.changed");
  return h("b", { class: "state-sign", role: "img", "aria-label": word, title: word }, mark.sign);
}

/** The entry that wrote it: pressing it shows it in the diagram. @param {{app: import("../app.js").App, seq: number, label?: string}} props */
export function Seq({ app, seq, label }) {
  const { t } = app.strings;
  const name = label ?? t("state.reveal", { seq });
  return h(
    "button",
    {
      type: "button",
      class: "seq-link",
      title: name,
      "aria-label": name,
      onClick: () => app.state.leadTo(() => app.actions.reveal(seq)),
    },
    `#${seq}`,
  );
}

/**
 * How many more there are than are shown, and the way to them.
 * @param {{app: import("../app.js").App, all: any[], from: number, size: number, go: (from: number) => void, changed: (row: any) => boolean}} props
 */
export function More({ app, all, from, size, go, changed }) {
  const { t } = app.strings;
  if (all.length <= size) return null;
  const end = Math.min(from + size, all.length);
  const elsewhere = all.filter((row, i) => (i < from || i >= end) && changed(row)).length;
  const button = (/** @type {string} */ sign, /** @type {string} */ label, /** @type {number} */ to, /** @type {boolean} */ able) =>
    h("button", { type: "button", class: "ghost small", disabled: !able, "aria-label": label, title: label, onClick: () => go(to) }, sign);
  return h(
    "p",
    { class: "state-more" },
    button("↑", t("state.more.before"), from - size, from > 0),
    button("↓", t("state.more.after"), from + size, end < all.length),
    h("span", null, t("state.more", { from: from + 1, to: end, total: all.length })),
    elsewhere > 0 && h("b", null, t("state.more.changed", { count: elsewhere })),
  );
}
