/**
 * What the reader can do: move in time, change the view, ask the cluster for something.
 *
 * Moving back touches only the cursor. Moving forward at the end of a paused cluster's journal asks it for one step,
 * and again until the altitude the reader looks at shows something new; the cursor then stands on that one message,
 * also where a step brought several.
 */
import { batch, effect, signal } from "@preact/signals-core";
import { turned } from "./clock.js";
import { beyond, followed, withRest } from "./following.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./layout.js").Row} Row */
/** @typedef {ReturnType<typeof createActions>} Actions */

const STEPS_MAX = 2000;
/** The server takes a burst and then so many a second; a long way through hidden messages is walked, not run. */
const STEPS_AT_ONCE = 40;
const STEP_MS = 60;
/** So long an answer to an earlier turn of the pace may be under way. */
const ANSWERED_MS = 1000;
export const PACES = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
/** @type {import("./log.js").Layer[]} */
export const LAYERS = ["story", "http", "tls", "tcp"];

/** How much has been let through that a step may end at. @param {import("./layout.js").Plan} plan @param {boolean} beats */
const passed = ({ count, events }, beats) => (beats ? count : events);

/** The seq at which the whole row is on screen. @param {Row} row @param {number} head */
const endOf = (row, head) => Math.min(head, row.members ? row.members[row.members.length - 1] : row.seq);

