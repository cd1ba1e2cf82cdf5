/**
 * Breakpoints: queries (query.js) at which the reader wants to stand still.
 *
 * The engine is told what it can look for itself, and stops time at that very entry (armed.js). Every entry that arrives is
 * tested here too, once: at the first that one lets through the page stands, and asks the cluster to pause where it has
 * not. It has gone on meanwhile then, by what was under way to the page: that is said, and lies ahead of the cursor. In the past, running on and back is going to the next and the previous entry that one lets through.
 *
 * What a breakpoint asks of bodies and of states the engine stops at too, and the page learns from the cluster which entry
 * it was (answers.js): it stands there when that is answered. Words are looked for in what is said only.
 *
 * `once` stands still at the first message of a command that is about to be typed, `until` at the first entry that a test
 * lets through: the end of a conversation that was stepped over before it had come. Each is over then.
 */
import { effect, signal } from "@preact/signals-core";
import { armed, armedBodies, armedStates } from "./armed.js";
import { keptList } from "./kept.js";
import { isHeld } from "./log.js";
import { compile, parse, questionsOf } from "./query.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {{text: string, on: boolean}} Point */
/** @typedef {ReturnType<typeof createBreakpoints>} Breakpoints */

export const POINTS_MAX = 16;
/** The engine takes so many descriptions. */
const STOPS_MAX = 32;
/** Those that everybody wants. */
export const SUGGESTED = [
  "resource:pods/binding verb:create",
  "state:pod/*=Ready",
  "state:node/*=NotReady",
  "status:4xx",
  "has:error",
  "has:fault",
  "has:command",
];

