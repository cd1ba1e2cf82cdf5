/** What a newcomer has already tried. Kept in this browser, so that the coach comes once. */
import { effect, signal } from "@preact/signals-core";
import { keep, recall } from "./settings.js";

/** @typedef {"run" | "pause" | "open" | "why"} CoachStep */
const ALL = 4;

/** @param {import("./store.js").Store} store @param {import("./console.js").Console} shell */
export function createCoach(store, shell) {
  const done = signal(/** @type {ReadonlySet<CoachStep>} */ (new Set()));
  const closed = signal(recall("coach") === "closed");
  const close = () => {
    closed.value = true;
    keep("coach", "closed");
  };
  let looked = 0;
  /** A command typed on another page, or before a reload, counts too. */
  const commanded = () => {
    for (; looked < store.log.head.value; looked += 1) if (store.log.entries[looked].kind === "command.started") return true;
    return false;
  };
  const tick = (/** @type {CoachStep} */ step) => {
    if (!done.peek().has(step)) done.value = new Set([...done.peek(), step]);
  };
  effect(() => {
    if (shell.commands.value.length > 0 || (!done.peek().has("run") && commanded())) tick("run");
    if (store.clock.value.paused && store.selected.value !== null) tick("pause");
    if (store.drawer.value) tick("open");
    if (store.why.value) tick("why");
  });
  effect(() => {
    if (done.value.size === ALL && !closed.peek()) setTimeout(close, 2500);
  });
  return { done, closed, close };
}
