/** What is said aloud of where the reader goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../static/js/actions.js";
import { createSpoken } from "../../static/js/spoken.js";
import { createStore } from "../../static/js/store.js";
import { createStrings } from "../../static/js/strings.js";
import { journal } from "./fixtures/journal.js";
import { wordsOf } from "./fixtures/words.js";

function page({ inDiagram = false, language = "en" } = {}) {
  const { entries } = journal({ idleSeconds: 10 });
  const strings = createStrings(wordsOf(language), language);
  const store = createStore({ say: strings.say });
  const actions = createActions(store, { send: () => false });
  /** @type {(() => void)[]} */
  const waiting = [];
  const text = createSpoken({
    store,
    strings,
    inDiagram: () => inDiagram,
    wait(ready) {
      waiting.splice(0, waiting.length, ready);
      return () => waiting.splice(0);
    },
  });
  const rest = () => {
    for (const ready of waiting.splice(0)) ready();
  };
  rest();
  return { store, actions, strings, text, rest, waiting, entries };
}

test("stepping is said where the reader rests, once", () => {
  const { store, actions, strings, text, rest, entries } = page();
  store.log.append(entries);
  actions.toStart();
  for (let i = 0; i < 10; i += 1) actions.stepForward();
  assert.equal(text.value, "");
  rest();
  const entry = /** @type {any} */ (store.log.get(store.selected.value));
  assert.equal(text.value, `${strings.say(entry)} #${entry.seq}`);
});

test("in the diagram its rows speak for themselves, and what opens is said", () => {
  const { store, actions, strings, text, rest, entries } = page({ inDiagram: true });
  store.log.append(entries);
  actions.toRow(5);
  rest();
  assert.equal(text.value, "");
  actions.show("what");
  rest();
  assert.match(text.value, /^Details of the selected message, What: /);
  actions.close();
  rest();
  assert.equal(text.value, strings.t("drawer.closed"));
});

test("a chain says how long it is and what it began with", () => {
  const { store, actions, text, rest, entries } = page();
  store.log.append(entries);
  const caused = /** @type {any} */ (entries.findLast(({ cause }) => cause !== null));
  actions.reveal(caused.seq);
  rest();
  actions.show("why");
  rest();
  assert.match(text.value, /steps? back, .* it began with this: \S/);
});

test("the live end that runs on says nothing, in any language", () => {
  for (const language of ["en", "de"]) {
    const { store, text, waiting, rest, entries } = page({ language });
    for (const entry of entries) store.log.append([entry]);
    assert.equal(waiting.length, 0);
    rest();
    assert.equal(text.value, "");
  }
});

test("going to the live end and before everything is said", () => {
  const { store, actions, strings, text, rest, entries } = page();
  store.log.append(entries);
  actions.toRow(3);
  rest();
  actions.toLive();
  rest();
  assert.equal(text.value, strings.t("transport.atLive"));
  store.selected.value = null;
  actions.toRow(-1);
  rest();
  assert.equal(text.value, strings.t("transport.nothing"));
});
