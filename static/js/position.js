/**
 * Where a reader stands in a cluster and how they look at it, as a value: others can be taken there (rooms), the
 * browser's Back leads there again and a page that is loaded anew finds it (trail.js).
 */
import { batch } from "@preact/signals-core";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {{cluster: string, cursor: number | null, altitude: import("./log.js").Layer, selected: number | null, drawer: boolean, tab: string, beat: string | null, focus: string[] | null, participants: string[] | null, text: string, heartbeats: boolean}} Position */

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
    if (tab) store.tab.value = /** @type {import("./store.js").Tab} */ (tab);
    store.drawer.value = drawer;
    // What is open stays in view; else the end of what is shown does.
    store.follow.value = cursor === null ? !(drawer && selected !== null) : selected === null;
  });
}
