/**
 * Breaking a cluster from its page: what is asked of the server, what it answered, what is broken now. No DOM.
 *
 * Whether a fault began or is over is told by the journal alone; the server's own answers only say that a request was
 * taken, or why it was not.
 */
import { effect, signal } from "@preact/signals-core";

/** What is broken. A sealed fault says only that it is there. @typedef {{id: string, name: string | null, target: string | null, sealed: boolean, seq: number, at: number}} Active */
/** @typedef {ReturnType<typeof createBreaking>} Breaking */

const ANSWER_MS = 8000;

/**
 * @param {{store: import("./store.js").Store, send: (frame: import("./connection.js").Frame) => boolean, newId: () => string, t: (key: string) => string,
 *   hidden?: boolean, get?: typeof fetch}} parts  `hidden`: faults of which nobody is to know are not listed
 */
export function createBreaking({ store, send, newId, t, hidden = false, get = (...request) => fetch(...request) }) {
  const active = signal(/** @type {Active[]} */ ([]));
  const faults = signal(/** @type {import("./faults.js").Fault[] | null} */ (null));
  const failure = signal("");
  const healing = signal(/** @type {ReadonlySet<string>} */ (new Set()));
  /** @type {Map<string, (message: string | null) => void>} */
  const asked = new Map();
  const heard = new ActiveFaults();
  effect(() => {
    if (store.log.head.value < heard.seq || !heard.extend(store.log.entries)) return;
    active.value = heard.list.filter((one) => !hidden || !one.sealed);
    healing.value = new Set([...healing.peek()].filter((id) => heard.byId.has(id)));
  });

  /** Ask, and wait for the answer. @param {Record<string, any>} frame @returns {Promise<string | null>} what the server said against it */
  function ask(frame) {
    const id = newId();
    if (!send({ ...frame, type: frame.type, id })) return Promise.resolve(t("fault.offline"));
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer(id, t("fault.silent")), ANSWER_MS);
      asked.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
    });
  }

  /** @param {string} id @param {string | null} message */
  function answer(id, message) {
    const resolve = asked.get(id);
    asked.delete(id);
    resolve?.(message);
    return resolve !== undefined;
  }

  return {
    active,
    faults,
    failure,
    healing,
    /** Fetch what can be broken, once. */
    async load() {
      if (faults.peek()) return;
      failure.value = "";
      try {
        const response = await get("/faults/");
        if (!response.ok) throw new Error(String(response.status));
        const answered = await response.json();
        faults.value = Array.isArray(answered) ? answered : answered.faults;
      } catch (error) {
        failure.value = error instanceof Error ? error.message : String(error);
      }
    },
    /** @param {Record<string, any>} fault a record @returns {Promise<string | null>} */
    inject: (fault) => ask({ type: "inject", fault }),
    /** Put one right, or all. @param {string} [fault] its id @returns {Promise<string | null>} */
    async heal(fault) {
      const ids = fault ? [fault] : heard.list.map((one) => one.id);
      healing.value = new Set([...healing.peek(), ...ids]);
      const message = await ask(fault ? { type: "heal", fault } : { type: "heal" });
      if (message) healing.value = new Set([...healing.peek()].filter((id) => !ids.includes(id)));
      return message;
    },
    /** @param {import("./connection.js").Frame} frame @returns {boolean} whether it was an answer to something asked here */
    hear(frame) {
      if (!["injected", "healed", "error"].includes(frame.type) || !frame.id) return false;
      return answer(frame.id, frame.type === "error" ? frame.message : null);
    },
  };
}

/** Faults that have begun and are not over, in the order in which they began; heard entry by entry. */
export class ActiveFaults {
  constructor() {
    /** @type {Map<string, Active>} */
    this.byId = new Map();
    this.seq = 0;
  }

  /** Look at what is new. True when something began or ended. @param {readonly import("./log.js").Entry[]} entries */
  extend(entries) {
    let moved = false;
    for (; this.seq < entries.length; this.seq += 1) moved = this.hear(entries[this.seq]) || moved;
    return moved;
  }

  /** @param {import("./log.js").Entry} entry */
  hear({ kind, fields, seq, at }) {
    if (kind === "fault.started")
      this.byId.set(fields.id, {
        id: fields.id,
        name: fields.sealed ? null : fields.name,
        target: fields.target ?? null,
        sealed: Boolean(fields.sealed),
        seq,
        at,
      });
    else if (kind === "fault.ended") this.byId.delete(fields.id);
    else return false;
    return true;
  }

  get list() {
    return [...this.byId.values()];
  }
}
