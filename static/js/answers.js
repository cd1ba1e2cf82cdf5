/**
 * What only the cluster can tell of entries, because their bodies lie there: which of them hold a text, and with which an
 * object came into a state.
 *
 * A question is what is looked for, with its key (`body:nginx`, `state:pod/web-*=ready`). Whoever wants some of them answered says so with `want`;
 * they are asked from the first entry on, a portion at a time, and, once they have caught up, after new entries, at a
 * distance. `found` has the seqs by question: what is drawn is a function of the journal and of them. Seqs are only ever
 * added, so a question's size is the stamp of its answer.
 *
 *     want("filter", ["body:nginx"])     found: Map {"body:nginx" => Set {812, 815}}, behind: false
 */
import { batch, signal } from "@preact/signals-core";

/** @typedef {{question: string, to: number, caught: boolean, full: boolean, seqs: Set<number>}} Slot */
/** @typedef {ReturnType<typeof createAnswers>} Answers */
/** @typedef {ReadonlyMap<string, ReadonlySet<number>>} Found */

const KEPT_MAX = 16;
/** Of a question so many seqs are kept: what is in more entries finds nothing. */
export const SEQS_MAX = 5000;
/** The server takes so many texts at once. */
const AT_ONCE_MAX = 8;
/** Whoever types on does not want what they have typed so far. */
const TYPING_MS = 300;
const LIVE_MS = 500;
const RETRY_MS = 3000;
/** What may be otherwise a moment later: the cluster is busy, or comes back. */
const PASSING = new Set([429, 502, 503, 504]);

/** @param {string} question */
const keyOf = (question) => question.slice(0, question.indexOf(":"));
/** @param {string} question */
const textOf = (question) => question.slice(question.indexOf(":") + 1);

/** The address to ask, of questions with one key. @param {readonly Slot[]} slots */
function addressOf(slots) {
  const since = String(slots[0].to);
  if (keyOf(slots[0].question) === "state") return `state/reached/?${new URLSearchParams({ state: textOf(slots[0].question), since })}`;
  const asked = slots.map(({ question }) => ["text", textOf(question)]);
  return `search/?${new URLSearchParams([...asked, ["since", since]])}`;
}

/**
 * @param {string} url the cluster's address
 * @param {{get?: (address: string) => Promise<Response>, now?: () => number, after?: (ms: number, then: () => void) => any, cancel?: (timer: any) => void}} [world]
 */
export function createAnswers(url, world = {}) {
  const { get = fetch.bind(globalThis), now = () => performance.now() } = world;
  const { after = (ms, then) => setTimeout(then, ms), cancel = clearTimeout } = world;
  /** @type {Map<string, Slot>} */
  const slots = new Map();
  /** @type {Map<string, readonly string[]>} */
  const wants = new Map();
  const found = signal(/** @type {Found} */ (new Map()));
  /** Moved with each answer, whatever it was. */
  const moved = signal(0);
  /** Why something is not answered; "" when nothing is wrong. */
  const problem = signal("");
  let head = 0;
  let isAsking = false;
  let begun = -Infinity;
  /** @type {any} */
  let timer = null;

  const wanted = () => [...new Set([...wants.values()].flat())];

  /** @param {number} ms */
  function wait(ms) {
    if (timer !== null) cancel(timer);
    timer = after(ms, () => {
      timer = null;
      void next();
    });
  }

  /** The slot of a question; the longest unwanted ones make room. @param {string} question */
  function slotOf(question) {
    let slot = slots.get(question);
    if (!slot) {
      slot = { question, to: 0, caught: false, full: false, seqs: new Set() };
      slots.set(question, slot);
      const asked = new Set(wanted());
      for (const old of slots.keys()) if (slots.size > KEPT_MAX && !asked.has(old)) slots.delete(old);
    }
    return slot;
  }

  /** The one door answers with `found`, the other for one state with `seqs`, up to `at`. @param {readonly Slot[]} asked @param {{to: number, head?: number, at?: number, found?: number[][], seqs?: number[]}} answer */
  function take(asked, answer) {
    const { to, head: end = answer.at ?? 0, found: lists = [answer.seqs ?? []] } = answer;
    let isNew = false;
    asked.forEach((slot, i) => {
      for (const seq of lists[i]) {
        slot.full ||= slot.seqs.size >= SEQS_MAX;
        if (slot.full) break;
        isNew ||= !slot.seqs.has(seq);
        slot.seqs.add(seq);
      }
      slot.to = Math.max(slot.to, to);
      slot.caught ||= to >= end;
    });
    batch(() => {
      problem.value = "";
      moved.value += 1;
      if (isNew) found.value = new Map([...slots.values()].map(({ question, seqs }) => [question, seqs]));
    });
  }

  /** @param {string} address */
  async function fetched(address) {
    try {
      const response = await get(url + address);
      const body = await response.json();
      if (response.ok) return { answer: body, message: "", passing: false };
      return { answer: null, message: body.message ?? String(response.status), passing: PASSING.has(response.status) };
    } catch (error) {
      return { answer: null, message: error instanceof Error ? error.message : String(error), passing: true };
    }
  }

  /** @returns {Promise<void>} */
  async function next() {
    if (isAsking || timer !== null) return;
    const behind = wanted()
      .map(slotOf)
      .filter(({ to, full }) => to < head && !full);
    const first = behind.find(({ caught }) => !caught) ?? behind[0];
    if (!first) return;
    const rest = first.caught ? begun + LIVE_MS - now() : 0;
    if (rest > 0) return wait(rest);
    const key = keyOf(first.question);
    const asked = behind
      .filter(({ question, to }) => to === first.to && keyOf(question) === key)
      .slice(0, key === "state" ? 1 : AT_ONCE_MAX);
    const since = first.to;
    isAsking = true;
    begun = now();
    const { answer, message, passing } = await fetched(addressOf(asked));
    isAsking = false;
    if (answer) take(asked, answer);
    else
      batch(() => {
        problem.value = message;
        moved.value += 1;
      });
    // A cluster that comes back may not have come as far again as the page has.
    if (answer ? first.to === since : passing) return wait(RETRY_MS);
    return answer ? next() : undefined;
  }

  return {
    found,
    moved,
    problem,
    /** Have these answered from now on, and no longer what the same one has wanted before. @param {string} who @param {readonly string[]} questions */
    want(who, questions) {
      if (JSON.stringify(wants.get(who) ?? []) === JSON.stringify(questions)) return;
      wants.set(who, questions);
      problem.value = "";
      if (questions.some((question) => !slots.has(question))) wait(TYPING_MS);
      else void next();
    },
    /** The journal has come this far. @param {number} seq */
    reach(seq) {
      head = seq;
      if (!problem.peek()) void next();
    },
    /** Up to which entry all of these are answered. @param {readonly string[]} questions */
    to: (questions) => Math.min(...questions.map((question) => (slots.get(question)?.full ? Infinity : (slots.get(question)?.to ?? 0)))),
    /** Has one of these not caught up with the journal yet? @param {readonly string[]} questions */
    behind: (questions) => questions.some((question) => !slots.get(question)?.caught && !slots.get(question)?.full),
    /** Those that are in too many entries. @param {readonly string[]} questions */
    full: (questions) => questions.filter((question) => slots.get(question)?.full).map(textOf),
  };
}
