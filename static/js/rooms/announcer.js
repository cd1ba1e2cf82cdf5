/**
 * Says news politely: what comes in quick succession is gathered and said once.
 *
 * A screen reader reads a live region whole whenever it changes; with forty learners a line for each event would never
 * end. So a first piece of news waits a moment for its like, and the next word comes only after a pause.
 */
import { signal } from "@preact/signals-core";
import { digest } from "./board.js";

/** @typedef {import("./board.js").News} News */

const GATHER_MS = 1200;
const PAUSE_MS = 4000;
const NAMES_MAX = 3;

/** @param {{t: (key: string, values?: Record<string, any>) => string, now?: () => number}} options */
export function createAnnouncer({ t, now = () => Date.now() }) {
  const text = signal("");
  /** @type {News[]} */
  let gathered = [];
  let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  let spokeAt = -Infinity;

  function speak() {
    timer = undefined;
    spokeAt = now();
    text.value = digest(gathered)
      .map((news) => sentence(news, t))
      .join(" ");
    gathered = [];
  }

  return {
    /** What the live region holds. */
    text,
    /** @param {News[]} news */
    hear(news) {
      if (!news.length) return;
      gathered = digest([...gathered, ...news]);
      timer ??= setTimeout(speak, Math.max(GATHER_MS, spokeAt + PAUSE_MS - now()));
    },
    stop: () => clearTimeout(timer),
  };
}

/** @param {News} news @param {(key: string, values?: Record<string, any>) => string} t */
export function sentence({ kind, names }, t) {
  const count = names.length;
  return count > NAMES_MAX ? t(`room.news.${kind}.many`, { count }) : t(`room.news.${kind}`, { count, names: names.join(", ") });
}
