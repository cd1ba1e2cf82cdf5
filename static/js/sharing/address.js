/**
 * How a run is to be seen, as the address of a link to it says: where the reader stands, what is open, how much of the
 * wire is drawn, what is filtered, in which language; and for a frame on another site its theme, and where it begins
 * and ends.
 *
 *     ?at=812&entry=640&view=http&find=kind%3Ahttp.request&lang=de
 *
 * What an address says that is not understood is as if it were not there.
 */
import { batch } from "@preact/signals-core";
import { LAYERS } from "../actions.js";

/** @typedef {{at: number | null, entry: number | null, view: import("../log.js").Layer | null, find: string, lanes: string[], heartbeats: boolean, from: number | null, to: number | null}} Place */
/** @typedef {import("../store.js").Store} Store */

const TEXT_MAX = 256;
const LANES_MAX = 64;

/** @param {string} search a query string @returns {Place} */
export function readAddress(search) {
  const asked = new URLSearchParams(search);
  const seq = (/** @type {string} */ name) => (/^[1-9]\d{0,14}$/.test(asked.get(name) ?? "") ? Number(asked.get(name)) : null);
  return {
    at: seq("at"),
    entry: seq("entry"),
    view: LAYERS.find((layer) => layer === asked.get("view")) ?? null,
    find: (asked.get("find") ?? "").slice(0, TEXT_MAX),
    lanes: asked.getAll("lane").slice(0, LANES_MAX),
    heartbeats: asked.has("heartbeats"),
    from: seq("from"),
    to: seq("to"),
  };
}

/** What leads others to where the reader stands, and has them see it the same way. @param {Store} store @param {string} language */
export function addressOf(store, language) {
  const said = new URLSearchParams();
  const cursor = store.cursor.value;
  if (cursor !== null) said.set("at", String(cursor));
  if (store.drawer.value && store.selected.value !== null) said.set("entry", String(store.selected.value));
  if (store.altitude.value !== "story") said.set("view", store.altitude.value);
  if (store.text.value) said.set("find", store.text.value.slice(0, TEXT_MAX));
  for (const lane of [...store.participants.value].slice(0, LANES_MAX)) said.append("lane", lane);
  if (!store.foldHeartbeats.value) said.set("heartbeats", "1");
  said.set("lang", language);
  return `?${said}`;
}

/** See a run as an address says, and stand where it says once the journal is there. @param {Store} store @param {Place} place */
export function takeAddress(store, { at, entry, view, find, lanes, heartbeats }) {
  batch(() => {
    if (view) store.altitude.value = view;
    if (find) store.text.value = find;
    if (lanes.length) store.participants.value = new Set(lanes);
    if (heartbeats) store.foldHeartbeats.value = false;
  });
  const needed = Math.max(at ?? 0, entry ?? 0);
  if (needed) whenThere(store, needed, () => stand(store, at, entry));
}

/** @param {Store} store @param {number | null} at @param {number | null} entry */
function stand(store, at, entry) {
  batch(() => {
    store.cursor.value = at;
    store.selected.value = entry ?? at;
    store.follow.value = true;
    if (entry === null) return;
    store.follow.value = false;
    store.drawer.value = true;
    store.front.value = "drawer";
  });
}

/** Once the journal has come so far, or as far as it goes. @param {Store} store @param {number} seq @param {() => void} then */
export function whenThere(store, seq, then) {
  let done = false;
  const stop = store.log.head.subscribe((head) => {
    const known = store.expected.peek();
    if (done || (head < seq && (known === 0 || head < known))) return;
    done = true;
    queueMicrotask(() => {
      stop();
      then();
    });
  });
}
