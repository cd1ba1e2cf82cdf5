/** A body: JSON (or protobuf told as JSON) as a tree that folds and can be searched, anything else as text. */
import { h } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { Icon } from "../icons.js";
import { branches, firstOpen, parse, search, treeRows } from "../jsontree.js";
import { Copy } from "./copy.js";
import { Loaded } from "./loaded.js";

/** @param {import("./drawer.js").TabProps} props */
export function Body({ app, entry }) {
  const { t } = app.strings;
  return h(Loaded, {
    app,
    entry,
    show: ({ body }) => {
      if (body.type === "none" || !body.text) return h("p", { class: "empty" }, t("body.none"));
      return h(
        "div",
        { class: "body" },
        body.truncated && h("p", { class: "hint" }, t("body.truncated")),
        h(Document, { app, text: body.text, type: body.type }),
      );
    },
  });
}

/** @param {{app: import("../app.js").App, text: string, type: string}} props */
function Document({ app, text, type }) {
  const { t } = app.strings;
  const parsed = useMemo(() => parse(text), [text]);
  const note = type === "protobuf" ? t("body.protobuf") : type;
  if (!parsed || parsed.value === null || typeof parsed.value !== "object") {
    return h(
      "div",
      null,
      h("div", { class: "tool-line" }, h("span", { class: "tool-title" }, note), h(Copy, { app, text })),
      h("pre", { class: "plain", tabIndex: 0, "aria-label": t("tab.body") }, text),
    );
  }
  return h(Tree, { app, value: parsed.value, note });
}

/** @param {{app: import("../app.js").App, value: unknown, note: string}} props */
function Tree({ app, value, note }) {
  const { t } = app.strings;
  const [open, setOpen] = useState(() => /** @type {ReadonlySet<string>} */ (firstOpen(value)));
  const [query, setQuery] = useState("");
  const [active, setActive] = useState("");
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const found = useMemo(() => search(value, query), [value, query]);
  const all = useMemo(() => new Set([...open, ...found.open]), [open, found]);
  const rows = treeRows(value, all, found.matches);
  const at = Math.max(
    0,
    rows.findIndex((row) => row.path === active),
  );
  const toggle = (/** @type {string} */ path) => {
    const next = new Set(all);
    if (!next.delete(path)) next.add(path);
    setOpen(next);
    if (found.open.has(path)) setQuery("");
  };
  const go = (/** @type {number} */ index) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    setActive(row.path);
    /** @type {HTMLElement | undefined} */ (ref.current?.children[rows.indexOf(row)])?.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const row = rows[at];
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => (row.count && !row.open ? toggle(row.path) : go(at + 1)),
      ArrowLeft: () => (row.open ? toggle(row.path) : go(rows.findLastIndex((other, i) => i < at && other.depth < row.depth))),
      Enter: () => row.count && toggle(row.path),
      " ": () => row.count && toggle(row.path),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  };
  return h(
    "div",
    null,
    h(
      "div",
      { class: "tool-line" },
      h("span", { class: "tool-title" }, note),
      h("input", {
        type: "search",
        class: "tree-search",
        placeholder: t("body.search"),
        "aria-label": t("body.search"),
        value: query,
        onInput: (/** @type {Event} */ event) => setQuery(/** @type {HTMLInputElement} */ (event.currentTarget).value),
      }),
      query.trim() && h("span", { class: "fine", role: "status" }, t("body.found", { count: found.matches.size })),
      h(
        "button",
        {
          type: "button",
          class: "ghost",
          onClick: () => setOpen(new Set(branches(value))),
          title: t("body.unfold"),
          "aria-label": t("body.unfold"),
        },
        h(Icon, { name: "unfold", size: 15 }),
      ),
      h(
        "button",
        {
          type: "button",
          class: "ghost",
          onClick: () => {
            setQuery("");
            setOpen(new Set([""]));
          },
          title: t("body.fold"),
          "aria-label": t("body.fold"),
        },
        h(Icon, { name: "fold", size: 15 }),
      ),
      h(Copy, { app, text: JSON.stringify(value, null, 2) }),
    ),
    h(
      "div",
      { class: "tree", role: "tree", "aria-label": t("tab.body"), ref, onKeyDown },
      rows.map((row, i) =>
        h(
          "div",
          {
            key: row.path,
            role: "treeitem",
            class: `leaf ${row.kind}${row.match ? " match" : ""}`,
            style: { paddingInlineStart: `${(row.depth * 14 + 4) / 10}rem` },
            tabIndex: i === at ? 0 : -1,
            "aria-level": row.depth + 1,
            "aria-expanded": row.count ? String(row.open) : undefined,
            "aria-selected": "false",
            onClick: () => {
              setActive(row.path);
              if (row.count) toggle(row.path);
            },
          },
          h("span", { class: "twist", "aria-hidden": "true" }, row.count ? h(Icon, { name: row.open ? "down" : "right", size: 12 }) : null),
          row.name !== null && h("span", { class: "leaf-name" }, row.name, ":"),
          " ",
          row.open && row.name !== null ? null : h("span", { class: "leaf-value" }, row.text),
        ),
      ),
    ),
  );
}
