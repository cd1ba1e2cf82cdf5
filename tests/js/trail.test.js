/** Back leads where the reader was, and a page that is loaded again finds its place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../static/js/actions.js";
import { objectOf } from "../../static/js/causes.js";
import { createStore } from "../../static/js/store.js";
import { createTrail } from "../../static/js/trail.js";

/** @param {number} seq @param {Record<string, any>} [more] @returns {any} */
const entry = (seq, more = {}) => ({
  seq,
  at: seq,
  arrived: seq,
  layer: "story",
  kind: "http.request",
  from: "a/x",
  to: "b/y",
  label: `#${seq}`,
  cause: seq > 1 ? seq - 1 : null,
  trigger: null,
  replyTo: null,
  connection: null,
  stream: null,
  size: 0,
  heartbeat: false,
  fields: {},
  ...more,
});

/** A browser's history of one tab. */
function tab() {
  const steps = [/** @type {any} */ (null)];
  let at = 0;
  return {
    get state() {
      return steps[at];
    },
    replaceState: (/** @type {any} */ state) => {
      steps[at] = structuredClone(state);
    },
    pushState: (/** @type {any} */ state) => {
      steps.splice(at + 1, steps.length, structuredClone(state));
      at += 1;
    },
    back(/** @type {EventTarget} */ target) {
      at -= 1;
      target.dispatchEvent(Object.assign(new Event("popstate"), { state: steps[at] }));
    },
  };
}

/** @param {any} history */
function page(history, id = "c1") {
  const store = createStore({ cluster: { id, state: "running" } });
  const actions = createActions(store, { send: () => true });
  const target = new EventTarget();
  const trail = createTrail({ store, actions, history, target });
  return { store, actions, trail, target };
}

test("Back goes back along a chain of causes, which is still the same", () => {
  const history = tab();
  const { store, actions, trail, target } = page(history);
  store.log.append([1, 2, 3, 4, 5].map((seq) => entry(seq)));
  store.selected.value = 5;
  actions.show("why");
  trail.follow(3);
  trail.follow(2);
  assert.deepEqual([store.selected.value, store.asked.value], [2, 5]);
  history.back(target);
  assert.deepEqual([store.selected.value, store.asked.value], [3, 5]);
  history.back(target);
  assert.deepEqual([store.selected.value, store.tab.value, [...store.chain.value]], [5, "why", [1, 2, 3, 4, 5]]);
});

test("a page that is loaded again finds its place once the journal has come so far", async () => {
  const history = tab();
  const before = page(history);
  before.store.log.append([1, 2, 3, 4].map((seq) => entry(seq)));
  before.store.selected.value = 2;
  before.actions.show("what");
  before.store.cursor.value = 3;
  before.trail.follow(2);

  const { store, trail } = page(history);
  trail.begin(true);
  store.log.append([entry(1), entry(2)]);
  assert.equal(store.cursor.value, null, "what it was is not there yet");
  store.log.append([entry(3), entry(4)]);
  await Promise.resolve();
  assert.deepEqual([store.cursor.value, store.selected.value, store.drawer.value], [3, 2, true]);
});

test("a place in another cluster is none here", async () => {
  const history = tab();
  const before = page(history, "c1");
  before.store.log.append([entry(1), entry(2)]);
  before.trail.follow(1);
  const { store, trail } = page(history, "c2");
  trail.begin(true);
  store.log.append([entry(1), entry(2)]);
  await Promise.resolve();
  assert.equal(store.selected.value, null);
});

test("an entry names its object, also the one whose name the server chose", () => {
  const post = entry(1, { fields: { resource: "pods", namespace: "default", generateName: "web-" } });
  const answer = entry(2, { kind: "http.response", replyTo: 1, fields: { resource: "pods", namespace: "default", name: "web-x" } });
  const start = entry(3, { fields: { pod: "web-x", container: "nginx" } });
  const entries = [post, answer, start, entry(4)];
  assert.deepEqual(
    entries.map((one) => objectOf(entries, one)),
    ["pods default/web-x", "pods default/web-x", "pod web-x/nginx", ""],
  );
});
