/**
 * Where the reader has been, kept in the browser's own history.
 *
 * A link from one entry to another that is followed makes a step of it, so Back goes back to where the link was, with
 * the chain of causes that was being walked. And what the page shows is noted down in the present step, so that a page
 * that is loaded again finds its place.
 *
 *     follow(17)    history: … | #12 "why", asked of #12 | #17 "why", asked of #12
 */
import { batch, effect } from "@preact/signals-core";
import { positionOf, takePosition } from "./position.js";

/** @typedef {import("./position.js").Position & {asked: number | null}} Place */

/** What keeps nothing: in a frame, Back is the page's that holds it. */
export const NO_HISTORY = /** @type {any} */ ({ state: null, replaceState: () => {}, pushState: () => {} });

/** Browsers take some two hundred changes of their history in ten seconds. */
const NOTED_EVERY_MS = 300;

/** @param {{store: import("./store.js").Store, actions: import("./actions.js").Actions, history?: History, target?: EventTarget}} parts */
export function createTrail({ store, actions, history = globalThis.history, target = globalThis }) {
  /** @returns {Place} */
  const here = () => ({ ...positionOf(store), asked: store.asked.value });
  const note = () => history.replaceState({ place: here() }, "");

  /** @param {Place | undefined} place */
  function go(place) {
    if (!place || place.cluster !== store.cluster.peek().id) return;
    batch(() => {
      takePosition(store, place);
      store.asked.value = place.asked;
    });
  }

  target.addEventListener("popstate", (event) => go(/** @type {PopStateEvent} */ (event).state?.place));

  return {
    /** Show an entry that another one links to. @param {number} seq */
    follow(seq) {
      note();
      actions.reveal(seq);
      history.pushState({ place: here() }, "");
    },
    /** Note down from now on where the reader is; first, to `restore`, go where the page was left before it was loaded again, once the journal is there. @param {boolean} restore */
    begin(restore) {
      const left = restore ? /** @type {Place | undefined} */ (history.state?.place) : undefined;
      let noting = false;
      let waiting = left !== undefined;
      const arrived = effect(() => {
        if (!waiting || !left || store.log.head.value < Math.max(left.cursor ?? 0, left.selected ?? 0, 1)) return;
        waiting = false;
        queueMicrotask(() => {
          go(left);
          arrived();
        });
      });
      effect(() => {
        here();
        if (waiting || noting) return;
        noting = true;
        setTimeout(() => {
          noting = false;
          note();
        }, NOTED_EVERY_MS);
      });
    },
  };
}
