/**
 * The pane with the state at the cursor: whether it is open, and what is looked at in it. Kept over a reload.
 *
 * The pane itself is fetched when it is opened first (`state/pane.js`): most readers of a lesson never do.
 */
import { batch, signal } from "@preact/signals-core";
import { keep, recall } from "./settings.js";

/** @typedef {"objects" | "board" | "topology" | "beliefs" | "identities" | "rules"} View */
/** An object's address; `resource` as kubectl takes it, "deployments.apps". @typedef {{resource: string, namespace: string, name: string}} Address */
/** @typedef {ReturnType<typeof createStatePane>} StatePane */

const VIEWS = /** @type {View[]} */ (["objects", "board", "topology", "beliefs", "identities", "rules"]);
/** Of which kinds the rows are shown at first: what a first command makes. */
const OPENED = ["deployments.apps", "replicasets.apps", "pods"];

/** @param {{store: import("./store.js").Store, narrow: () => boolean, fold: () => void, notTold?: string[]}} parts  `fold`: where there is no room beside it, the lesson makes room; `notTold`: views of which a recording says nothing */
export function createStatePane({ store, narrow, fold, notTold = [] }) {
  const views = VIEWS.filter((one) => !notTold.includes(one));
  const open = signal(recall("state") === "open" && !narrow());
  const view = signal(views.find((one) => one === recall("state-view")) ?? "objects");
  /** The object whose history is shown instead of the view. */
  const object = signal(/** @type {Address | null} */ (null));
  const kinds = signal(/** @type {ReadonlySet<string>} */ (new Set(OPENED)));
  /** Of which host the forwarding rules are shown; "": of the first there is. */
  const host = signal("");

  /** @param {boolean} on */
  function turn(on) {
    keep("state", on ? "open" : "closed");
    batch(() => {
      open.value = on;
      if (on) store.front.value = "state";
    });
    if (on && narrow()) fold();
  }

  const makeWay = () => narrow() && open.peek() && turn(false);

  return {
    open,
    view,
    views,
    object,
    kinds,
    host,
    close: () => turn(false),
    /** Open it, bring it to the front where the details lie over it, or close it. */
    toggle() {
      const covered = open.peek() && !document.getElementById("state")?.checkVisibility();
      turn(covered || !open.peek());
    },
    /** @param {View} next */
    show(next) {
      keep("state-view", next);
      batch(() => {
        view.value = next;
        object.value = null;
      });
    },
    /** @param {string} kind */
    toggleKind(kind) {
      const next = new Set(kinds.peek());
      if (!next.delete(kind)) next.add(kind);
      kinds.value = next;
    },
    /** Show an entry in the diagram; where the pane has taken the diagram's place, it makes way. @param {() => void} how */
    leadTo(how) {
      how();
      makeWay();
    },
    makeWay,
  };
}
