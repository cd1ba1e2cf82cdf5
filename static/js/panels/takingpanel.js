/** The journal as a file for the reader's own tools: in each format, of everything, of the selected message's connection or of a range; and the range as a picture. */
import { Fragment, h } from "preact";
import { ROWS_MAX, pictureOf, pngOf, rowsOf } from "../diagram/picture.js";
import { Icon } from "../icons.js";
import { addressOf, pictureName, rangeOf } from "../taking.js";

export const FORMATS = ["html", "pcapng", "keylog", "jsonl", "mermaid", "otlp", "audit"];

/** What is said of the files of a recording, by what it was read from. @type {Record<string, string>} */
const NOTES = { capture: "takeaway.note_capture", audit: "takeaway.note_audit" };

/** The messages in view, the first and the last. @returns {[number, number] | null} */
function inView() {
  const scroller = document.querySelector(".scroller")?.getBoundingClientRect();
  const heads = document.querySelector(".heads")?.getBoundingClientRect().bottom ?? 0;
  if (!scroller) return null;
  const seqs = [...document.querySelectorAll("#diagram .row")]
    .filter((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return bottom > heads && top < scroller.bottom;
    })
    .map((row) => Number(row.id.slice("row-".length)))
    .sort((one, other) => one - other);
  return seqs.length ? [seqs[0], seqs[seqs.length - 1]] : null;
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @typedef {"all" | "connection" | "range"} What */
/** @template T @typedef {[T, (next: T) => void]} State */

/** `chosen` and `written`: of what, and the ends of a range; whoever draws this keeps both. @param {{app: import("../app.js").App, chosen: State<What>, written: State<[string, string]>}} props */
export function Taking({ app, chosen, written }) {
  const { store, strings, urls, bookmarks } = app;
  const { t } = strings;
  const [what, setWhat] = chosen;
  const [ends, setEnds] = written;
  const head = store.log.head.value;
  const selected = store.selected.value;
  const connection = selected === null ? null : (store.log.get(selected)?.connection ?? null);
  const of = what === "connection" && connection === null ? "all" : what;
  const range = rangeOf(...ends, head);
  const part = of === "range" ? range.chosen : of === "connection" ? { connection: Number(connection) } : {};
  const problem = of === "range" ? range.problem : "";
  const marks = bookmarks.list.value;

  /** @param {[number, number] | null} found */
  const take = (found) => {
    if (!found) return;
    setEnds([String(found[0]), String(found[1])]);
    setWhat("range");
  };

  /** @param {"svg" | "png"} kind */
  async function draw(kind) {
    const [first, last] = of === "range" && !problem ? [Number(ends[0]), Number(ends[1])] : (inView() ?? [0, 0]);
    const { plan } = store.picture.peek();
    const rows = rowsOf(plan, first, last);
    if (rows.length === 0) return app.toast(t("takeaway.picture.nothing"));
    if (rows.length > ROWS_MAX) return app.toast(t("takeaway.picture.many", { count: rows.length, most: ROWS_MAX }));
    const title = t("takeaway.picture.name", { first, last });
    const within = /** @type {Element} */ (document.querySelector(".stage"));
    try {
      const picture = pictureOf({ plan, rows, strings, title, within });
      const blob = kind === "png" ? await pngOf(picture) : new Blob([picture.text], { type: "image/svg+xml" });
      save(blob, pictureName(kind, first, last));
    } catch {
      app.toast(t("takeaway.picture.failed"));
    }
    return undefined;
  }

  const choice = (/** @type {"all" | "connection" | "range"} */ value, /** @type {string} */ text) =>
    h("label", null, h("input", { type: "radio", name: "takeaway", checked: of === value, onChange: () => setWhat(value) }), text);
  const end = (/** @type {0 | 1} */ which, /** @type {string} */ name) =>
    h("input", {
      type: "text",
      inputMode: "numeric",
      size: 7,
      value: ends[which],
      "aria-label": name,
      "aria-invalid": String(problem !== ""),
      onInput: (/** @type {Event} */ event) => {
        const { value } = /** @type {HTMLInputElement} */ (event.currentTarget);
        setEnds(which ? [ends[0], value] : [value, ends[1]]);
        setWhat("range");
      },
    });
  return h(
    Fragment,
    null,
    h("h2", null, t("takeaway.title")),
    h("p", null, t(app.recording ? "takeaway.text_picture" : "takeaway.text")),
    h(
      "fieldset",
      { class: "takeaway-what" },
      h("legend", null, t("takeaway.what")),
      choice("all", t(app.recording ? "takeaway.view" : "takeaway.all")),
      !app.recording && connection !== null && choice("connection", t("takeaway.connection", { number: connection })),
      choice("range", t("takeaway.range")),
      h(
        "div",
        { class: "takeaway-range", role: "group", "aria-label": t("takeaway.range") },
        end(0, t("takeaway.first")),
        h("span", { "aria-hidden": "true" }, "–"),
        end(1, t("takeaway.last")),
        !app.recording && h("button", { type: "button", class: "ghost small", onClick: () => take(inView()) }, t("takeaway.in_view")),
        marks.length > 1 &&
          h(
            "button",
            { type: "button", class: "ghost small", onClick: () => take([marks[0].seq, marks[marks.length - 1].seq]) },
            t("takeaway.bookmarks"),
          ),
      ),
      h("p", { class: "problem", role: "alert" }, problem && t(problem, { head })),
    ),
    !app.recording &&
      h(
        "ul",
        { class: "takeaway-formats" },
        FORMATS.filter((format) => !app.imported?.notMade.includes(format)).map((format) =>
          h(
            "li",
            { key: format },
            problem
              ? h("span", { class: "fine" }, t(`takeaway.${format}`))
              : h("a", { href: addressOf(urls.exports, format, part), download: "" }, t(`takeaway.${format}`)),
          ),
        ),
      ),
    h(
      "p",
      { class: "takeaway-picture" },
      t(of === "range" ? "takeaway.picture.range" : "takeaway.picture.view"),
      " ",
      ["svg", "png"].map((kind) =>
        h(
          "button",
          {
            key: kind,
            type: "button",
            class: "button",
            disabled: problem !== "",
            onClick: () => draw(/** @type {"svg" | "png"} */ (kind)),
          },
          kind.toUpperCase(),
        ),
      ),
    ),
    !app.recording && h("p", { class: "fine" }, t(NOTES[app.imported?.kind ?? ""] ?? "takeaway.note")),
    store.may("share") &&
      h(
        "button",
        { type: "button", class: "button", popovertarget: "takeaway", popovertargetaction: "hide", onClick: app.openShares },
        h(Icon, { name: "link", size: 16 }),
        t("share.open_dialog"),
      ),
  );
}