/** @param {Store} store @param {{send: (frame: import("./socket.js").Frame) => boolean}} wire */
export function createActions(store, wire) {
  const { log, cursor, selected, picture, shown, clock } = store;
  /** How many steps may still be asked for, how much was drawn before, and whether a heartbeat is enough. @type {{left: number, beats: boolean, before: number, rows: number} | null} */
  let stepping = null;

  let asked = { pace: 1, until: -Infinity };
  let stepped = 0;
  /** Does a step take long, since the cluster says nothing but heartbeats? */
  const seeking = signal(false);

  const plan = () => picture.peek().plan;
  /** Is there a cluster whose time is ours to drive? */
  const driven = () => !["ended", "suspended"].includes(store.cluster.peek().state) && store.may("drive");
  /** @param {Row | undefined} row */
  function stand(row) {
    batch(() => {
      const head = log.head.peek();
      const last = row === plan().rows[plan().rows.length - 1];
      cursor.value = row ? (last ? null : endOf(row, head)) : 0;
      selected.value = row ? row.seq : null;
      store.follow.value = true;
      store.hovered.value = null;
    });
  }

  function stepOnce() {
    const frame = { type: "step", ...(stepping?.beats ? {} : { layer: store.altitude.peek() }) };
    if (stepping && stepping.left <= 0) return settle();
    if (!stepping || !wire.send(frame)) stepping = null;
    else {
      stepping.left -= 1;
      stepped += 1;
    }
    seeking.value = stepping !== null && stepping.left < STEPS_MAX - STEPS_AT_ONCE;
  }

  /** Look for no more, and stand at what came last. */
  function settle() {
    stepping = null;
    seeking.value = false;
    const head = log.head.peek();
    batch(() => {
      cursor.value = head;
      const row = plan().rowOf(head);
      selected.value = row?.members ? row.members[row.members.length - 1] : (row?.seq ?? null);
    });
  }

  function stepAgain() {
    if (stepping && stepping.left < STEPS_MAX - STEPS_AT_ONCE) setTimeout(stepOnce, STEP_MS);
    else stepOnce();
  }

  effect(() => {
    const { plan: now } = picture.value;
    if (!stepping) return undefined;
    if (passed(now, stepping.beats) === stepping.before) return stepAgain();
    // What arrives at one instant arrives together: show the first of it, keep the rest for the next steps.
    const { beats } = stepping;
    const row = now.rows.slice(stepping.rows).find(({ rest, members }) => !rest && (beats || !members)) ?? now.rows[now.rows.length - 1];
    stepping = null;
    seeking.value = false;
    batch(() => {
      cursor.value = endOf(row, log.head.peek());
      selected.value = row.members ? cursor.value : row.seq; // of a fold that has grown, what made it grow
    });
    return undefined;
  });

  const actions = {
    /** To the next row; at the end of a paused cluster, to the next event, or with `beats` to the next heartbeat if that comes first. */
    stepForward({ beats = false } = {}) {
      if (seeking.peek()) return settle();
      const next = plan().rows[plan().rowsAt(shown.peek())];
      if (next) return stand(next);
      batch(() => {
        cursor.value = null;
        store.follow.value = true;
      });
      if (clock.peek().paused && !stepping && driven()) {
        const all = beats || !store.foldHeartbeats.peek();
        stepping = { left: STEPS_MAX, beats: all, before: passed(plan(), all), rows: plan().rows.length };
        stepOnce();
      }
    },
    seeking,
    /** How many steps this page has asked for. */
    stepped: () => stepped,
    /** The cluster has refused a step: no more is asked for. */
    endStepping() {
      stepping = null;
      seeking.value = false;
    },
    stepBack() {
      stand(plan().rows[plan().rowsAt(shown.peek()) - 2]);
    },
    toStart() {
      stand(plan().rows[0]);
    },
    toLive() {
      batch(() => {
        cursor.value = null;
        store.follow.value = true;
      });
    },
    /** @param {number} index of a row */
    toRow(index) {
      stand(index < 0 ? undefined : plan().rows[index]);
    },
    /** Show an entry: bring the cursor to it where it lies ahead, look lower where it is not drawn, unfold it from among heartbeats. @param {number} seq */
    reveal(seq) {
      const entry = log.get(seq);
      if (!entry) return;
      batch(() => {
        if (seq > shown.peek()) cursor.value = seq;
        if (LAYERS.indexOf(entry.layer) > LAYERS.indexOf(store.altitude.peek())) store.altitude.value = entry.layer;
        if (entry.heartbeat) store.foldHeartbeats.value = false;
        if (!picture.value.plan.shows(seq)) actions.clearFilters();
        selected.value = seq;
        store.follow.value = false;
      });
    },
    /** Show all around what a query had folded, from this entry on. @param {number} seq */
    unfold(seq) {
      batch(() => {
        selected.value = seq;
        actions.filter("");
      });
    },
    /** Follow what is selected one of the ways there are; a second time, no longer. @param {string} way */
    follow(way) {
      const entry = log.get(selected.peek());
      const query = entry && followed(entry, /** @type {import("./following.js").Way} */ (way));
      if (!query) return false;
      batch(() => {
        actions.filter(store.text.peek() === withRest(query) ? "" : withRest(query));
        store.follow.value = false;
      });
      return true;
    },
    /** Select the next on a path, or the previous one. False where there is none. @param {import("./following.js").Path} path @param {1 | -1} by */
    seek(path, by) {
      const from = selected.peek() ?? shown.peek() + (by < 0 ? 1 : 0);
      const entry = beyond(log.entries, from, path, by, store.altitude.peek());
      if (entry) actions.reveal(entry.seq);
      return entry !== null;
    },
    /** Stand at an entry: nothing after it is shown. @param {number} seq */
    standAt(seq) {
      batch(() => {
        actions.reveal(seq);
        cursor.value = seq;
      });
    },
    /** Stand at an entry, as a link to it says, and open it. @param {number} seq */
    goTo(seq) {
      batch(() => {
        actions.standAt(seq);
        actions.open(seq);
      });
    },
    /** Move the selection among what is drawn. @param {number} by */
    move(by) {
      const { rows } = plan();
      const end = plan().rowsAt(shown.peek());
      if (end === 0) return;
      const seq = selected.peek();
      const at = seq === null ? end : plan().rowsAt(seq) - 1;
      const row = rows[Math.max(0, Math.min(end - 1, at + by))];
      batch(() => {
        selected.value = row.seq;
        if (cursor.peek() === null && row.index < end - 1) store.follow.value = false;
      });
    },
    /** @param {number} seq */
    open(seq) {
      batch(() => {
        selected.value = seq;
        store.drawer.value = true;
        store.front.value = "drawer";
      });
    },
    /** @param {import("./store.js").Tab} tab */
    show(tab) {
      batch(() => {
        if (selected.peek() === null) selected.value = plan().rowOf(shown.peek())?.seq ?? null;
        if (selected.peek() === null) return;
        store.tab.value = tab;
        store.drawer.value = true;
        store.front.value = "drawer";
      });
    },
    close() {
      store.drawer.value = false;
    },
    /** Pause, if time runs and is ours. */
    halt() {
      stepping = null;
      seeking.value = false;
      if (driven() && !clock.peek().paused && wire.send({ type: "pause" })) store.setClock(turned, { paused: true });
    },
    toggleRun() {
      stepping = null;
      seeking.value = false;
      if (!driven()) return;
      const paused = clock.peek().paused;
      if (!wire.send({ type: paused ? "resume" : "pause" })) return;
      store.setClock(turned, { paused: !paused });
      if (paused) actions.toLive();
    },
    /** @param {number} pace */
    setPace(pace) {
      if (!store.may("drive") || !wire.send({ type: "pace", pace })) return;
      asked = { pace, until: performance.now() + ANSWERED_MS };
      store.setClock(turned, { pace });
    },
    /** From what was asked for last: keys may come faster than the cluster's answers. @param {1 | -1} by */
    changePace(by) {
      const pace = performance.now() < asked.until ? asked.pace : (clock.peek().pace ?? 60);
      const next = by > 0 ? PACES.find((p) => p > pace) : PACES.findLast((p) => p < pace);
      if (next) actions.setPace(next);
    },
    /** @param {string} lane */
    toggleParticipant(lane) {
      const next = new Set(store.participants.peek());
      if (!next.delete(lane)) next.add(lane);
      store.participants.value = next;
    },
    /** Show only what this query lets through (query.js); with none, show everything around what is selected. @param {string} text */
    filter(text) {
      batch(() => {
        store.text.value = text;
        if (!store.filtered.value && selected.peek() !== null) store.follow.value = false;
      });
    },
    clearFilters() {
      batch(() => {
        store.participants.value = new Set();
        store.focus.value = new Set();
        actions.filter("");
      });
    },
  };
  return actions;
}
