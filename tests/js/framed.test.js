/** A run in a frame on another site: whom it hears, and how it moves between its bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../static/js/actions.js";
import { createFrame } from "../../static/js/framed/frame.js";
import { createListener, originOf } from "../../static/js/framed/protocol.js";
import { addressOf, readAddress } from "../../static/js/sharing/address.js";
import { createStore } from "../../static/js/store.js";
import { journal } from "./fixtures/journal.js";

const parent = {};
const ORIGIN = "https://slides.example";

/** What was done for what was said. @param {string | null} origin */
function listening(origin = "*") {
  /** @type {unknown[]} */
  const done = [];
  let at = 0;
  const deeds = {
    step: (/** @type {number} */ by) => void done.push(["step", by]),
    goTo: (/** @type {number} */ seq) => void done.push(["goto", seq]),
    play: (/** @type {number | undefined} */ every) => void done.push(["play", every]),
    pause: () => void done.push(["pause"]),
  };
  const hear = createListener({ deeds, parent, origin, now: () => at });
  return {
    done,
    wait: (/** @type {number} */ ms) => {
      at += ms;
    },
    say: (/** @type {unknown} */ data, { source = parent, from = ORIGIN } = {}) => hear({ source, origin: from, data }),
  };
}

test("what the protocol knows is done, and nothing else", () => {
  const { done, say } = listening();
  say({ type: "glassplane:step" });
  say({ type: "glassplane:step", by: -1 });
  say({ type: "glassplane:goto", seq: 7 });
  say({ type: "glassplane:play" });
  say({ type: "glassplane:play", every: 500 });
  say({ type: "glassplane:pause" });
  const known = done.length;
  for (const data of [
    null,
    7,
    "glassplane:step",
    [],
    {},
    { type: "step" },
    { type: "glassplane:step", by: 2 },
    { type: "glassplane:step", by: "1" },
    { type: "glassplane:goto" },
    { type: "glassplane:goto", seq: -1 },
    { type: "glassplane:goto", seq: 1.5 },
    { type: "glassplane:goto", seq: "7" },
    { type: "glassplane:play", every: 0 },
    { type: "glassplane:play", every: Number.NaN },
    { type: "glassplane:command", line: "kubectl delete pods --all" },
    { type: "__proto__" },
  ])
    say(data);
  assert.equal(done.length, known);
  assert.deepEqual(done, [["step", 1], ["step", -1], ["goto", 7], ["play", undefined], ["play", 500], ["pause"]]);
});

test("nobody is heard but the page that holds the frame, under the origin that its address names", () => {
  const open = listening();
  open.say({ type: "glassplane:pause" }, { source: {} });
  assert.deepEqual(open.done, []);
  const named = listening(ORIGIN);
  named.say({ type: "glassplane:pause" }, { from: "https://slides.example.evil" });
  assert.deepEqual(named.done, []);
  named.say({ type: "glassplane:pause" });
  assert.deepEqual(named.done, [["pause"]]);
  const off = listening(null);
  off.say({ type: "glassplane:pause" });
  assert.deepEqual(off.done, []);
  assert.equal(originOf(""), "*");
  assert.equal(originOf("?origin=https%3A%2F%2Fslides.example"), ORIGIN);
  for (const none of ["", "*", "slides.example", "https://slides.example/deck", "javascript:alert(1)"])
    assert.equal(originOf(`?origin=${encodeURIComponent(none)}`), null, none);
});

test("what comes too fast is passed over, and heard again a moment later", () => {
  const { done, say, wait } = listening();
  for (let n = 0; n < 1000; n += 1) say({ type: "glassplane:step" });
  assert.equal(done.length, 40);
  wait(1000);
  for (let n = 0; n < 1000; n += 1) say({ type: "glassplane:step" });
  assert.equal(done.length, 60);
});

/** A frame at a journal. @param {string} search */
async function framed(search) {
  const store = createStore({ cluster: { may: ["see"] } });
  const actions = createActions(store, { send: () => assert.fail("a reader asks the cluster for nothing") });
  store.log.append(journal({ idleSeconds: 1 }).entries);
  const frame = createFrame({ store, actions, place: readAddress(search) });
  await new Promise((resolve) => queueMicrotask(() => resolve(null)));
  await null;
  return { store, actions, frame };
}

test("a frame begins at its first entry, and steps no further than its last", async () => {
  const { store, actions, frame } = await framed("?from=10&to=20");
  assert.equal(frame.ready.value, true);
  assert.equal(store.shown.value, 10);
  for (let n = 0; n < 50; n += 1) frame.step(1);
  assert.ok(store.shown.value <= 20, String(store.shown.value));
  assert.equal(frame.position.value.atEnd, true);
  actions.toLive();
  assert.equal(store.shown.value, 20);
  actions.toStart();
  assert.equal(store.shown.value, 10);
  for (let n = 0; n < 50; n += 1) frame.step(-1);
  assert.ok(store.shown.value >= 10);
  assert.equal(frame.position.value.atStart, true);
  frame.goTo(500);
  assert.equal(store.shown.value, 20);
  frame.goTo(1);
  assert.equal(store.shown.value, 10);
});

test("an address says how a run is seen, and is read again as it was written", () => {
  const store = createStore();
  store.log.append(journal({ idleSeconds: 1 }).entries);
  store.altitude.value = "http";
  store.text.value = 'kind:http.request "a & b"';
  store.cursor.value = 12;
  store.selected.value = 9;
  store.drawer.value = true;
  store.foldHeartbeats.value = false;
  store.participants.value = new Set(["worker-1/kubelet"]);
  const read = readAddress(addressOf(store, "de"));
  assert.deepEqual(read, {
    at: 12,
    entry: 9,
    view: "http",
    find: 'kind:http.request "a & b"',
    lanes: ["worker-1/kubelet"],
    heartbeats: true,
    from: null,
    to: null,
  });
  const nothing = readAddress("?at=-1&entry=x&view=__proto__&from=1e9&to=99999999999999999999");
  assert.deepEqual(nothing, { at: null, entry: null, view: null, find: "", lanes: [], heartbeats: false, from: null, to: null });
});
