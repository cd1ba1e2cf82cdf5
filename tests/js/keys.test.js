/** The page's keys: where something needs a key for itself, it has it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../static/js/actions.js";
import { createKeys, matching } from "../../static/js/keys.js";
import { createStore } from "../../static/js/store.js";
import { createStrings } from "../../static/js/strings.js";
import { wordsOf } from "./fixtures/words.js";

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

test("a key is found by what it does, by its name, and in either language", () => {
  const store = createStore();
  const { list } = createKeys({ store, actions: createActions(store, { send: () => false }), focusTerminal: () => {} });
  const names = (/** @type {string} */ line, language = "en") =>
    matching(list, line, createStrings(wordsOf(language), language).t).map(({ name }) => name);
  assert.deepEqual(names("previous failure"), ["seek.error"]);
  assert.ok(names("w").includes("why"));
  assert.deepEqual(names("ursachen warum", "de"), ["why"]);
  assert.deepEqual(names("brew coffee"), []);
  assert.equal(names("").length, list.length);
});

test("no key stands for two things", () => {
  const store = createStore({ cluster: { nodes: 2, state: "running" } });
  const keys = createKeys({ store, actions: createActions(store, { send: () => true }), focusTerminal: () => {} });
  const one = { keys: ["v"], name: "over", match: ["v"], run: () => {} };
  keys.add(one);
  assert.throws(() => keys.add({ ...one, name: "branches" }), /branches and over both want the key v/);
});
