/** Breakpoints: time is stopped at the first entry that one lets through, once, and only while it runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../static/js/actions.js";
import { POINTS_MAX, SUGGESTED, createBreakpoints } from "../../static/js/breakpoints.js";
import { parse } from "../../static/js/query.js";
import { createAnswers } from "../../static/js/answers.js";
import { createStore } from "../../static/js/store.js";
import { journal } from "./fixtures/journal.js";

/** @typedef {import("../../static/js/log.js").Entry} Entry */

const { entries, bootEnd } = journal({ idleSeconds: 20 });
const BINDING = "kind:http.request /binding";
const isBinding = (/** @type {Entry} */ { kind, fields }) => kind === "http.request" && fields.path?.endsWith("/binding");
const first = /** @type {Entry} */ (entries.find(isBinding));

/** A page that has seen the boot, with a cluster that runs. @param {{may?: any, kept?: Map<string, string>}} [how] */
function stage({ may, kept = new Map() } = {}) {
  /** @type {string[]} */
  const sent = [];
  const store = createStore({ cluster: { id: "one", nodes: 2, state: "running", ...(may && { may }) } });
  const actions = createActions(store, { send: (frame) => sent.push(frame.type) > 0 });
  const breakpoints = createBreakpoints({
    store,
    actions,
    shelf: { recall: (key) => kept.get(key) ?? null, keep: (key, value) => kept.set(key, value) },
  });
  store.expected.value = bootEnd;
  store.log.append(entries.slice(0, bootEnd));
  return { store, actions, breakpoints, sent, kept };
}

/** @param {import("../../static/js/store.js").Store} store @param {number} until @param {number} [each] */
async function arrive(store, until, each = 7) {
  while (store.log.head.value < until) {
    store.log.append(entries.slice(store.log.head.value, Math.min(until, store.log.head.value + each)));
    await null;
  }
}

test("time is paused at the first entry that one lets through, and what comes after lies ahead", async () => {
  const { store, breakpoints, sent } = stage();
  assert.ok(breakpoints.add(BINDING));
  await arrive(store, first.seq + 40);
  assert.deepEqual(sent, ["pause"]);
  assert.equal(store.cursor.value, first.seq);
  assert.equal(store.selected.value, first.seq);
  assert.deepEqual(breakpoints.stopped.value, { seq: first.seq, text: BINDING });
});

test("what was there before the page came stops nothing, nor does what a step has brought", async () => {
  const past = stage();
  past.breakpoints.add("has:command");
  past.store.expected.value = entries.length;
  await arrive(past.store, entries.length, 2000);
  assert.deepEqual([past.sent, past.store.cursor.value], [[], null]);
  const paused = stage();
  paused.breakpoints.add(BINDING);
  await arrive(paused.store, first.seq - 1, 1);
  paused.store.clock.value = { ...paused.store.clock.value, paused: true };
  paused.actions.stepForward();
  await arrive(paused.store, first.seq + 40);
  assert.equal(paused.breakpoints.stopped.value, null);
});

test("who may not drive time stands at it all the same", async () => {
  const { store, breakpoints, sent } = stage({ may: ["see"] });
  breakpoints.add(BINDING);
  await arrive(store, first.seq + 40);
  assert.deepEqual([sent, store.cursor.value], [[], first.seq]);
});

test("the engine that has stopped by itself is not asked to pause, and what was under way is looked at", async () => {
  const { store, breakpoints, sent } = stage();
  breakpoints.add(BINDING);
  store.clock.value = { ...store.clock.value, paused: true };
  await arrive(store, first.seq + 40);
  assert.deepEqual([sent, store.cursor.value], [[], first.seq]);
});

test("the engine is told what it can look for, once, and again when it has come back", () => {
  /** @type {any[]} */
  const told = [];
  const store = createStore({ cluster: { id: "one", state: "running", life: 1 } });
  const actions = createActions(store, { send: () => true });
  const shelf = { recall: () => null, keep: () => {} };
  const breakpoints = createBreakpoints({ store, actions, shelf, send: (frame) => told.push(frame) });
  store.connection.value = { state: "open", attempt: 0, retryAt: null };
  assert.deepEqual(told, [], "nothing is wanted");
  breakpoints.add("status:4xx");
  breakpoints.add("two words");
  assert.deepEqual(told, [{ type: "stops", entries: [{ fields: { status: { least: 400, most: 499 } } }] }]);
  store.cluster.value = { ...store.cluster.value, life: 2 };
  assert.equal(told.length, 2);
  breakpoints.remove("status:4xx");
  assert.deepEqual(told.at(-1), { type: "stops", entries: [] });
  breakpoints.add("state:pod/web-*=Ready");
  assert.deepEqual(told.at(-1), { type: "stops", entries: [], states: ["pod/web-*=Ready"] });
  breakpoints.add("state:pod/*=Running lane:etcd");
  assert.deepEqual(told.at(-1), { type: "stops", entries: [], states: ["pod/web-*=Ready"] }, "the engine cannot tell that");
  breakpoints.add("body:nginx kind:etcd.event");
  const bodies = [{ texts: ["nginx"], entry: { kind: "*etcd.event*" } }];
  assert.deepEqual(told.at(-1), { type: "stops", entries: [], bodies, states: ["pod/web-*=Ready"] });
  const before = told.length;
  store.connection.value = { state: "lost", attempt: 1, retryAt: null };
  store.connection.value = { state: "open", attempt: 0, retryAt: null };
  assert.deepEqual(told.slice(before), [told[before - 1]], "the page that comes back is another one to the cluster");
});

