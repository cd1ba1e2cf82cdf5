/**
 * What the page asks the server about the state at the cursor.
 *
 * A step never waits for it: whoever wants to know says so with `ask` and goes on. One question is under way at a time,
 * and of what is wanted meanwhile only the newest is asked. At the live end, where something new is wanted all the time,
 * questions keep a distance. What happened stays as it was, so answers are kept: stepping back to one shows it at once.
 *
 * An answer says of which entry it is; whether that is where the cursor stands by now, the reader of it must look.
 */
import { batch, signal } from "@preact/signals-core";
import { share } from "./changes.js";

/** @typedef {{query: string, at: number, live: boolean}} Question */
/** `before`: the answer to the same question that was shown before this one. @typedef {{query: string, at: number, data: any, before: {at: number, data: any} | null}} Answer */

const KEPT_MAX = 40;
/** Between the beginnings of two questions at the live end. */
const LIVE_MS = 400;
const RETRY_MS = 3000;
/** What may be otherwise a moment later: the cluster is busy, or comes back. */
const PASSING = new Set([410, 429, 502, 503, 504]);
/** @type {Answer} */
const NONE = { query: "", at: 0, data: null, before: null };

/** The question of a view, with what it is asked about. @param {string} view @param {Record<string, string>} [about] */
export const queryOf = (view, about = {}) => `${view}/?${new URLSearchParams(about)}`;

/**
 * @param {string} url
 * @param {{get?: (address: string) => Promise<Response>, now?: () => number, after?: (ms: number, then: () => void) => any, cancel?: (timer: any) => void}} [world]
 */
export function createQuestions(url, world = {}) {
  const { get = fetch.bind(globalThis), now = () => performance.now() } = world;
  const { after = (ms, then) => setTimeout(then, ms), cancel = clearTimeout } = world;
  /** @type {Map<string, any>} */
  const kept = new Map();
  const answer = signal(NONE);
  /** Why what is wanted could not be fetched; "" when nothing is wrong. */
  const problem = signal("");
  /** @type {Question | null} */
  let wanted = null;
  let isAsking = false;
  let begun = -Infinity;
  /** @type {any} */
  let timer = null;

  const keyOf = (/** @type {Question} */ { query, at }) => `${query} ${at}`;
  const isShown = (/** @type {Question} */ { query, at }) => answer.peek().query === query && answer.peek().at === at;

  /** @param {Question} question @param {any} data */
  function show({ query, at }, data) {
    const last = answer.peek();
    const same = last.query === query;
    batch(() => {
      problem.value = "";
      answer.value = {
        query,
        at,
        data: same ? share(last.data, data) : data,
        before: same ? { at: last.at, data: last.data } : null,
      };
    });
  }

  /** @param {number} ms */
  function wait(ms) {
    timer = after(ms, () => {
      timer = null;
      void next();
    });
  }

  /** @param {Question} question */
  async function fetched({ query, at }) {
    try {
      const response = await get(`${url}${query}${query.endsWith("?") ? "" : "&"}at=${at}`);
      const body = await response.json();
      if (response.ok) return { data: body, message: "", passing: false };
      return { data: null, message: body.message ?? String(response.status), passing: PASSING.has(response.status) };
    } catch (error) {
      return { data: null, message: error instanceof Error ? error.message : String(error), passing: true };
    }
  }

  async function next() {
    if (isAsking || timer !== null || !wanted || kept.has(keyOf(wanted))) return;
    const rest = wanted.live ? begun + LIVE_MS - now() : 0;
    if (rest > 0) {
      wait(rest);
      return;
    }
    const question = wanted;
    isAsking = true;
    begun = now();
    const { data, message, passing } = await fetched(question);
    isAsking = false;
    if (data) {
      kept.set(keyOf(question), data);
      if (kept.size > KEPT_MAX) kept.delete(/** @type {string} */ (kept.keys().next().value));
      if (wanted?.query === question.query && !isShown(wanted)) show(question, data);
    } else if (wanted?.query === question.query) {
      problem.value = message;
      if (passing) wait(RETRY_MS);
      else if (wanted === question) wanted = null;
    }
    void next();
  }

  return {
    answer,
    problem,
    /** Want an answer to a question, and no longer to any other. @param {Question} question */
    ask(question) {
      wanted = question;
      if (isShown(question)) return;
      const data = kept.get(keyOf(question));
      if (data) {
        show(question, data);
        return;
      }
      // A pause between questions of the live end is not one for who steps.
      if (timer !== null && !question.live && !problem.peek()) {
        cancel(timer);
        timer = null;
      }
      void next();
    },
    /** Want nothing any more. */
    stop() {
      wanted = null;
      if (timer !== null) cancel(timer);
      timer = null;
    },
  };
}
