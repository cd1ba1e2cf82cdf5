/** What of the journal is taken along: all of it, one connection, or the messages of a range. Pure. */

/** @typedef {{first?: number, last?: number, connection?: number}} Chosen */

/** A range as it was typed. `problem`: a word of the page that says what is wrong. @param {string} first @param {string} last @param {number} head @returns {{chosen: Chosen, problem: string}} */
export function rangeOf(first, last, head) {
  const [from, to] = [first, last].map((text) => (/^\d{1,15}$/.test(text.trim()) ? Number(text) : 0));
  if (from < 1 || to < 1) return { chosen: {}, problem: "takeaway.range.numbers" };
  if (from > to) return { chosen: {}, problem: "takeaway.range.order" };
  if (from > head) return { chosen: {}, problem: "takeaway.range.beyond" };
  return { chosen: { first: from, last: to }, problem: "" };
}

/** Where a format is fetched from. @param {string} base @param {string} format @param {Chosen} chosen */
export function addressOf(base, format, chosen) {
  const query = Object.entries(chosen).map(([name, value]) => `${name}=${value}`);
  return `${base}${format}${query.length ? `?${query.join("&")}` : ""}`;
}

/** What a picture's file is called. @param {string} ending @param {number} first @param {number} last */
export const pictureName = (ending, first, last) => `glassplane-${first}-${last}.${ending}`;
