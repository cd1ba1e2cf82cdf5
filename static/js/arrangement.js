/**
 * How a reader has arranged the lanes of a cluster, kept in this browser: which stand first, in which order, which hosts
 * are one lane, and whether those go that a filter leaves empty. Each change is a new value; lanes.js draws by it.
 */
import { effect } from "@preact/signals-core";
import { keptList } from "./kept.js";
import { NATURAL } from "./lanes.js";

/** @typedef {import("./lanes.js").Arrangement} Arrangement */
/** @typedef {import("./lanes.js").Lane} Lane */
/** @typedef {ReturnType<typeof createArrangement>} Arranging */

const NAMES_MAX = 200;

/** @param {any} names */
const isNames = (names) => Array.isArray(names) && names.length <= NAMES_MAX && names.every((name) => typeof name === "string");
/** @param {any} it */
const isArrangement = (it) => [it?.hosts, it?.lanes, it?.folded, it?.pinned].every(isNames) && typeof it.hides === "boolean";

/** With one more, or one less. @param {readonly string[]} names @param {string} name */
const toggled = (names, name) => (names.includes(name) ? names.filter((other) => other !== name) : [...names, name].slice(-NAMES_MAX));

/** A list with one of it moved to the place of another. @param {readonly string[]} names @param {string} name @param {string} target */
export function movedTo(names, name, target) {
  const [from, to] = [names.indexOf(name), names.indexOf(target)];
  if (from < 0 || to < 0) return [...names];
  const rest = names.filter((other) => other !== name);
  rest.splice(to, 0, name);
  return rest;
}

/** What is drawn, in its order: the hosts, each once, and the lanes. @param {readonly Lane[]} drawn */
export const orderOf = (drawn) => ({ hosts: [...new Set(drawn.map(({ host }) => host))], lanes: drawn.map(({ id }) => id) });

/** A lane moved to the place of another: among the lanes of its host, or its host among hosts. @param {Arrangement} arrangement @param {readonly Lane[]} drawn from left to right @param {Lane} lane @param {Lane} target @returns {Arrangement} */
export function laneMoved(arrangement, drawn, lane, target) {
  const { pinned } = arrangement;
  if (pinned.includes(lane.id) && pinned.includes(target.id)) return { ...arrangement, pinned: movedTo(pinned, lane.id, target.id) };
  const order = orderOf(drawn.filter(({ id }) => !pinned.includes(id)));
  if (lane.host !== target.host) return { ...arrangement, hosts: movedTo(order.hosts, lane.host, target.host).slice(0, NAMES_MAX) };
  return { ...arrangement, lanes: movedTo(order.lanes, lane.id, target.id).slice(0, NAMES_MAX) };
}

/** @param {{store: import("./store.js").Store, cluster: string, shelf?: import("./kept.js").Shelf}} parts */
export function createArrangement({ store, cluster, shelf }) {
  const kept = keptList({ name: "lanes", cluster, most: 1, isItem: isArrangement, shelf });
  effect(() => {
    store.arrangement.value = /** @type {Arrangement} */ (kept.list.value[0]) ?? NATURAL;
  });
  const set = (/** @type {Partial<Arrangement>} */ next) => kept.set([{ ...store.arrangement.peek(), ...next }]);
  const drawn = () => store.picture.peek().plan.lanes.drawn;

  return {
    /** Have a lane stand first, or among its host's again. @param {string} lane */
    pin: (lane) => set({ pinned: toggled(store.arrangement.peek().pinned, lane) }),
    /** Draw a host as one lane, or as its programs again. @param {string} host */
    fold(host) {
      // What was chosen of it is drawn on other lanes from now on.
      store.participants.value = new Set([...store.participants.peek()].filter((id) => id !== host && !id.startsWith(`${host}/`)));
      set({ folded: toggled(store.arrangement.peek().folded, host) });
    },
    hide: () => set({ hides: !store.arrangement.peek().hides }),
    /** @param {Lane} lane @param {Lane} target */
    move: (lane, target) => set(laneMoved(store.arrangement.peek(), drawn(), lane, target)),
    /** Move a lane by one place among those of its host, or among the pinned. @param {Lane} lane @param {1 | -1} by */
    shift(lane, by) {
      const { pinned } = store.arrangement.peek();
      const peers = drawn().filter(
        (other) => pinned.includes(other.id) === pinned.includes(lane.id) && (pinned.includes(lane.id) || other.host === lane.host),
      );
      const target = peers[peers.findIndex(({ id }) => id === lane.id) + by];
      if (target) set(laneMoved(store.arrangement.peek(), drawn(), lane, target));
    },
    /** Move a host by one place. @param {string} host @param {1 | -1} by */
    shiftHost(host, by) {
      const { pinned } = store.arrangement.peek();
      const { hosts } = orderOf(drawn().filter(({ id }) => !pinned.includes(id)));
      const target = hosts[hosts.indexOf(host) + by];
      if (target) set({ hosts: movedTo(hosts, host, target).slice(0, NAMES_MAX) });
    },
    reset: () => kept.set([]),
  };
}