test("one that is switched off or taken away stops nothing", async () => {
  const { store, breakpoints, sent } = stage();
  breakpoints.add(BINDING);
  breakpoints.toggle(BINDING);
  await arrive(store, first.seq + 20);
  breakpoints.toggle(BINDING);
  breakpoints.remove(BINDING);
  await arrive(store, entries.length);
  assert.deepEqual(sent, []);
});

test("running back and on goes through what has happened, then on with the cluster", async () => {
  const { store, breakpoints, sent } = stage();
  await arrive(store, entries.length);
  breakpoints.add(BINDING);
  const all = entries.filter(isBinding).map(({ seq }) => seq);
  const back = [];
  while (breakpoints.run(-1)) back.push(store.cursor.value);
  assert.deepEqual(back, [...all].reverse());
  const on = [];
  for (let i = 1; i < all.length; i += 1) {
    breakpoints.run(1);
    on.push(store.cursor.value);
  }
  assert.deepEqual(on, all.slice(1));
  assert.deepEqual(sent, [], "time went on all the while");
  store.clock.value = { ...store.clock.value, paused: true };
  assert.ok(breakpoints.run(1));
  assert.deepEqual([sent, store.cursor.value], [["resume"], null]);
});

test("a command that is about to be typed is stood still at by its first message, once", async () => {
  const command = /** @type {Entry} */ (entries.find(({ kind }) => kind === "command.started"));
  const { store, breakpoints, sent } = stage();
  breakpoints.stopOnce(command.fields.line ?? command.label);
  await arrive(store, entries.length);
  assert.deepEqual(sent, ["pause"]);
  const stood = /** @type {Entry} */ (store.log.get(store.cursor.value));
  assert.deepEqual([stood.from, stood.layer, stood.kind], ["workstation/kubectl", "story", "http.request"]);
});

test("they are kept for each cluster, and bounded", () => {
  const { breakpoints, kept } = stage();
  for (let i = 0; i < POINTS_MAX + 3; i += 1) breakpoints.add(`word${i}`);
  assert.equal(breakpoints.points.value.length, POINTS_MAX);
  assert.equal(breakpoints.add("  #12 "), false, "a jump asks nothing");
  const again = stage({ kept });
  assert.deepEqual(again.breakpoints.points.value, breakpoints.points.value);
  for (const broken of ["{", "[[1,2]]", '[["one",[{"text":5,"on":true}]]]'])
    assert.deepEqual(stage({ kept: new Map([["breakpoints", broken]]) }).breakpoints.points.value, []);
});

test("those that are offered ask something that is understood", () => {
  for (const text of SUGGESTED) {
    const { terms, problems } = parse(text);
    assert.ok(terms.length > 0 && problems.length === 0, text);
  }
});

test("what asks of bodies stops at the entry as soon as that is answered, and at nothing from before it was set", async () => {
  const store = createStore({ cluster: { id: "one", nodes: 2, state: "running" } });
  /** @type {(() => void)[]} */
  const timers = [];
  const found = [5, first.seq];
  let time = 0;
  const answers = createAnswers("/c/", {
    now: () => {
      time += 1000;
      return time;
    },
    after: (_, then) => timers.push(then),
    cancel: () => timers.splice(0),
    get: async () => {
      const head = store.log.head.value;
      return /** @type {any} */ ({
        ok: true,
        status: 200,
        json: async () => ({ since: 0, to: head, head, first: 1, found: [found.filter((seq) => seq <= head)] }),
      });
    },
  });
  const settle = async () => {
    for (let n = 0; n < 40; n += 1) await null;
    for (const then of timers.splice(0)) then();
    for (let n = 0; n < 40; n += 1) await null;
  };
  /** @type {string[]} */
  const sent = [];
  const actions = createActions(store, { send: (frame) => sent.push(frame.type) > 0 });
  const breakpoints = createBreakpoints({ store, actions, answers, shelf: { recall: () => null, keep: () => {} } });
  store.log.append(entries.slice(0, bootEnd));
  answers.reach(bootEnd);
  breakpoints.add("body:hello kind:http.request");
  await settle();
  assert.equal(breakpoints.stopped.value, null);
  store.log.append(entries.slice(bootEnd, first.seq + 20));
  await null;
  assert.deepEqual(sent, [], "not answered yet");
  answers.reach(first.seq + 20);
  await settle();
  assert.deepEqual([/** @type {any} */ (breakpoints.stopped.value).seq, sent, store.cursor.value], [first.seq, ["pause"], first.seq]);
});
