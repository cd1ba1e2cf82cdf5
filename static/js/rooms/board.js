/** The instructor's board as a table: who comes first, what is counted, and what is worth saying aloud. Pure. */

/** @typedef {import("./live.js").Row} Row */
/** @typedef {import("./live.js").Incident} Incident */
/** @typedef {"name" | "group" | "online" | "where"} Column */
/** @typedef {{by: Column, down: boolean}} Order */
/** @typedef {{kind: "help" | "diagnosed", names: string[]}} News */

/** @type {Record<Column, (a: Row, b: Row) => number>} */
const COMPARE = {
  name: () => 0,
  group: (a, b) => a.group.localeCompare(b.group),
  online: (a, b) => Number(b.online) - Number(a.online),
  where: (a, b) => progress(b) - progress(a),
};

/** How much of the lesson's checks somebody has passed, from 0 to 1. @param {Row} row */
export function progress({ where }) {
  return where && where.of > 0 ? where.checks / where.of : 0;
}

/**
 * Who asks for help comes first, the longest wait first; then as chosen, then by name.
 * @param {Iterable<Row>} rows @param {Order} order @param {string | null} group null for all
 */
export function ordered(rows, { by, down }, group = null) {
  const sign = down ? -1 : 1;
  const compare = (/** @type {Row} */ a, /** @type {Row} */ b) => COMPARE[by](a, b) || a.name.localeCompare(b.name) || a.member - b.member;
  return [...rows]
    .filter((row) => group === null || row.group === group)
    .sort((a, b) => {
      if (Boolean(a.help) !== Boolean(b.help)) return a.help ? -1 : 1;
      if (a.help && b.help && a.help !== b.help) return a.help < b.help ? -1 : 1;
      return sign * compare(a, b);
    });
}

/** The groups there are, by name; "" for those without one, at the end. @param {Iterable<Row>} rows */
export function groupsOf(rows) {
  const names = [...new Set([...rows].map((row) => row.group))].filter(Boolean).sort((a, b) => a.localeCompare(b));
  return [...rows].some((row) => !row.group) && names.length ? [...names, ""] : names;
}

/** @param {Iterable<Row>} rows */
export function countsOf(rows) {
  const all = [...rows];
  return { all: all.length, online: all.filter((row) => row.online).length, help: all.filter((row) => row.help).length };
}

/** Whether something is broken for somebody, or waits to be. @param {Row} row */
export function isBroken({ reports }) {
  return Object.values(reports).some((report) => !report.healed && !report.problem);
}

/** How an incident went, over all it concerns. @param {Incident} incident @param {Iterable<Row>} rows */
export function tallyOf({ id }, rows) {
  const reports = [...rows].map((row) => row.reports[id]).filter(Boolean);
  return {
    of: reports.length,
    applied: reports.filter((report) => report.applied).length,
    noticed: reports.filter((report) => report.noticed !== null).length,
    diagnosed: reports.filter((report) => report.diagnosed !== null).length,
    problems: [...new Set(reports.map((report) => report.problem).filter((problem) => problem !== null && problem !== ""))],
  };
}

/** What happened between two boards that an instructor wants to hear of. @param {ReadonlyMap<number, Row>} before @param {ReadonlyMap<number, Row>} after @returns {News[]} */
export function newsOf(before, after) {
  const known = [...after.values()]
    .filter((row) => before.has(row.member))
    .map((row) => ({ row, was: /** @type {Row} */ (before.get(row.member)) }));
  const help = known.filter(({ row, was }) => row.help && !was.help);
  const solved = (/** @type {Row} */ row) => Object.values(row.reports).filter((report) => report.diagnosed !== null).length;
  const diagnosed = known.filter(({ row, was }) => solved(row) > solved(was));
  const names = (/** @type {typeof known} */ list) => list.map(({ row }) => row.name);
  return /** @type {News[]} */ ([
    { kind: "help", names: names(help) },
    { kind: "diagnosed", names: names(diagnosed) },
  ]).filter((news) => news.names.length);
}

/** News of the same kind told as one. @param {readonly News[]} news @returns {News[]} */
export function digest(news) {
  /** @type {Map<News["kind"], Set<string>>} */
  const kinds = new Map();
  for (const { kind, names } of news) for (const name of names) kinds.set(kind, (kinds.get(kind) ?? new Set()).add(name));
  return [...kinds].map(([kind, names]) => ({ kind, names: [...names] }));
}
