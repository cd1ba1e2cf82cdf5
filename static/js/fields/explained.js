/**
 * A stretch of bytes with its fields: what the one pointed at is for, a tree of them all, and the bytes.
 *
 * Pointing at a field marks its bytes, pointing at a byte marks the deepest field it belongs to; a click stays. By keyboard
 * the tree goes as ARIA's tree pattern does, and in the bytes the arrow keys go from byte to byte. What is chosen is spoken;
 * what is only pointed at is not. The sentences are fetched once, when somebody looks at bytes first.
 *
 * Bounded: folded fields are not in the document, and of rows there is a window.
 */
import { h } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { bytesOf, hexRows, hexText, offsetText, runs } from "../hex.js";
import { Icon } from "../icons.js";
import { Copy } from "../panels/copy.js";
import { fetchedOnce } from "../strings.js";
import { toldBy } from "./reasons.js";
import { above, fieldAt, firstOpen, ownAt, pathAt, rowsOf, windowAt } from "./fieldtree.js";

/** @typedef {import("./fieldtree.js").Field} Field */
/**
 * What fields are and, of those that cannot be read, why: label, sentence, source, its URL, by the field's name.
 * @typedef {{fields: Record<string, [string, string, string, string]>, told: (reason: string) => string}} Meanings
 */

/** @type {Meanings} */
const UNKNOWN = { fields: {}, told: (reason) => reason };
/** Fields whose value is a reason. */
const REASONED = new Set(["unreadable", "any.unfinished"]);
const TREE_ROWS_MAX = 60;
const HEX_ROWS_MAX = 40;
/** From this width on a row holds sixteen bytes, below it eight. */
const WIDE_REM = 48;

/** @param {{app: import("../app.js").App, hex: string, fields?: Field[], label: string, base?: number}} props  `base`: which byte of the whole is the first that is shown */
export function Explained({ app, hex, fields = [], label, base = 0 }) {
  const meanings = useMeanings(app, fields.length > 0);
  const own = useMemo(() => ownAt(fields), [fields]);
  const [open, setOpen] = useState(() => (own ? firstOpen(fields).add(own) : firstOpen(fields)));
  const [chosen, setChosen] = useState("");
  const [pointed, setPointed] = useState(/** @type {{path: string, inBytes: boolean} | null} */ (null));
  const [cursor, setCursor] = useState(-1);
  const path = pointed?.path ?? chosen;
  const field = fieldAt(fields, path);
  /** Choose a field; what is above it opens. @param {string} next @param {number} [byte] */
  const choose = (next, byte = -1) => {
    setChosen(next);
    setCursor(byte);
    setOpen((now) => new Set([...now, ...above(next)]));
  };
  return h(
    "div",
    { class: "explained" },
    fields.length > 0 && h(Meaning, { app, field, meanings, base }),
    fields.length > 0 &&
      h(Tree, {
        app,
        fields,
        meanings,
        open,
        setOpen,
        chosen,
        choose,
        path,
        point: (next) => setPointed(next === null ? null : { path: next, inBytes: false }),
        label,
        own,
      }),
    h(Bytes, {
      app,
      hex,
      label,
      base,
      own: fieldAt(fields, own)?.[1] ?? 0,
      begin: field?.[1] ?? 0,
      end: field?.[2] ?? 0,
      cursor,
      point: (byte) => setPointed(byte < 0 ? null : { path: pathAt(fields, byte), inBytes: true }),
      choose: (byte) => choose(pathAt(fields, byte), byte),
      follows: !pointed?.inBytes,
    }),
    fields.length > 0 && h(Spoken, { app, field: fieldAt(fields, chosen), meanings }),
  );
}

/** @param {import("../app.js").App} app @param {boolean} wanted  a recording in a file has no fields, and nothing to fetch from @returns {Meanings} */
function useMeanings(app, wanted) {
  const [meanings, setMeanings] = useState(UNKNOWN);
  const url = `${app.urls.words}fields.${app.strings.language.value}.json`;
  useEffect(() => {
    if (wanted)
      fetchedOnce(url).then(
        ({ fields, reasons }) => setMeanings({ fields, told: toldBy(reasons) }),
        () => {},
      ); // without them fields go by their names
  }, [url, wanted]);
  return meanings;
}

