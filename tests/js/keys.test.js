/** The page's keys: where something needs a key for itself, it has it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../static/js/actions.js";
import { createKeys } from "../../static/js/keys.js";
import { createStore } from "../../static/js/store.js";

/** @type {any} */ (globalThis).document = { querySelector: () => null };

/** What the page asks of its cluster when a key is pressed at an element. @param {string} key @param {{tagName: string, type?: string}} target */
function pressed(key, target) {
  /** @type {any[]} */
  const sent = [];
  const store = createStore({ cluster: { nodes: 2, state: "running" } });
  const actions = createActions(store, { send: (frame) => sent.push(frame) > 0 });
  const { hear } = createKeys({ store, actions, focusTerminal: () => {} });
  let taken = false;
  const prevent = () => {
    taken = true;
  };
  hear(
    /** @type {any} */ ({
      key,
      target: { closest: (/** @type {string} */ names) => (names.includes("input") && target.tagName === "INPUT") || null, ...target },
      preventDefault: prevent,
    }),
  );
  return { sent: sent.map((frame) => frame.type), taken };
}

test("space runs and pauses, but ticks a box that has the focus", () => {
  assert.deepEqual(pressed(" ", { tagName: "DIV" }), { sent: ["pause"], taken: true });
  assert.deepEqual(pressed(" ", { tagName: "INPUT", type: "checkbox" }), { sent: [], taken: false });
});

test("where something is typed no key is the page's", () => {
  assert.deepEqual(pressed(" ", { tagName: "INPUT", type: "text" }), { sent: [], taken: false });
  assert.deepEqual(pressed(" ", { tagName: "INPUT", type: "radio" }), { sent: [], taken: false });
});
