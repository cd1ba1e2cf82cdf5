/**
 * What the page of two runs shows of a comparison, as a function of it and of what the reader has chosen; no page, no
 * state. The document is that of `cluster_engine/comparing/reporting.py`.
 */

/** @typedef {{seq: number, at: number, say: string}} Cell */
/** @typedef {{is: "both" | "differs" | "a" | "b", object: string, say: string, a: Cell | null, b: Cell | null, fields: {path: string, a: string | null, b: string | null}[]}} Row */
/** @typedef {{common: {entries: number, seconds: number, a: number | null, b: number | null}, rows: Row[], objects: {is: string, object: string, say: string}[], summary: string[]}} Comparison */

export const ROWS_DRAWN_MAX = 60;

/** The rows about one object, "" for all. @param {Row[]} rows @param {string} object */
export const about = (rows, object) => (object ? rows.filter((row) => row.object === object) : rows);

/** The objects that rows are about, the most spoken of first. @param {Row[]} rows @returns {{object: string, count: number}[]} */
export function objectsOf(rows) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { object } of rows) if (object) counts.set(object, (counts.get(object) ?? 0) + 1);
  return [...counts].map(([object, count]) => ({ object, count })).sort((a, b) => b.count - a.count);
}

/** The part of the rows that is drawn around the chosen one: from, and up to. @param {number} count @param {number} chosen */
export function drawn(count, chosen) {
  const from = Math.max(0, Math.min(chosen - ROWS_DRAWN_MAX / 4, count - ROWS_DRAWN_MAX));
  return { from, to: Math.min(count, from + ROWS_DRAWN_MAX) };
}

/** The next difference after a row, or the previous one; the row itself where there is none. @param {Row[]} rows @param {number} chosen @param {1 | -1} by */
export function nextDifference(rows, chosen, by) {
  for (let place = chosen + by; place >= 0 && place < rows.length; place += by) if (rows[place]?.is !== "both") return place;
  return chosen;
}

/** The first difference; the first row where there is none. @param {Row[]} rows */
export const firstDifference = (rows) =>
  Math.max(
    0,
    rows.findIndex((row) => row.is !== "both"),
  );

/** Seconds as the diagram writes them. @param {Row} row */
export const secondsOf = (row) => `${Math.min(...[row.a, row.b].flatMap((cell) => (cell ? [cell.at] : []))).toFixed(4)} s`;
