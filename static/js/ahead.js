/**
 * What is done with entries ahead, in moments when the browser has nothing else to do: a slice at a time, as they come.
 *
 * Each is said. Plain words are looked for in what entries say, and to say an entry takes longer than all else: of a long journal the
 * first word would take seconds. Entries never change and each is said once (strings.js), so they are said here; the first
 * hundred thousand, for what is kept of each takes some 140 bytes.
 *
 * Their texts are shared. Each entry is decoded by itself, with a copy of its own of "control-plane/kube-apiserver" and of
 * what else nearly all of them say: more than half of the memory that a long journal takes.
 */
import { effect } from "@preact/signals-core";

/** @typedef {import("./log.js").Entry} Entry */

export const AHEAD_MAX = 100_000;
/** So many between two looks at the clock. */
const AT_ONCE = 32;
/** What of an idle moment is left to the browser. */
const SPARED_MS = 2;
const FALLBACK_MS = 60;

/** @typedef {(work: (left: () => number) => void) => unknown} Idle  calls `work` in an idle moment, which may ask how many milliseconds are left of it */

/** Safari has no idle callbacks: there a little time is taken now and then. @type {Idle} */
export const idly = (work) =>
  "requestIdleCallback" in globalThis
    ? requestIdleCallback((deadline) => work(() => deadline.timeRemaining()))
    : setTimeout(() => {
        const end = performance.now() + 2 * SPARED_MS;
        work(() => end - performance.now());
      }, FALLBACK_MS);

/** Do something with each entry that has come, and that comes. Returns how to do it all over again. @param {{entries: readonly Entry[], head: {readonly value: number}}} log @param {(entry: Entry) => void} work @param {Idle} idle @param {number} [most] only with the first of them */
function withEach(log, work, idle, most = Infinity) {
  let done = 0;
  let waits = false;
  const end = () => Math.min(most, log.entries.length);

  /** @param {() => number} left */
  function slice(left) {
    waits = false;
    while (done < end() && left() > SPARED_MS) for (let n = 0; n < AT_ONCE && done < end(); n += 1, done += 1) work(log.entries[done]);
    again();
  }

  function again() {
    if (waits || done >= end()) return;
    waits = true;
    idle(slice);
  }

  effect(() => {
    void log.head.value;
    again();
  });
  return () => {
    done = 0;
    again();
  };
}

/** Say what has come, and what comes; in another language all over again. @param {{log: import("./log.js").Log, strings: Pick<import("./strings.js").Strings, "say" | "language">, idle?: Idle}} parts */
export function sayAhead({ log, strings, idle = idly }) {
  const anew = withEach(log, strings.say, idle, AHEAD_MAX);
  effect(() => {
    void strings.language.value;
    anew();
  });
}

/** Have entries share the texts that they have in common. @param {{log: import("./log.js").Log, idle?: Idle}} parts */
export function shareTexts({ log, idle = idly }) {
  /** @type {Map<string, string>} */
  const texts = new Map();
  /** @param {Record<string, any>} holder */
  const share = (holder) => {
    for (const [name, value] of Object.entries(holder)) {
      if (typeof value !== "string") continue;
      const known = texts.get(value);
      if (known === undefined) texts.set(value, value);
      else holder[name] = known;
    }
  };
  withEach(
    log,
    (entry) => {
      share(entry);
      share(entry.fields);
    },
    idle,
  );
}
