/**
 * A JSON document as the rows of a tree: what is open, what matches a search, what a closed branch holds. Pure.
 *
 * A path is a JSON pointer ("/spec/replicas"); the root is "". A string that is a document itself, as etcd's values
 * are, opens like one; its text keeps the quotes.
 */

/**
 * @typedef {{path: string, name: string | null, depth: number, kind: "object" | "array" | "string" | "number" | "boolean" | "null",
 *   text: string, count: number, open: boolean, match: boolean}} TreeRow
 */

const ROWS_MAX = 5000;

/** What a string holds when it is a document, else the value itself. @param {unknown} value */
function inner(value) {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** @param {unknown} value @returns {TreeRow["kind"]} */
function kindOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return /** @type {any} */ (typeof value);
}

/** @param {string | number} key */
const escaped = (key) => String(key).replaceAll("~", "~0").replaceAll("/", "~1");

/** @param {unknown} value @returns {[string, unknown][]} */
const childrenOf = (value) => (value !== null && typeof value === "object" ? Object.entries(value) : []);

/** Every branch's path. @param {unknown} value @param {string} [path] @returns {string[]} */
export function branches(value, path = "") {
  const children = childrenOf(inner(value));
  if (children.length === 0) return [];
  return [path, ...children.flatMap(([key, child]) => branches(child, `${path}/${escaped(key)}`))];
}

/** Branches to open at first: the document down to the depth that stays readable. @param {unknown} value @param {number} [rows] */
export function firstOpen(value, rows = 40) {
  const all = branches(value);
  let open = new Set([""]);
  for (let depth = 1; depth < 12; depth += 1) {
    const deeper = new Set(all.filter((path) => path.split("/").length - 1 <= depth));
    if (treeRows(value, deeper).length > rows) return open;
    open = deeper;
  }
  return open;
}

/** Paths whose name or value holds the text, and the branches above them. @param {unknown} value @param {string} query */
export function search(value, query) {
  const needle = query.trim().toLowerCase();
  /** @type {Set<string>} */
  const matches = new Set();
  /** @type {Set<string>} */
  const open = new Set();
  const visit = (/** @type {unknown} */ outer, /** @type {string} */ path, /** @type {string} */ name) => {
    const node = inner(outer);
    const children = childrenOf(node);
    let found = name.toLowerCase().includes(needle) || (children.length === 0 && String(node).toLowerCase().includes(needle));
    if (found) matches.add(path);
    for (const [key, child] of children) found = visit(child, `${path}/${escaped(key)}`, key) || found;
    if (found) open.add(path);
    return found;
  };
  if (needle) visit(value, "", "");
  return { matches, open };
}

/** The rows on screen. @param {unknown} value @param {ReadonlySet<string>} open @param {ReadonlySet<string>} [matches] @returns {TreeRow[]} */
export function treeRows(value, open, matches = new Set()) {
  /** @type {TreeRow[]} */
  const rows = [];
  const visit = (
    /** @type {unknown} */ outer,
    /** @type {string} */ path,
    /** @type {string | null} */ name,
    /** @type {number} */ depth,
  ) => {
    if (rows.length >= ROWS_MAX) return;
    const node = inner(outer);
    const kind = kindOf(node);
    const children = childrenOf(node);
    const isOpen = children.length > 0 && open.has(path);
    rows.push({
      path,
      name,
      depth,
      kind,
      text: node === outer ? textOf(node, kind, children.length) : `"${textOf(node, kind, children.length)}"`,
      count: children.length,
      open: isOpen,
      match: matches.has(path),
    });
    if (isOpen) for (const [key, child] of children) visit(child, `${path}/${escaped(key)}`, key, depth + 1);
  };
  visit(value, "", null, 0);
  return rows;
}

/** @param {unknown} value @param {TreeRow["kind"]} kind @param {number} count */
function textOf(value, kind, count) {
  if (kind === "object") return count ? "{…}" : "{}";
  if (kind === "array") return count ? `[${count}]` : "[]";
  return JSON.stringify(value);
}

/** A document if the text is one (a watch's text may hold several, one a line). @param {string} text @returns {{value: unknown} | null} */
export function parse(text) {
  try {
    return { value: JSON.parse(text) };
  } catch {
    const lines = text.trim().split("\n");
    if (lines.length < 2) return null;
    try {
      return { value: lines.map((line) => JSON.parse(line)) };
    } catch {
      return null;
    }
  }
}
