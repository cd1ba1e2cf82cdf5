/**
 * The fields of a stretch of bytes as the rows of a tree, and which field a byte belongs to. Pure.
 *
 * A path leads from the top by indexes: "3.0" is the first field in the fourth. "" is none.
 */

/** Name, where it begins and ends (exclusive), value, the fields in it: `cluster_engine/fields/field.py`. @typedef {[string, number, number, string, any[]]} Field */
/** @typedef {{path: string, field: Field, depth: number, open: boolean, place: number, siblings: number}} FieldRow */

/** The rows on screen: what is folded has none. @param {Field[]} fields @param {ReadonlySet<string>} open @returns {FieldRow[]} */
export function rowsOf(fields, open) {
  /** @type {FieldRow[]} */
  const rows = [];
  const visit = (/** @type {Field[]} */ siblings, /** @type {string} */ above, /** @type {number} */ depth) => {
    for (const [at, field] of siblings.entries()) {
      const path = above ? `${above}.${at}` : String(at);
      const isOpen = field[4].length > 0 && open.has(path);
      rows.push({ path, field, depth, open: isOpen, place: at + 1, siblings: siblings.length });
      if (isOpen) visit(field[4], path, depth + 1);
    }
  };
  visit(fields, "", 0);
  return rows;
}

/** What is open at first: as many levels as stay within so many rows. @param {Field[]} fields @param {number} [rowsMax] @returns {Set<string>} */
export function firstOpen(fields, rowsMax = 16) {
  /** @type {Set<string>} */
  let open = new Set();
  for (;;) {
    const rows = rowsOf(fields, open);
    const deeper = new Set(rows.filter((row) => row.field[4].length > 0).map((row) => row.path));
    if (deeper.size === open.size || rowsOf(fields, deeper).length > rowsMax) return open;
    open = deeper;
  }
}

/** What is of other messages, or not known whose it is: `OTHERS` in cluster_engine/fields/opened.py. */
const OTHERS = new Set([
  ...["any.other", "http1.continued", "http2.continued", "http2.cut", "http2.other_frame", "http2.preface"],
  "websocket.continued",
]);

/** The first field of the entry's own, as a path, where others stand before it; "" where it begins with its own. @param {Field[]} fields */
export function ownAt(fields) {
  const at = fields.findIndex(([name]) => !OTHERS.has(name));
  return at > 0 ? String(at) : "";
}

/** The deepest field that a byte belongs to, as a path. @param {Field[]} fields @param {number} offset */
export function pathAt(fields, offset) {
  const path = [];
  for (let level = fields; ; ) {
    const at = level.findIndex(([, begin, end]) => begin <= offset && offset < end);
    if (at < 0) return path.join(".");
    path.push(at);
    level = level[at][4];
  }
}

/** @param {Field[]} fields @param {string} path @returns {Field | null} */
export function fieldAt(fields, path) {
  let level = fields;
  /** @type {Field | null} */
  let found = null;
  for (const at of path ? path.split(".") : []) {
    found = level?.[Number(at)] ?? null;
    if (!found) return null;
    level = found[4];
  }
  return found;
}

/** The paths above a path, the top first. @param {string} path */
export const above = (path) => [...path.matchAll(/\./g)].map(({ index }) => path.slice(0, index));

/** Where a window of so many rows begins that shows row `at`, moved no further than it has to. @param {number} start @param {number} at @param {number} size */
export const windowAt = (start, at, size) => (at < start ? at : at >= start + size ? at - size + 1 : start);
