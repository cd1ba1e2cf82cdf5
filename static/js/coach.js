/** What a newcomer has already tried. Kept in this browser, so that the coach comes once. */
import { effect, signal } from "@preact/signals-core";
import { keep, recall } from "./settings.js";

/** @typedef {"run" | "pause" | "open" | "why"} CoachStep */
const ALL = 4;

/** @param {import("./store.js").Store} store */
export function createCoach(store) {
  const done = signal(/** @type {ReadonlySet<CoachStep>} */ (new Set()));
  const closed = signal(recall("coach") === "closed");
  const close = () => {
    closed.value = true;
    keep("coach", "closed");
  };
  /** Whether anybody has done anything at all. */
  const begun = signal(false);
  const tick = (/** @type {CoachStep} */ step) => {
    if (!done.peek().has(step)) done.value = new Set([...done.peek(), step]);
  };
  let looked = 0;
  /** Whoever typed it, on this page or another, and what it was: only what crossed the wire counts. */
  const look = () => {
    for (; looked < store.log.head.value; looked += 1) {
      const { kind, fields } = store.log.entries[looked];
      const deploys = kind === "http.request" && fields.verb === "create" && fields.resource === "deployments";
      if (deploys) tick("run");
      if (deploys || kind === "command.started") begun.value = true;
    }
  };
  effect(() => {
    if (closed.value) return;
    look();
    if (store.clock.value.paused && store.selected.value !== null) tick("pause");
    if (store.drawer.value) tick("open");
    if (store.why.value) tick("why");
  });
  effect(() => {
    if (done.value.size === ALL && !closed.peek()) setTimeout(close, 2500);
  });
  return { done, begun, closed, close };
}
