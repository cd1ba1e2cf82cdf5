/**
 * What a screen reader hears when the reader has gone somewhere: by keys, buttons, the timeline, a breakpoint, a link, a lesson.
 *
 * It is said once they rest there, so that a key that is held down is not a hundred sentences, and only of what they did
 * themselves: the live end that runs on says nothing. Within the diagram the rows speak for themselves, as options of a list.
 */
import { effect, signal } from "@preact/signals-core";
import { chainOf } from "./causes.js";
import { duration } from "./format.js";

const REST_MS = 250;

/** Where somebody stands. @typedef {{seq: number | null, live: boolean, drawer: boolean, tab: import("./store.js").Tab}} Place */

/** @param {import("./store.js").Store} store @returns {Place} */
const placeOf = ({ selected, cursor, drawer, tab }) => ({
  seq: selected.value,
  live: cursor.value === null,
  drawer: drawer.value && selected.value !== null,
  tab: tab.value,
});

/** What to say of the way from one place to another; "" where there is nothing. @param {Place} from @param {Place} to @param {{store: import("./store.js").Store, strings: import("./strings.js").Strings, inDiagram: boolean}} told */
export function said(from, to, { store, strings, inDiagram }) {
  const { t, say, language } = strings;
  const entry = store.log.get(to.seq);
  if (entry && to.drawer && (!from.drawer || from.tab !== to.tab)) {
    if (to.tab !== "why") return `${t("drawer.label")}, ${t(`tab.${to.tab}`)}: ${say(entry)}`;
    const chain = chainOf(store.log.entries, store.asked.peek() ?? entry.seq);
    const passed = Math.max(0, (entry.arrived ?? entry.at) - chain[0].at);
    if (chain.length < 2) return `${t("why.alone")} ${say(entry)}`;
    return `${t("why.text", { count: chain.length - 1, time: duration(passed, language.peek()) })} ${say(chain[0])}`;
  }
  if (from.drawer && !to.drawer) return t("drawer.closed");
  if (entry && to.seq !== from.seq) return inDiagram ? "" : `${say(entry)} #${entry.seq}`; // two may say the same
  if (!to.live && from.live && !entry) return t("transport.nothing");
  if (to.live && !from.live) return t(store.clock.peek().paused ? "transport.atEnd" : "transport.atLive");
  return "";
}

/** @param {{store: import("./store.js").Store, strings: import("./strings.js").Strings, inDiagram: () => boolean, wait?: (ready: () => void) => () => void}} parts  `wait` until they rest; its answer gives that up */
export function createSpoken({ store, strings, inDiagram, wait = rest }) {
  const text = signal("");
  let from = placeOf(store);
  let moved = () => {};
  effect(() => {
    const to = placeOf(store);
    moved();
    moved = wait(() => {
      const words = said(from, to, { store, strings, inDiagram: inDiagram() });
      from = to;
      text.value = words;
    });
  });
  return text;
}

/** @param {() => void} ready */
function rest(ready) {
  const timer = setTimeout(ready, REST_MS);
  return () => clearTimeout(timer);
}
