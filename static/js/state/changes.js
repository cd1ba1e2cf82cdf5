/**
 * What differs between two states of the same view, whichever of them is the earlier. Pure.
 *
 * A view's *facts* are what a reader can see in it: for each thing (an object, a connection, a rule) a title and values
 * by their labels. `between(was, is)` marks the things that differ and says how.
 *
 *     was: {"pods/web-1": {title: "web-1", values: {Status: "Pending"}}}
 *     is:  {"pods/web-1": {title: "web-1", values: {Status: "Running"}}}
 *     →    [{key: "pods/web-1", sign: "~", title: "web-1", fields: [{label: "Status", was: "Pending", is: "Running"}]}]
 */

/** `about`: what sort of thing it is, to be counted by ("pods"). @typedef {{title: string, about: string, seq?: number | null, values: Record<string, string>}} Fact */
/** @typedef {Map<string, Fact>} Facts */
/** @typedef {{label: string, was: string, is: string}} Field */
/** @typedef {{key: string, sign: "+" | "~" | "−", title: string, about: string, seq: number | null, fields: Field[]}} Change */

/** What is, with every part that is as it was being that same part: who draws by identity draws only what differs. @param {any} was @param {any} is @returns {any} */
export function share(was, is) {
  if (was === is || was === null || is === null || typeof was !== "object" || typeof is !== "object") return is;
  if (Array.isArray(was) !== Array.isArray(is)) return is;
  const keys = Object.keys(is);
  let same = keys.length === Object.keys(was).length;
  for (const key of keys) {
    is[key] = share(was[key], is[key]);
    same &&= is[key] === was[key] && key in was;
  }
  return same ? was : is;
}

/** @param {Facts} was @param {Facts} is @returns {Change[]} */
export function between(was, is) {
  /** @type {Change[]} */
  const changes = [];
  for (const [key, fact] of is) {
    const before = was.get(key);
    const fields = before ? differing(before.values, fact.values) : [];
    if (before && fields.length === 0) continue;
    changes.push({ key, sign: before ? "~" : "+", title: fact.title, about: fact.about, seq: fact.seq ?? null, fields });
  }
  for (const [key, fact] of was)
    if (!is.has(key)) changes.push({ key, sign: "−", title: fact.title, about: fact.about, seq: null, fields: [] });
  return changes;
}

/** @param {Record<string, string>} was @param {Record<string, string>} is @returns {Field[]} */
function differing(was, is) {
  const labels = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...labels].map((label) => ({ label, was: was[label] ?? "", is: is[label] ?? "" })).filter((field) => field.was !== field.is);
}

/** How many things of each sort differ: [["pods", 3]]. @param {Change[]} changes @returns {[string, number][]} */
export function counted(changes) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { about } of changes) counts.set(about, (counts.get(about) ?? 0) + 1);
  return [...counts];
}