/** @param {Meanings} meanings @param {Field} field */
const labelOf = (meanings, [name]) => meanings.fields[name]?.[0] ?? name;

/** What stands beside a field. @param {Meanings} meanings @param {Field} field */
const saidBy = (meanings, [name, , , value]) => (REASONED.has(name) ? meanings.told(value) : value);

/**
 * @param {{app: import("../app.js").App, fields: Field[], meanings: Meanings, open: ReadonlySet<string>, setOpen: (open: Set<string>) => void,
 *   chosen: string, choose: (path: string) => void, path: string, point: (path: string | null) => void, label: string, own: string}} props
 *   `own`: the row that is in view at first
 */
function Tree({ app, fields, meanings, open, setOpen, chosen, choose, path, point, label, own }) {
  const { t } = app.strings;
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const wantsFocus = useRef(false);
  const rows = useMemo(() => rowsOf(fields, open), [fields, open]);
  const at = Math.max(
    0,
    rows.findIndex((row) => row.path === (chosen || own)),
  );
  const [start, setStart] = useState(at);
  const first = Math.max(0, Math.min(start, rows.length - TREE_ROWS_MAX));
  useEffect(() => setStart((now) => windowAt(Math.min(now, Math.max(0, rows.length - 1)), at, TREE_ROWS_MAX)), [at, chosen]);
  useLayoutEffect(() => {
    const box = ref.current;
    const row = /** @type {HTMLElement | null} */ (box?.querySelector('[tabindex="0"]'));
    if (!box || !row || !(chosen || own)) return;
    if (!chosen) box.scrollTop += row.getBoundingClientRect().top - box.getBoundingClientRect().top;
    intoView(box, row);
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    row.focus({ preventScroll: true });
    const outside = /** @type {HTMLElement | null} */ (box.closest(".drawer-body"));
    if (outside) intoView(outside, row, box.parentElement?.querySelector(".meaning")?.clientHeight);
  }, [chosen, first]);
  const fold = (/** @type {string} */ which) => {
    const next = new Set(open);
    if (!next.delete(which)) next.add(which);
    setOpen(next);
  };
  const go = (/** @type {number} */ index) => {
    wantsFocus.current = true;
    choose(rows[Math.max(0, Math.min(rows.length - 1, index))].path);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const row = rows[at];
    const folds = row.field[4].length > 0;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => go(at + (chosen ? 1 : 0)),
      ArrowUp: () => go(at - 1),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => folds && (row.open ? go(at + 1) : fold(row.path)),
      ArrowLeft: () =>
        row.open
          ? fold(row.path)
          : go(
              Math.max(
                0,
                rows.findLastIndex((other, i) => i < at && other.depth < row.depth),
              ),
            ),
      Enter: () => (chosen === row.path && folds ? fold(row.path) : go(at)),
      " ": () => (chosen === row.path && folds ? fold(row.path) : go(at)),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  };
  const shown = rows.slice(first, first + TREE_ROWS_MAX);
  const tree = h(
    "div",
    { class: "fields", role: "tree", "aria-label": t("fields.tree", { label }), ref, onKeyDown, onPointerLeave: () => point(null) },
    shown.map((row) => {
      const folds = row.field[4].length > 0;
      return h(
        "div",
        {
          key: row.path,
          role: "treeitem",
          class: `leaf${isMeant(row, path) ? " pointed" : ""}${row.field[0] === "unreadable" ? " unreadable" : ""}`,
          style: { paddingInlineStart: `${(row.depth * 14 + 4) / 10}rem` },
          tabIndex: row === rows[at] ? 0 : -1,
          "aria-level": row.depth + 1,
          "aria-posinset": row.place,
          "aria-setsize": row.siblings,
          "aria-expanded": folds ? String(row.open) : undefined,
          "aria-selected": String(row.path === chosen),
          onPointerEnter: (/** @type {PointerEvent} */ event) => event.pointerType === "mouse" && point(row.path),
          onClick: () => {
            if (folds && (!row.open || row.path === chosen)) fold(row.path);
            wantsFocus.current = true;
            choose(row.path);
          },
        },
        h("span", { class: "twist", "aria-hidden": "true" }, folds ? h(Icon, { name: row.open ? "down" : "right", size: 12 }) : null),
        h("span", { class: "leaf-name" }, labelOf(meanings, row.field)),
        " ",
        h("span", { class: "leaf-value" }, saidBy(meanings, row.field)),
      );
    }),
  );
  return [
    h(More, { app, word: "fields.above", count: first, go: () => setStart(first - TREE_ROWS_MAX) }),
    tree,
    h(More, {
      app,
      word: "fields.below",
      count: rows.length - first - shown.length,
      go: () => setStart(first + TREE_ROWS_MAX),
    }),
  ];
}

