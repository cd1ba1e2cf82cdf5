/** A reader's bookmarks in a journal, each with a note, in the order of the journal. They are kept for each cluster. */
import { keptList } from "./kept.js";

/** @typedef {{seq: number, note: string}} Bookmark */
/** @typedef {ReturnType<typeof createBookmarks>} Bookmarks */

export const BOOKMARKS_MAX = 100;
export const NOTE_MAX = 200;

/** @param {{cluster: string, shelf?: import("./kept.js").Shelf}} parts */
export function createBookmarks({ cluster, shelf }) {
  const isItem = (/** @type {any} */ one) => Number.isInteger(one.seq) && typeof one.note === "string";
  const kept = keptList({ name: "bookmarks", cluster, most: BOOKMARKS_MAX, isItem, shelf });
  const list = /** @type {import("@preact/signals-core").Signal<Bookmark[]>} */ (kept.list);
  const others = (/** @type {number} */ seq) => list.peek().filter((one) => one.seq !== seq);
  const at = (/** @type {number} */ seq) => list.value.find((one) => one.seq === seq) ?? null;
  return {
    list,
    at,
    /** Set one, or take it away. @param {number | null} seq */
    toggle(seq) {
      if (seq === null) return;
      if (at(seq)) kept.set(others(seq));
      else if (list.peek().length < BOOKMARKS_MAX) kept.set([...others(seq), { seq, note: "" }].sort((one, other) => one.seq - other.seq));
    },
    /** @param {number} seq @param {string} note */
    write(seq, note) {
      kept.set(list.peek().map((one) => (one.seq === seq ? { seq, note: note.slice(0, NOTE_MAX) } : one)));
    },
  };
}