/** @param {{store: import("./store.js").Store, actions: import("./actions.js").Actions, say?: (entry: Entry) => string, shelf?: import("./kept.js").Shelf, send?: (frame: import("./socket.js").Frame) => unknown, answers?: import("./answers.js").Answers | null}} parts */
export function createBreakpoints({ store, actions, say, shelf, send = () => false, answers = null }) {
  const { log } = store;
  const isItem = (/** @type {any} */ point) => typeof point.text === "string" && typeof point.on === "boolean";
  const kept = keptList({ name: "breakpoints", cluster: store.cluster.peek().id, most: POINTS_MAX, isItem, shelf });
  const points = /** @type {import("@preact/signals-core").Signal<Point[]>} */ (kept.list);
  /** Where time was last stopped, and by which; by none where the end of a step was waited for. @type {import("@preact/signals-core").Signal<{seq: number, text: string | null} | null>} */
  const stopped = signal(null);
  /** @typedef {{questions: string[], found: import("./answers.js").Found | undefined, test: import("./query.js").Test | null}} Compiled */
  /** @type {Map<string, Compiled>} */
  const compiled = new Map();
  /** Of breakpoints that wait for answers: up to which entry they were tested. @type {Map<string, number>} */
  const answered = new Map();
  /** The line of a command that is to be stood still at, then the seq at which it began. @type {string | number | null} */
  let once = null;
  /** @type {import("./query.js").Test | null} */
  let until = null;
  let looked = 0;

  /** A breakpoint as a test, made anew when more is found in bodies. @param {Point} point @returns {Compiled} */
  function compiledOf({ text }) {
    const known = compiled.get(text);
    const found = answers?.found.peek();
    if (known && (known.questions.length === 0 || known.found === found)) return known;
    const query = parse(text);
    const questions = questionsOf(query, { words: false });
    const its = new Map(questions.map((question) => [question, found?.get(question) ?? new Set()]));
    const made = { questions, found, test: compile(query, { entries: log.entries, say, answers: its }) };
    compiled.set(text, made);
    return made;
  }

  /** The text of the breakpoint that lets an entry through. @param {Entry} entry @param {(point: Compiled) => boolean} [among] */
  function holding(entry, among = () => true) {
    if (entry.fields.sealed) return null;
    for (const point of points.peek()) {
      const its = compiledOf(point);
      if (point.on && among(its) && its.test?.(entry)) return point.text;
    }
    return null;
  }

  /** @param {Entry} entry */
  function isFirstMessage(entry) {
    if (typeof once === "string") {
      if (entry.kind === "command.started" && entry.fields.line === once) once = entry.seq;
      return false;
    }
    return (
      once !== null &&
      entry.to !== null &&
      entry.layer === "story" &&
      Boolean(compile(parse(`cause:${once}`), { entries: log.entries })?.(entry))
    );
  }

  /** How many steps had been asked for while time last ran: what comes after a step was asked for, not run into. */
  let stepped = 0;
  /** Has one stopped time since it last ran? What was under way then is not looked at any more. */
  let halted = false;
  effect(() => {
    if (store.clock.value.paused) return;
    stepped = actions.stepped();
    halted = false;
  });

  effect(() => {
    const head = log.head.value;
    const from = Math.max(looked, store.expected.value);
    looked = head;
    // Who may not stop time is moved once, and not again while they stand in the past.
    if (store.cursor.peek() !== null && !store.may("drive")) return;
    if (store.loading.value || halted || actions.stepped() > stepped) return;
    if (points.peek().length === 0 && once === null && until === null) return;
    for (const entry of log.entries.slice(from, head)) {
      const first = isFirstMessage(entry);
      if (first) once = null;
      const over = !first && until?.(entry);
      if (over) until = null;
      const text = first ? "" : over ? null : holding(entry, ({ questions }) => questions.length === 0);
      if (text === null && !over) continue;
      // Not within the effect: what it writes must not be what it depends on.
      queueMicrotask(() => stop(entry.seq, text));
      return;
    }
  });

  effect(() => {
    const asking = points.value.filter(({ on }) => on).flatMap((point) => compiledOf(point).questions);
    answers?.want("breakpoints", [...new Set(asking)].sort());
  });

  // What waits for answers: from the time on when it was set, as far as it is answered.
  effect(() => {
    void answers?.moved.value;
    if (store.loading.value) return;
    const quiet = halted || actions.stepped() > stepped || (store.cursor.peek() !== null && !store.may("drive"));
    for (const point of points.value.filter(({ on }) => on)) {
      const { questions, test } = compiledOf(point);
      if (questions.length === 0) continue;
      const from = answered.get(point.text) ?? log.head.peek();
      const to = Math.min(log.head.peek(), Math.max(from, answers?.to(questions) ?? 0));
      answered.set(point.text, to);
      const first = quiet ? undefined : log.entries.slice(from, to).find((entry) => test?.(entry) && !entry.fields.sealed);
      if (!first) continue;
      queueMicrotask(() => stop(first.seq, point.text));
      return;
    }
  });

  /** What the engine was last told. */
  let told = "";
  effect(() => {
    const { state, life } = store.cluster.value;
    const up = store.connection.value.state === "open" && state === "running" && store.may("drive");
    const on = points.value.filter((point) => point.on);
    const entries = on.flatMap(({ text }) => armed(text)).slice(0, STOPS_MAX);
    const bodies = on.flatMap(({ text }) => armedBodies(text)).slice(0, STOPS_MAX);
    const states = on.flatMap(({ text }) => armedStates(text));
    const next = `${life} ${JSON.stringify([entries, bodies, states])}`;
    if (!up) told = ""; // a page that comes back is another one to the cluster
    if (!up || next === told || (entries.length + bodies.length + states.length === 0 && told === "")) return;
    told = next;
    send({ type: "stops", entries, ...(bodies.length > 0 && { bodies }), ...(states.length > 0 && { states }) });
  });

  /** @param {number} seq @param {string | null} text */
  function stop(seq, text) {
    until = null;
    actions.halt();
    halted = store.clock.peek().paused;
    actions.standAt(seq);
    stopped.value = { seq, text };
  }

  function goOn() {
    actions.toLive();
    if (store.clock.peek().paused) actions.toggleRun();
    return true;
  }

  /** @param {Point[]} next */
  function set(next) {
    compiled.clear();
    for (const text of answered.keys()) if (!next.some((point) => point.on && point.text === text)) answered.delete(text);
    kept.set(next);
  }

  return {
    points,
    stopped,
    /** Stop here from now on. False where the line asks nothing, or there are too many. @param {string} line */
    add(line) {
      const text = line.trim();
      if (parse(text).terms.length === 0 || points.peek().length >= POINTS_MAX) return false;
      set([...points.peek().filter((point) => point.text !== text), { text, on: true }]);
      return true;
    },
    /** @param {string} text */
    remove: (text) => set(points.peek().filter((point) => point.text !== text)),
    /** @param {string} text */
    toggle: (text) => set(points.peek().map((point) => (point.text === text ? { text, on: !point.on } : point))),
    /** Go on, or back, until one holds: among what has happened, else, going on, with the cluster. False where there is nothing to go to. @param {1 | -1} by */
    run(by) {
      const at = store.shown.peek();
      for (let i = at - 1 + by; i >= 0 && i < log.entries.length; i += by) {
        const text = isHeld(log.entries[i]) ? holding(log.entries[i]) : null;
        if (text === null) continue;
        actions.standAt(log.entries[i].seq);
        stopped.value = { seq: log.entries[i].seq, text };
        return true;
      }
      return by > 0 && points.peek().some(({ on }) => on) && goOn();
    },
    /** Go on with the cluster until an entry comes that a test lets through. False where its time is not ours. @param {import("./query.js").Test} test */
    runUntil(test) {
      if (!store.may("drive") || store.cluster.peek().state === "ended") return false;
      until = test;
      return goOn();
    },
    /** Stand still at the first message of this line, which is about to be typed. @param {string} line */
    stopOnce(line) {
      once = line;
    },
  };
}