/** Whether this row is the field at a path, or is folded over it. @param {import("./fieldtree.js").FieldRow} row @param {string} path */
const isMeant = (row, path) => row.path === path || (!row.open && path.startsWith(`${row.path}.`));

/** What the field is for, and where that is written. @param {{app: import("../app.js").App, field: Field | null, meanings: Meanings, base: number}} props */
function Meaning({ app, field, meanings, base }) {
  const { t } = app.strings;
  if (!field) return h("p", { class: "meaning fine" }, t("fields.point"));
  const [, text, source, url] = meanings.fields[field[0]] ?? [];
  return h(
    "div",
    { class: "meaning" },
    h(
      "p",
      null,
      h("b", null, labelOf(meanings, field)),
      " ",
      h("span", { class: "fine" }, t("fields.range", { count: field[2] - field[1], from: base + field[1], to: base + field[2] - 1 })),
    ),
    text && h("p", null, text, " ", url?.startsWith("https://") && h("a", { href: url, target: "_blank", rel: "noopener" }, source)),
    field[3] && h("p", null, h("code", null, saidBy(meanings, field))),
  );
}

/** What was chosen, for those who hear the page. @param {{app: import("../app.js").App, field: Field | null, meanings: Meanings}} props */
function Spoken({ app, field, meanings }) {
  const [, text = ""] = (field && meanings.fields[field[0]]) ?? [];
  const words = field && app.strings.t("fields.spoken", { label: labelOf(meanings, field), value: saidBy(meanings, field), text });
  return h("p", { class: "visually-hidden", role: "status" }, words);
}

/**
 * The bytes: `begin` to `end` are marked, `own` is in view at first. `point` and `choose` are told which byte; `follows`: whether the marked bytes are to
 * be brought into view.
 *
 * @param {{app: import("../app.js").App, hex: string, label: string, base: number, own: number, begin: number, end: number, cursor: number,
 *   point: (byte: number) => void, choose: (byte: number) => void, follows: boolean}} props
 */
