/**
 * Where a reader stands in a cluster, as others can be taken there: said while leading, taken while following.
 *
 * Saying is coalesced: at most one position an animation frame and twenty a second, always ending with the last.
 */
import { batch, effect } from "@preact/signals-core";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("./live.js").Position} Position */

export const SAY_EVERY_MS = 50;
const LANES_MAX = 64;
const TEXT_MAX = 256;

/** @param {ReadonlySet<string>} chosen */
const lanes = (chosen) => (chosen.size ? [...chosen].slice(0, LANES_MAX) : null);

/** @param {Store} store @returns {Position} */
export function positionOf(store) {
  return {
    cluster: store.cluster.value.id,
    cursor: store.cursor.value,
    altitude: store.altitude.value,
    selected: store.selected.value,
    drawer: store.drawer.value,
    tab: store.tab.value,
    beat: null,
    focus: lanes(store.focus.value),
    participants: lanes(store.participants.value),
    text: store.text.value.slice(0, TEXT_MAX),
    heartbeats: !store.foldHeartbeats.value,
  };
}

/** Choose lanes, and leave them alone where they are chosen already: another set is another picture. @param {import("@preact/signals-core").Signal<ReadonlySet<string>>} lanes @param {string[]} chosen */
function choose(lanes, chosen) {
  const now = lanes.peek();
  if (now.size !== chosen.length || !chosen.every((lane) => now.has(lane))) lanes.value = new Set(chosen);
}

/** Stand where a position says, and see it the same way. @param {Store} store @param {Position} position */
export function takePosition(store, { cursor, altitude, selected, drawer, tab, focus, participants, text, heartbeats }) {
  batch(() => {
    store.altitude.value = altitude;
    choose(store.focus, focus ?? []);
    choose(store.participants, participants ?? []);
    store.text.value = text;
    store.foldHeartbeats.value = !heartbeats;
    store.cursor.value = cursor;
    store.selected.value = selected;
    if (tab) store.tab.value = /** @type {import("../store.js").Tab} */ (tab);
    store.drawer.value = drawer;
    // What is open stays in view; else the end of what is shown does.
    store.follow.value = cursor === null ? !(drawer && selected !== null) : selected === null;
  });
}

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
