/** The live board: one row a learner; who asks for help comes first. */
import { h } from "preact";
import { memo } from "./memo.js";
import { duration } from "../format.js";
import { Icon } from "../icons.js";
import { isBroken, progress } from "./board.js";
import { faultName, instant } from "./words.js";

/** @typedef {import("./live.js").Row} Row */
/** @typedef {import("./live.js").Incident} Incident */
/** @typedef {import("./board.js").Order} Order */
/** @typedef {import("./board.js").Column} Column */
/** @typedef {{onBreak: (row: Row) => void, onHeal: (row: Row) => void, onForget: (row: Row) => void, onHandDown: (row: Row) => void}} RowActions */

const COLUMNS = /** @type {const} */ (["name", "group", "online", "where"]);

/**
 * @param {{rows: readonly Row[], incidents: readonly Incident[], order: Order, onOrder: (order: Order) => void, beats: Record<string, string>,
 *   strings: import("../strings.js").Strings, actions: RowActions}} props
 */
export function BoardTable({ rows, incidents, order, onOrder, beats, strings, actions }) {
  const { t, language } = strings;
  return h(
    "div",
    { class: "room-scroll", tabIndex: 0, role: "region", "aria-label": t("room.board") },
    h(
      "table",
      { class: "room-board" },
      h("caption", { class: "visually-hidden" }, t("room.board.caption")),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          COLUMNS.map((by) => h(Sortable, { key: by, by, order, onOrder, t })),
          incidents.map((incident) =>
            h(
              "th",
              { key: incident.id, scope: "col", class: `room-incident-head${incident.healed ? " healed" : ""}` },
              h("span", { class: "room-number" }, t("room.incident", { number: incident.number })),
              h("span", null, faultName(incident.fault, t)),
              h("span", { class: "fine" }, incident.fault.target),
            ),
          ),
          h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("room.actions"))),
        ),
      ),
      h(
        "tbody",
        null,
        rows.map((row) => h(BoardRow, { key: row.member, row, incidents, beats, t, language: language.value, actions })),
      ),
    ),
  );
}

/** @param {{by: Column, order: Order, onOrder: (order: Order) => void, t: import("./words.js").T}} props */
function Sortable({ by, order, onOrder, t }) {
  const sorted = order.by === by;
  return h(
    "th",
    { scope: "col", "aria-sort": sorted ? (order.down ? "descending" : "ascending") : undefined },
    h(
      "button",
      { type: "button", class: "room-sort", onClick: () => onOrder({ by, down: sorted && !order.down }) },
      t(`room.column.${by}`),
      sorted && h(Icon, { name: order.down ? "up" : "down", size: 13 }),
    ),
  );
}

const BoardRow = memo(Line);

/** @param {{row: Row, incidents: readonly Incident[], beats: Record<string, string>, t: import("./words.js").T, language: string, actions: RowActions}} props */
function Line({ row, incidents, beats, t, language, actions }) {
  return h(
    "tr",
    { class: `${row.help ? "asks" : ""}${row.online ? "" : " away"}`, "data-member": row.member },
    h("th", { scope: "row" }, h("span", { class: "room-who" }, row.name), row.help && h(Asking, { row, t, language, actions })),
    h("td", null, row.group),
    h(
      "td",
      null,
      h(
        "span",
        { class: `room-online ${row.online ? "on" : "off"}` },
        h("span", { class: "room-dot", "aria-hidden": "true" }),
        t(row.online ? "room.isOnline" : "room.isAway"),
      ),
    ),
    h("td", { class: "room-where" }, h(Where, { row, beats, t, language })),
    incidents.map((incident) =>
      h("td", { key: incident.id, class: "room-report" }, h(ReportCell, { report: row.reports[incident.id], t, language })),
    ),
    h("td", { class: "room-row-tools" }, h(Tools, { row, t, actions })),
  );
}

