/**
 * A reader's own list for each cluster, kept in this browser: breakpoints, bookmarks.
 *
 * All clusters' lists of a name lie in one place, the last used last, and only so many of them: clusters come and go, and
 * what is kept of them is not to grow. What cannot be read is as if there were nothing.
 */
import { signal } from "@preact/signals-core";
import { keep, recall } from "./settings.js";

/** Of so many clusters a list is kept. */
const CLUSTERS_MAX = 20;

/** @typedef {{recall: (key: string) => string | null, keep: (key: string, value: string) => void}} Shelf  where things are kept */

/** @type {Shelf} */
const BROWSER = { recall, keep };

/** @template T @param {string | null} text @param {(item: any) => boolean} isItem @returns {[string, T[]][]} */
function read(text, isItem) {
  try {
    const all = JSON.parse(text ?? "[]");
    return all.filter((/** @type {any} */ one) => typeof one[0] === "string" && one[1].every(isItem));
  } catch {
    return [];
  }
}

/** A list of at most `most` items, as a signal, and what sets and keeps it. @template T @param {{name: string, cluster: string, most: number, isItem: (item: any) => boolean, shelf?: Shelf}} of */
export function keptList({ name, cluster, most, isItem, shelf = BROWSER }) {
  const lists = () => /** @type {[string, T[]][]} */ (read(shelf.recall(name), isItem));
  const list = signal((lists().find(([id]) => id === cluster)?.[1] ?? []).slice(0, most));
  /** @param {T[]} next */
  const set = (next) => {
    list.value = next.slice(0, most);
    const others = lists().filter(([id]) => id !== cluster);
    shelf.keep(name, JSON.stringify([...others, ...(next.length ? [[cluster, list.peek()]] : [])].slice(-CLUSTERS_MAX)));
  };
  return { list, set };
}
