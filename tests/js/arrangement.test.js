/** Lanes arranged by hand: the picture stays a function of entries and arrangement, whichever way the reader came. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createArrangement, laneMoved } from "../../static/js/arrangement.js";
import { NATURAL, expectedLanes } from "../../static/js/lanes.js";
import { Plan } from "../../static/js/layout.js";
import { createStore } from "../../static/js/store.js";
import { journal } from "./fixtures/journal.js";

const cast = JSON.parse(readFileSync(new URL("fixtures/cast.json", import.meta.url), "utf8"));
const { entries } = journal({ idleSeconds: 20 });
const expected = expectedLanes(cast);

/** @param {Partial<import("../../static/js/lanes.js").Arrangement>} [arrangement] @param {object} [options] */
const planned = (arrangement = {}, options = {}) =>
  new Plan({ altitude: "story", foldHeartbeats: true, expected, arrangement: { ...NATURAL, ...arrangement }, ...options }).extend(entries);
const ids = (/** @type {Plan} */ plan) => plan.lanes.drawn.map(({ id }) => id);

test("without an arrangement lanes stand as they come, each in its slot", () => {
  const plan = planned();
  assert.deepEqual(ids(plan), ids(new Plan({ altitude: "story", foldHeartbeats: true, expected }).extend(entries)));
  assert.deepEqual(
    plan.lanes.drawn.map(({ slot }) => slot),
    plan.lanes.drawn.map((_, i) => i),
  );
});

test("pinned lanes stand first in their order, hosts and lanes in the one wanted, unknown ones behind", () => {
  const plan = planned({
    pinned: ["worker-1/kubelet", "control-plane/etcd"],
    hosts: ["worker-2", "gone", "control-plane"],
    lanes: ["worker-2/kube-proxy", "worker-2/kubelet"],
  });
  const found = ids(plan);
  assert.deepEqual(found.slice(0, 4), ["worker-1/kubelet", "control-plane/etcd", "worker-2/kube-proxy", "worker-2/kubelet"]);
  assert.ok(found.indexOf("control-plane/kube-apiserver") < found.indexOf("workstation"));
  assert.deepEqual([...found].sort(), [...ids(planned())].sort());
});

test("an arrangement moves nothing up or down", () => {
  const heights = (/** @type {Plan} */ plan) => plan.rows.map(({ seq, y }) => [seq, y]);
  assert.deepEqual(heights(planned({ pinned: ["control-plane/etcd"], folded: ["worker-1"] })), heights(planned()));
});

test("a folded host is one lane, and what passes within it is drawn on it", () => {
  const plan = planned({ folded: ["control-plane"] });
  assert.ok(ids(plan).includes("control-plane") && !ids(plan).some((id) => id.startsWith("control-plane/")));
  assert.equal(plan.rows.length, planned().rows.length);
  assert.ok(plan.rows.some(({ from, to }) => from === to));
  const chosen = planned({ folded: ["control-plane"] }, { participants: new Set(["control-plane/etcd"]) });
  assert.ok(chosen.rows.length > 0, "what was chosen of it is the whole of it now");
});

test("lanes that a filter leaves empty go only where that is wanted, and come back entry by entry", () => {
  const text = "lane:worker-1/kubelet lane:kube-apiserver";
  assert.equal(ids(planned({}, { text })).length, ids(planned()).length);
  const hidden = planned({ hides: true, pinned: ["control-plane/etcd"] }, { text });
  assert.deepEqual(ids(hidden), ["control-plane/etcd", "control-plane/kube-apiserver", "worker-1/kubelet"]);
  for (const { from, to } of hidden.rows)
    for (const index of [from, to].filter((one) => one >= 0)) assert.ok(hidden.lanes.list[index].slot >= 0);
  assert.deepEqual(ids(planned({ hides: true })), ids(planned()), "without a filter all are there");
});

test("entries that come later give the picture that all of them give at once", () => {
  const arrangement = { ...NATURAL, hosts: ["worker-2", "worker-1"], folded: ["worker-1"], hides: true };
  const options = { altitude: /** @type {const} */ ("story"), foldHeartbeats: true, expected, arrangement, text: "kubelet" };
  const grown = new Plan(options);
  for (let i = 0; i < entries.length; i += 37) grown.extend(entries.slice(i, i + 37));
  const once = new Plan(options).extend(entries);
  assert.deepEqual([ids(grown), grown.rows], [ids(once), once.rows]);
});

test("what a reader arranges is kept for the cluster, moves one place at a time, and goes back", () => {
  const shelf = new Map();
  const open = (/** @type {string} */ id) => {
    const store = createStore({ cluster: { id }, cast });
    const kept = {
      recall: (/** @type {string} */ key) => shelf.get(key) ?? null,
      keep: (/** @type {string} */ key, /** @type {string} */ value) => shelf.set(key, value),
    };
    const arranging = createArrangement({ store, cluster: id, shelf: kept });
    store.log.append(entries);
    const names = () => store.picture.value.plan.lanes.drawn.map((lane) => lane.id);
    return {
      store,
      arranging,
      names,
      lane: (/** @type {string} */ name) => /** @type {any} */ (store.picture.value.plan.lanes.byId.get(name)),
    };
  };
  const { store, arranging, names, lane } = open("one");
  const before = names();
  arranging.shift(lane("control-plane/etcd"), -1);
  assert.equal(names()[names().indexOf("control-plane/etcd") + 1], "control-plane/kube-apiserver");
  arranging.shift(lane("control-plane/etcd"), 1);
  assert.deepEqual(names(), before);
  arranging.shiftHost("worker-2", -1);
  assert.ok(names().indexOf("worker-2/kubelet") < names().indexOf("worker-1/kubelet"));
  arranging.move(lane("worker-1/kubelet"), lane("control-plane/etcd"));
  assert.ok(names().indexOf("worker-1/kubelet") < names().indexOf("control-plane/etcd"));
  store.participants.value = new Set(["worker-1/kubelet", "control-plane/etcd"]);
  arranging.fold("worker-1");
  assert.deepEqual([...store.participants.value], ["control-plane/etcd"]);
  arranging.pin("control-plane/etcd");
  assert.equal(names()[0], "control-plane/etcd");
  const again = open("one");
  again.store.participants.value = store.participants.value;
  assert.deepEqual(again.names(), names());
  assert.deepEqual(open("other").names(), before);
  arranging.reset();
  assert.deepEqual(names(), before);
});

test("a pinned lane is moved among the pinned", () => {
  const plan = planned({ pinned: ["worker-1/kubelet", "control-plane/etcd"] });
  const [one, other] = plan.lanes.drawn;
  assert.deepEqual(laneMoved({ ...NATURAL, pinned: [one.id, other.id] }, plan.lanes.drawn, one, other).pinned, [other.id, one.id]);
});
