/** Objects by kind, with the columns of kubectl; the kinds that are closed are a line with their counts. */
import { h } from "preact";
import { useMemo, useState } from "preact/hooks";
import { keyOf, nameOf, resourceOf, shownColumns, sorted } from "./facts.js";
import { Table } from "./table.js";

/** @typedef {import("./facts.js").Kind} Kind */
/** @typedef {import("./facts.js").Row} Row */

const ROWS = 6;

/** @param {import("./pane.js").ViewProps} props */
export function Objects({ app, data, marks, changes }) {
  const { t } = app.strings;
  const open = app.state.kinds.value;
  const [asked, showOthers] = useState(/** @type {boolean | null} */ (null));
  const kinds = /** @type {Kind[]} */ (data.kinds);
  const closed = kinds.filter((kind) => !open.has(resourceOf(kind)) && kind.count > 0);
  const others = asked ?? kinds.every((kind) => !open.has(resourceOf(kind)) || kind.count === 0);
  const changed = new Set(changes.map(({ key }) => key.slice(0, key.indexOf("/"))));
  return h(
    "div",
    { class: "state-objects" },
    kinds.filter((kind) => open.has(resourceOf(kind))).map((kind) => h(KindTable, { key: resourceOf(kind), app, kind, marks })),
    closed.length > 0 &&
      h(
        "button",
        { type: "button", class: "state-fold", "aria-expanded": String(others), onClick: () => showOthers(!others) },
        t("state.kinds", { count: closed.length }),
      ),
    others &&
      h(
        "div",
        { class: "state-kinds" },
        closed.map((kind) => {
          const resource = resourceOf(kind);
          return h(
            "button",
            { key: resource, type: "button", title: resource, onClick: () => app.state.toggleKind(resource) },
            `${changed.has(resource) ? "~ " : ""}${kind.resource} ${kind.count}`,
          );
        }),
      ),
  );
}

/** @param {{app: import("../app.js").App, kind: Kind, marks: import("./table.js").Marks}} props */
function KindTable({ app, kind, marks }) {
  const { t } = app.strings;
  const resource = resourceOf(kind);
  const columns = shownColumns(kind.columns);
  const rows = useMemo(() => sorted(kind.rows ?? []), [kind]);
  const rest = columns.filter(({ name }) => name !== "Name");
  const fold = h(
    "button",
    { type: "button", class: "state-fold", "aria-expanded": "true", title: resource, onClick: () => app.state.toggleKind(resource) },
    `${kind.resource} ${kind.count}`,
  );
  if (rows.length === 0) return h("p", null, fold, t(kind.count ? "state.many" : "state.none"));
  return h(Table, {
    app,
    caption: fold,
    heads: [t("state.name"), ...rest.map(({ name }) => name)],
    rows,
    size: ROWS,
    marks,
    keyOf: (/** @type {Row} */ row) => keyOf(resource, row),
    head: (/** @type {Row} */ row) => [
      h(ObjectLink, { app, resource, one: row }),
      row.asked && h("span", { class: "fine" }, t("state.asked")),
    ],
    cells: (/** @type {Row} */ row) =>
      row.gone
        ? [{ text: t(app.imported ? "state.untold" : "state.gone"), class: "gone", span: Math.max(1, rest.length) }]
        : rest.map(({ name, place }) => ({ text: String(row.cells?.[place] ?? ""), label: name })),
    seqOf: (/** @type {Row} */ row) => row.seq,
  });
}

/** An object's name: pressing it opens its history. @param {{app: import("../app.js").App, resource: string, one: {namespace: string, name: string}}} props */
export const ObjectLink = ({ app, resource, one }) =>
  h(
    "button",
    {
      type: "button",
      class: "object-link",
      title: app.strings.t("state.open.object", { name: nameOf(one) }),
      onClick: () => {
        app.state.object.value = { resource, namespace: one.namespace, name: one.name };
      },
    },
    nameOf(one),
  );