function Bytes({ app, hex, label, base, own, begin, end, cursor, point, choose, follows }) {
  const { t } = app.strings;
  const bytes = useMemo(() => bytesOf(hex), [hex]);
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [width, setWidth] = useState(8);
  const [start, setStart] = useState(0);
  useLayoutEffect(() => {
    const box = /** @type {HTMLDivElement} */ (ref.current);
    const observer = new ResizeObserver(() => {
      const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      setWidth(box.clientWidth >= WIDE_REM * rem ? 16 : 8);
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  const rows = useMemo(() => hexRows(bytes, width), [bytes, width]);
  const target = Math.floor((cursor >= 0 ? cursor : begin) / width);
  const first = Math.max(0, Math.min(start, rows.length - 1));
  useLayoutEffect(() => setStart(Math.floor(own / width)), [own, width]);
  useLayoutEffect(() => {
    if (end > begin && follows) setStart((now) => windowAt(now, target, HEX_ROWS_MAX));
  }, [target, end, follows]);
  useLayoutEffect(() => {
    const box = ref.current?.querySelector("pre");
    const row = /** @type {HTMLElement | null | undefined} */ (box?.querySelector("mark")?.closest(".hex-row"));
    if (box && row && follows) intoView(box, row);
  }, [begin, end, cursor, first, follows]);
  const byteUnder = (/** @type {MouseEvent} */ event) => {
    const row = /** @type {HTMLElement} */ (event.target).closest(".hex-row");
    if (!row) return -1;
    const offset = Number(row.getAttribute("data-offset"));
    const size = Math.min(width, bytes.length - offset);
    for (const [part, letters] of /** @type {[string, number][]} */ ([
      [".hex-bytes", 3],
      [".hex-ascii", 1],
    ])) {
      const box = /** @type {Element} */ (row.querySelector(part)).getBoundingClientRect();
      const letter = box.width / (part === ".hex-bytes" ? width * 3 - 1 : size);
      const at = Math.floor((event.clientX - box.left) / (letter * letters));
      if (event.clientX >= box.left && at < size) return offset + at;
    }
    return -1;
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const now = cursor >= 0 ? cursor : begin;
    /** @type {Record<string, number>} */
    const to = {
      ArrowRight: now + (cursor >= 0 ? 1 : 0),
      ArrowLeft: now - 1,
      ArrowDown: now + width,
      ArrowUp: now - width,
      Home: 0,
      End: bytes.length - 1,
    };
    if (!(event.key in to) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    choose(Math.max(0, Math.min(bytes.length - 1, to[event.key])));
  };
  const shown = rows.slice(first, first + HEX_ROWS_MAX);
  return h(
    "div",
    { class: "hex", ref },
    h(Copy, { app, text: hexText(bytes) }),
    h(More, { app, word: "bytes.above", count: first, go: () => setStart(first - HEX_ROWS_MAX) }),
    h(
      "pre",
      {
        tabIndex: 0,
        role: "application",
        "aria-label": t("fields.bytes", { label }),
        onKeyDown,
        onPointerMove: (/** @type {PointerEvent} */ event) => event.pointerType === "mouse" && point(byteUnder(event)),
        onPointerLeave: () => point(-1),
        onClick: (/** @type {MouseEvent} */ event) => {
          const byte = byteUnder(event);
          if (byte >= 0) choose(byte);
        },
      },
      shown.map((row) => h(Row, { key: row.offset, row, base, width, begin, end, cursor })),
    ),
    h(More, { app, word: "bytes.more", count: rows.length - first - shown.length, go: () => setStart(first + HEX_ROWS_MAX) }),
  );
}

/** @param {{row: import("../hex.js").HexRow, base: number, width: number, begin: number, end: number, cursor: number}} props */
function Row({ row, base, width, begin, end, cursor }) {
  const parts = runs(row, begin, end, cursor);
  const missing = " ".repeat((width - row.hex.length) * 3);
  return h(
    "span",
    { class: "hex-row", "data-offset": row.offset },
    h("span", { class: "hex-offset" }, offsetText(base + row.offset)),
    "  ",
    h(
      "span",
      { class: "hex-bytes" },
      parts.map((part, n) => [n > 0 && " ", run(part, part.hex)]),
      missing,
    ),
    "  ",
    h(
      "span",
      { class: "hex-ascii" },
      parts.map((part) => run(part, part.ascii)),
    ),
    "\n",
  );
}

/** @param {{marked: boolean, cursor: boolean}} part @param {string} text */
const run = (part, text) => (part.marked || part.cursor ? h("mark", { class: part.cursor ? "cursor" : undefined }, text) : text);

/** @param {{app: import("../app.js").App, word: string, count: number, go: () => void}} props */
function More({ app, word, count, go }) {
  if (count <= 0) return null;
  return h("button", { type: "button", class: "button", onClick: go }, app.strings.t(word, { count }));
}

/**
 * Scroll the box, and nothing around it, as far as it takes to show the row; `covered` of the box's top is under something.
 *
 * @param {HTMLElement} box @param {HTMLElement} row @param {number} [covered]
 */
function intoView(box, row, covered = 0) {
  const outer = box.getBoundingClientRect();
  const inner = row.getBoundingClientRect();
  if (inner.top < outer.top + covered) box.scrollTop -= outer.top + covered - inner.top + inner.height;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + inner.height;
}
