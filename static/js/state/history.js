/** An object's versions beside the cursor: which of them stands there, and which are shown around it. Pure. */

/** @typedef {{path: string, was: any, is: any}} Line */
/** @typedef {{seq: number, at: number, verb: "create" | "update" | "delete", revision: number, by: string | null, user: string | null, request: number | null, diff: Line[]}} Version */

/** Which version holds at an entry: the last that was written by then; -1 before the first. @param {readonly {seq: number}[]} versions @param {number} at */
export const standingAt = (versions, at) => versions.findLastIndex(({ seq }) => seq <= at);

/** The versions to show: so many, with the one that stands among them and more of the past than of the future. @template T @param {T[]} versions @param {number} standing @param {number} size */
export function around(versions, standing, size) {
  const ahead = Math.floor(size / 3);
  const start = Math.max(0, Math.min(standing - (size - 1 - ahead), versions.length - size));
  return { start, shown: versions.slice(start, start + size) };
}

/** How a line of a diff begins: what was added, taken away, made another. @param {Line} line @returns {"+" | "−" | "~"} */
export function signOf({ was, is }) {
  if (was === null) return "+";
  return is === null ? "−" : "~";
}

/** A value as one line of JSON; a text without its quotes where it cannot be taken for something else. @param {any} value */
export const valueText = (value) =>
  typeof value === "string" && /^[A-Za-z][\w./:@+-]*$/.test(value) && !/^(true|false|null)$/.test(value) ? value : JSON.stringify(value);
