/**
 * Taking others along: where a reader stands is said while leading, and taken while following.
 *
 * Saying is coalesced: at most one position an animation frame and twenty a second, always ending with the last.
 */
import { effect } from "@preact/signals-core";
import { positionOf, takePosition } from "../position.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../position.js").Position} Position */

export const SAY_EVERY_MS = 50;

/**
 * Say where this reader stands whenever it changes, as long as `on()` holds. Returns what ends it.
 * @param {{store: Store, on: () => boolean, say: (position: Position) => void, frame?: (then: () => void) => unknown, now?: () => number}} options
 */
export function sayPositions({ store, on, say, frame = (then) => requestAnimationFrame(then), now = () => performance.now() }) {
  /** @type {Position | null} */
  let waiting = null;
  let saidAt = -Infinity;
  const flush = () => {
    if (!waiting) return;
    if (now() - saidAt < SAY_EVERY_MS) {
      frame(flush);
      return;
    }
    saidAt = now();
    const position = waiting;
    waiting = null;
    say(position);
  };
  return effect(() => {
    const position = positionOf(store);
    if (!on()) {
      waiting = null;
      return;
    }
    const asked = waiting !== null;
    waiting = position;
    if (!asked) frame(flush);
  });
}

/**
 * Go where `position()` says, each time it changes, once the journal has come that far. A place in another cluster (one
 * that was there before a reset) is none here. Returns what ends it.
 * @param {{store: Store, position: () => Position | null}} options
 */
export function takePositions({ store, position }) {
  /** @type {Position | null} */
  let taken = null;
  return effect(() => {
    const next = position();
    if (!next || next === taken || next.cluster !== store.cluster.value.id || store.log.head.value < (next.selected ?? 0)) return;
    taken = next;
    takePosition(store, next);
  });
}
