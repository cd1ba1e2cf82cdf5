/**
 * The page's keys. Single keys work wherever nothing is being typed, and can be switched off (WCAG 2.1.4);
 * then they work only while the diagram has the focus.
 */
import { LAYERS } from "./actions.js";
import { WAYS } from "./following.js";
import { keep } from "./settings.js";

/** @typedef {{keys: string[], name: string, match: string[], run: (key: string) => void}} Binding  `run` is told which of its keys it was */

/** What a key leads to the next of, and with the shift key to the previous. @type {[string, import("./following.js").Path][]} */
export const PATHS = [
  ["o", "object"],
  ["l", "lane"],
  ["g", "chain"],
  ["c", "command"],
  ["e", "error"],
  ["i", "fault"],
];

/** @param {{store: import("./store.js").Store, actions: import("./actions.js").Actions, focusTerminal: () => void, none?: () => void}} parts  `none`: say that there is none */
export function createKeys({ store, actions, focusTerminal, none = () => {} }) {
  const row = (/** @type {number} */ by) => () => actions.move(by);
  /** @type {Binding[]} */
  const list = [
    { keys: [" "], name: "run", match: [" "], run: actions.toggleRun },
    { keys: ["→"], name: "forward", match: ["ArrowRight"], run: () => actions.stepForward() },
    { keys: ["⇧→"], name: "beat", match: ["Shift-ArrowRight"], run: () => actions.stepForward({ beats: true }) },
    { keys: ["←"], name: "back", match: ["ArrowLeft"], run: actions.stepBack },
    { keys: ["Home"], name: "start", match: ["Home"], run: actions.toStart },
    { keys: ["End"], name: "live", match: ["End"], run: actions.toLive },
    { keys: ["j", "↓"], name: "next", match: ["j", "ArrowDown"], run: row(1) },
    { keys: ["k", "↑"], name: "previous", match: ["k", "ArrowUp"], run: row(-1) },
    { keys: ["Enter"], name: "open", match: ["Enter"], run: () => actions.show(store.tab.peek()) },
    { keys: ["w"], name: "why", match: ["w"], run: () => (store.why.peek() ? actions.show("what") : actions.show("why")) },
    { keys: ["Esc"], name: "close", match: ["Escape"], run: () => (store.drawer.peek() ? actions.close() : actions.clearFilters()) },
    ...PATHS.map(([key, path]) => ({
      keys: [key, key.toUpperCase()],
      name: `seek.${path}`,
      match: [key, key.toUpperCase()],
      run: (/** @type {string} */ pressed) => {
        if (!actions.seek(path, pressed === key.toUpperCase() ? -1 : 1)) none();
      },
    })),
    ...WAYS.map((way, i) => ({
      keys: [String(i + 5)],
      name: `follow.${way}`,
      match: [String(i + 5)],
      run: () => {
        if (!actions.follow(way)) none();
      },
    })),
    { keys: ["1", "2", "3", "4"], name: "altitude", match: ["1", "2", "3", "4"], run: () => {} },
    { keys: ["+", "−"], name: "pace", match: ["+", "-", "="], run: () => {} },
    {
      keys: ["h"],
      name: "heartbeats",
      match: ["h"],
      run: () => {
        store.foldHeartbeats.value = !store.foldHeartbeats.peek();
      },
    },
    { keys: ["/", "Ctrl-K"], name: "search", match: ["/"], run: focusFind },
    { keys: ["t"], name: "terminal", match: ["t"], run: focusTerminal },
    {
      keys: ["?"],
      name: "help",
      match: ["?"],
      run: () => {
        store.dialog.value = "help";
      },
    },
  ];
  const byKey = new Map(list.flatMap((binding) => binding.match.map((key) => /** @type {const} */ ([key, binding]))));

  /** @param {KeyboardEvent} event */
  function hear(event) {
    if (isFind(event) && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      return focusFind();
    }
    if (
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      store.dialog.peek() ||
      document.querySelector("dialog[open]")
    )
      return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (isTyping(target) || target.closest("[popover]:popover-open")) return;
    // What has popped up goes first, also while the focus is still on what opened it.
    if (event.key === "Escape" && document.querySelector("[popover]:popover-open")) return;
    const inDiagram = target.id === "diagram";
    if (!store.shortcuts.peek() && !inDiagram) return;
    const binding = byKey.get(event.shiftKey && event.key === "ArrowRight" ? "Shift-ArrowRight" : event.key);
    if (!binding || (takesKey(target, event.key) && !inDiagram)) return;
    event.preventDefault();
    if (LAYERS[Number(event.key) - 1]) store.altitude.value = LAYERS[Number(event.key) - 1];
    else if (binding.name === "pace") actions.changePace(event.key === "-" ? -1 : 1);
    else binding.run(event.key);
  }

  return {
    list,
    hear,
    /** One more key, of a part of the page that is not always there. @param {Binding} binding */
    add(binding) {
      const taken = binding.match.find((key) => byKey.has(key));
      if (taken) throw new Error(`${binding.name} and ${byKey.get(taken)?.name} both want the key ${taken}`);
      list.push(binding);
      for (const key of binding.match) byKey.set(key, binding);
    },
    /** Keys of what is not there. @param {readonly string[]} names */
    remove(names) {
      for (const binding of list.filter(({ name }) => names.includes(name))) {
        list.splice(list.indexOf(binding), 1);
        for (const key of binding.match) byKey.delete(key);
      }
    },
    /** @param {boolean} on */
    enable(on) {
      store.shortcuts.value = on;
      keep("shortcuts", on ? "on" : "off");
    },
  };
}

/** The keys of which all these words are said, or which one of them names. @param {readonly Binding[]} list @param {string} line @param {(key: string) => string} t */
export function matching(list, line, t) {
  const words = line.toLowerCase().split(/\s+/).filter(Boolean);
  return list.filter(({ keys, name }) => {
    const said = t(`keys.${name}`).toLowerCase();
    const named = keys.map((key) => (key === " " ? t("keys.space") : key).toLowerCase());
    return words.every((word) => said.includes(word) || named.includes(word));
  });
}

const focusFind = () => document.getElementById("search")?.focus();

/** Ctrl-K, or Cmd-K: also where something is typed, unless that takes it for itself. @param {KeyboardEvent} event */
const isFind = ({ key, ctrlKey, metaKey, altKey, shiftKey, defaultPrevented }) =>
  key === "k" && ctrlKey !== metaKey && !altKey && !shiftKey && !defaultPrevented;

/** @param {HTMLElement} target */
function isTyping(target) {
  if (target.tagName === "INPUT") return !["checkbox", "range", "button"].includes(/** @type {HTMLInputElement} */ (target).type);
  return target.tagName === "TEXTAREA" || target.tagName === "SELECT" || target.isContentEditable;
}

/** Does this element need the key for itself? @param {HTMLElement} target @param {string} key */
function takesKey(target, key) {
  if (/** @type {HTMLInputElement} */ (target).type === "range") return key.startsWith("Arrow") || key === "Home" || key === "End";
  if (target.closest("button, a, summary, input")) return key === " " || key === "Enter";
  return (
    target.scrollHeight > target.clientHeight + 1 && target.tabIndex === 0 && ["ArrowUp", "ArrowDown", "Home", "End", " "].includes(key)
  );
}
