/**
 * A run in a frame on another site: it begins and ends where its address says, is played step by step, and says where it
 * stands.
 *
 * Who reads moves in what is there already: a step never asks the cluster for anything.
 */
import { computed, effect, signal } from "@preact/signals-core";
import { takeAddress, whenThere } from "../sharing/address.js";
import { createListener, originOf } from "./protocol.js";

const PLAY_MS = 1000;
/** What is said of one's place is said once a moment, however often it changed. */
const SAID_EVERY_MS = 50;

/** @typedef {ReturnType<typeof createFrame>} Frame */

/** @param {{store: import("../store.js").Store, actions: import("../actions.js").Actions, place: import("../sharing/address.js").Place}} parts */
export function createFrame({ store, actions, place }) {
  const { from, to } = place;
  const every = signal(/** @type {number | null} */ (null));
  const ready = signal(false);
  const first = from ?? 0;
  const last = computed(() => Math.min(to ?? Number.POSITIVE_INFINITY, store.log.head.value));
  const plan = () => store.picture.value.plan;
  const within = (/** @type {import("../layout.js").Row | undefined} */ row) =>
    row && row.seq >= first && row.seq <= last.value ? row : undefined;
  /** The next row, and the one before, where the frame's bounds leave one. */
  const next = computed(() => within(plan().rows[plan().rowsAt(store.shown.value)]));
  const before = computed(() => within(plan().rows[plan().rowsAt(store.shown.value) - 2]));

  // Whatever moves the cursor, keys and the diagram too, it stays within the frame's bounds.
  effect(() => {
    const cursor = store.cursor.value;
    if (!ready.value) return;
    if (to !== null && (cursor === null || cursor > to) && store.log.head.value >= to) store.cursor.value = to;
    else if (cursor !== null && cursor < first) store.cursor.value = first;
  });
  takeAddress(store, { ...place, at: place.at ?? from ?? (to === null ? null : 1) });
  whenThere(store, Math.max(place.at ?? first, place.entry ?? 1, 1), () => {
    ready.value = true;
  });

  const frame = {
    ready,
    next,
    before,
    playing: computed(() => every.value !== null),
    /** @param {1 | -1} by */
    step(by) {
      if (by > 0 && next.peek()) actions.stepForward();
      if (by < 0 && before.peek()) actions.stepBack();
    },
    /** @param {number} seq */
    goTo(seq) {
      const bounded = Math.min(Math.max(seq, first, 1), last.peek());
      if (bounded > 0) actions.standAt(bounded);
    },
    /** @param {number} [everyMs] a step so often */
    play(everyMs = PLAY_MS) {
      every.value = everyMs;
    },
    pause() {
      every.value = null;
    },
    /** Where it stands, as others are told. */
    position: computed(() => {
      const seq = plan().rowOf(store.shown.value)?.seq ?? 0;
      return { at: store.shown.value, seq, atStart: !before.value, atEnd: !next.value, playing: every.value !== null };
    }),
  };

  effect(() => {
    const ms = every.value;
    if (ms === null) return undefined;
    const timer = setInterval(() => (next.peek() ? frame.step(1) : frame.pause()), ms);
    return () => clearInterval(timer);
  });
  return frame;
}

/** Hear the page that holds this one, and tell it where the run stands. @param {Frame} frame @param {import("../app.js").App} app @param {Window} [page] */
export function speak(frame, { store, strings }, page = window) {
  const origin = originOf(page.location.search);
  if (page.parent === page || origin === null) return;
  const deeds = { step: frame.step, goTo: frame.goTo, play: frame.play, pause: frame.pause };
  page.addEventListener("message", createListener({ deeds, parent: page.parent, origin }));
  let waiting = false;
  let saidReady = false;
  const tell = () => {
    waiting = false;
    const position = frame.position.peek();
    const entry = store.log.get(position.seq);
    const told = { ...position, head: store.log.head.peek(), text: entry ? strings.say(entry) : "" };
    page.parent.postMessage({ type: saidReady ? "glassplane:position" : "glassplane:ready", version: 1, ...told }, origin);
    saidReady = true;
  };
  effect(() => {
    void frame.position.value;
    if (!frame.ready.value || waiting) return;
    waiting = true;
    setTimeout(tell, SAID_EVERY_MS);
  });
}