/** @param {{row: Row, t: import("./words.js").T, language: string, actions: RowActions}} props */
const Asking = ({ row, t, language, actions }) =>
  h(
    "span",
    { class: "room-asking" },
    h(Icon, { name: "hand", size: 15 }),
    h("b", null, t("room.asks")),
    " ",
    instant(row.help ?? "", language),
    h(
      "button",
      {
        type: "button",
        class: "ghost small",
        onClick: () => actions.onHandDown(row),
        "aria-label": t("room.handDown.of", { name: row.name }),
        title: t("room.handDown.of", { name: row.name }),
      },
      h(Icon, { name: "check", size: 14 }),
    ),
  );

/** @param {{row: Row, beats: Record<string, string>, t: import("./words.js").T, language: string}} props */
function Where({ row, beats, t, language }) {
  const { where } = row;
  if (!where) return h("span", { class: "fine" }, t(row.cluster.id ? "room.where.free" : "room.where.none"));
  return [
    where.beat && h("span", { key: "b", class: "room-beat" }, beats[where.beat] ?? where.beat),
    where.of > 0 &&
      h(
        "span",
        { key: "c", class: "room-checks" },
        h("progress", { max: 1, value: progress(row), "aria-hidden": "true" }),
        t("room.checks", { checks: where.checks, of: where.of }),
      ),
    where.last && h("span", { key: "l", class: "fine" }, `${beats[where.last.id] ?? where.last.id} · ${instant(where.last.at, language)}`),
  ];
}

/** @param {{report: import("./live.js").Report | undefined, t: import("./words.js").T, language: string}} props */
function ReportCell({ report, t, language }) {
  if (!report) return h("span", { class: "fine", "aria-label": t("room.report.none") }, "–");
  if (report.problem) return h("span", { class: "room-problem" }, h(Icon, { name: "warning", size: 13 }), report.problem);
  const healed = report.healed && h("span", { key: "h", class: "fine" }, t("room.healed", { time: instant(report.healed, language) }));
  if (!report.applied) return healed || h("span", { class: "fine" }, t("room.report.waiting"));
  const tries = [report.tries > 0 && h("span", { key: "t", class: "fine" }, t("room.report.tries", { count: report.tries })), healed];
  if (report.diagnosed !== null) {
    return [
      h(
        "span",
        { key: "d", class: "room-step right" },
        h(Icon, { name: "check", size: 14 }),
        t("room.report.diagnosed", { time: duration(report.diagnosed, language) }),
      ),
      report.noticed !== null &&
        h("span", { key: "n", class: "fine" }, t("room.report.noticed", { time: duration(report.noticed, language) })),
      tries,
    ];
  }
  if (report.noticed !== null)
    return [
      h(
        "span",
        { key: "n", class: "room-step" },
        h(Icon, { name: "eye", size: 14 }),
        t("room.report.noticed", { time: duration(report.noticed, language) }),
      ),
      tries,
    ];
  return [
    h(
      "span",
      { key: "a", class: "room-step" },
      h(Icon, { name: "bolt", size: 14 }),
      t("room.report.applied", { time: instant(report.applied, language) }),
    ),
    tries,
  ];
}

/** @param {{row: Row, t: import("./words.js").T, actions: RowActions}} props */
function Tools({ row, t, actions }) {
  const tool = (/** @type {string} */ icon, /** @type {string} */ key, /** @type {() => void} */ onClick, disabled = false) => {
    const label = t(`room.row.${key}`, { name: row.name });
    return h(
      "button",
      { type: "button", class: "ghost small", title: label, "aria-label": label, onClick, disabled },
      h(Icon, { name: icon, size: 15 }),
    );
  };
  const open = t("room.row.open", { name: row.name });
  return [
    row.cluster.id &&
      h(
        "a",
        {
          key: "o",
          class: "ghost small",
          href: `/clusters/${row.cluster.id}/`,
          target: "_blank",
          rel: "noopener",
          title: open,
          "aria-label": open,
        },
        h(Icon, { name: "eye", size: 15 }),
      ),
    tool("bolt", "break", () => actions.onBreak(row), !row.cluster.id),
    tool("pulse", "heal", () => actions.onHeal(row), !isBroken(row)),
    tool("trash", "forget", () => actions.onForget(row)),
  ];
}
