import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../static/js/actions.js";
import { heard } from "../../static/js/clock.js";
import { createStore } from "../../static/js/store.js";
import { journal } from "./fixtures/journal.js";

const { entries, bootEnd } = journal({ idleSeconds: 20 });
const command = bootEnd + 1;

/** A page that holds the first `held` entries, and a cluster that says one more for each step. @param {number} held @param {boolean} [paused] @param {number} [each] entries a step brings */
function stage(held, paused = true, each = 1) {
  /** @type {any[]} */
  const sent = [];
  const store = createStore({ cluster: { nodes: 2, state: "running" } });
  const send = (/** @type {any} */ frame) => {
    sent.push(frame);
    if (frame.type === "step") queueMicrotask(() => store.log.append(entries.slice(store.log.head.peek(), store.log.head.peek() + each)));
    return true;
  };
  const actions = createActions(store, { send });
  store.log.append(entries.slice(0, held));
  store.clock.value = { ...store.clock.value, paused };
  return { store, actions, sent, steps: () => sent.filter((frame) => frame.type === "step").length };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("stepping back moves only the cursor, and asks the cluster for nothing", () => {
  const { store, actions, sent } = stage(entries.length);
  const rows = store.picture.value.plan.rows.length;
  actions.stepBack();
  actions.stepBack();
  assert.equal(store.picture.value.plan.rowsAt(store.shown.value), rows - 2);
  assert.equal(store.picture.value.plan.rows.length, rows);
  assert.deepEqual(sent, []);
});

test("stepping forward again comes back to the live end", () => {
  const { store, actions } = stage(entries.length);
  for (let i = 0; i < 5; i += 1) actions.stepBack();
  assert.notEqual(store.cursor.value, null);
  for (let i = 0; i < 5; i += 1) actions.stepForward();
  assert.equal(store.cursor.value, null);
});

test("one step at a paused end goes on until this altitude shows something new", async () => {
  const { store, actions, steps } = stage(command + 1);
  const rows = store.picture.value.plan.rows.length;
  actions.stepForward();
  await settled();
  assert.equal(store.picture.value.plan.rows.length, rows + 1);
  assert.ok(steps() > 1, "connection and handshake lie between the command and its first request");
  const last = store.picture.value.plan.rows[rows];
  assert.equal(last.entry.layer, "story");
  assert.equal(store.selected.value, last.seq);
});

test("at the lowest altitude one step is one entry", async () => {
  const { store, actions, steps } = stage(command + 1);
  store.altitude.value = "tcp";
  actions.stepForward();
  await settled();
  assert.equal(steps(), 1);
});

test("where a step brings several messages at once they are still shown one by one", async () => {
  const { store, actions, steps } = stage(command + 1, true, 6);
  store.altitude.value = "tcp";
  const rows = store.picture.value.plan.rows.length;
  for (let more = 1; more <= 6; more += 1) {
    actions.stepForward();
    await settled();
    assert.equal(store.picture.value.plan.rowsAt(store.shown.value), rows + more);
    assert.equal(store.atEnd.value, more === 6);
  }
  assert.equal(steps(), 1);
});

test("a running cluster is never stepped", async () => {
  const { actions, steps } = stage(command, false);
  actions.stepForward();
  await settled();
  assert.equal(steps(), 0);
});

test("to the start shows one row, and to the live end all", () => {
  const { store, actions } = stage(entries.length);
  actions.toStart();
  assert.equal(store.picture.value.plan.rowsAt(store.shown.value), 1);
  actions.toLive();
  assert.equal(store.shown.value, entries.length);
});

test("an entry that lies in a fold of heartbeats is unfolded when it is asked for, another one unfolds nothing", () => {
  const { store, actions } = stage(entries.length);
  const heartbeat = /** @type {any} */ (entries.find((entry) => entry.heartbeat));
  actions.reveal(/** @type {any} */ (entries.find((entry) => entry.kind === "http.request" && !entry.heartbeat)).seq);
  assert.equal(store.foldHeartbeats.value, true);
  actions.reveal(heartbeat.seq);
  assert.equal(store.picture.value.plan.rowOf(heartbeat.seq)?.members, null, "it has a row of its own");
});

test("an entry that the view hides is shown when it is asked for", () => {
  const { store, actions } = stage(entries.length);
  const hello = /** @type {any} */ (entries.find((entry) => entry.kind === "tls.client_hello"));
  store.participants.value = new Set(["worker-1/containerd"]);
  actions.toStart();
  actions.reveal(hello.seq);
  assert.equal(store.altitude.value, "tls");
  assert.equal(store.selected.value, hello.seq);
  assert.ok(store.picture.value.plan.shows(hello.seq));
  assert.ok(store.shown.value >= hello.seq);
});

test("the selection moves among what is drawn and stops at its ends", () => {
  const { store, actions } = stage(entries.length);
  actions.toRow(10);
  actions.move(-1);
  assert.equal(store.selected.value, store.picture.value.plan.rows[9].seq);
  actions.move(-100);
  assert.equal(store.selected.value, store.picture.value.plan.rows[0].seq);
  actions.move(100);
  assert.equal(store.selected.value, store.picture.value.plan.rows[10].seq, "not beyond the cursor");
});

test("pace goes up and down its steps and stops at the ends", () => {
  const { store, actions } = stage(10);
  for (let i = 0; i < 20; i += 1) actions.changePace(1);
  assert.equal(store.clock.value.pace, 60);
  for (let i = 0; i < 20; i += 1) actions.changePace(-1);
  assert.equal(store.clock.value.pace, 0.1);
});

test("paces that are turned faster than the cluster answers are all counted", () => {
  const { store, actions, sent } = stage(10);
  actions.changePace(1);
  actions.changePace(1);
  store.setClock(heard, { pace: 2 }); // the answer to the first
  actions.changePace(1);
  assert.deepEqual(
    sent.map(({ pace }) => pace),
    [2, 5, 10],
  );
});

test("an ended cluster is asked for nothing", async () => {
  const { store, actions, sent } = stage(entries.length);
  store.cluster.value = { ...store.cluster.value, state: "ended" };
  actions.toggleRun();
  actions.stepForward();
  await settled();
  assert.deepEqual(sent, []);
  assert.equal(store.clock.value.paused, true);
});

test("a link to an entry leads to the position at it, not to the live end", () => {
  const { store, actions } = stage(entries.length);
  const seq = store.picture.value.plan.rows[3].seq;
  actions.goTo(seq);
  assert.equal(store.cursor.value, seq);
  assert.equal(store.selected.value, seq);
  assert.equal(store.drawer.value, true);
  assert.equal(store.atEnd.value, false);
});

test("a step in a quiet cluster asks for the next event at this altitude, and passes over heartbeats", async () => {
  const quiet = entries.findIndex(({ heartbeat }, i) => heartbeat && entries[i + 1]?.heartbeat);
  const next = /** @type {import("../../static/js/log.js").Entry} */ (
    entries.slice(quiet + 1).find(({ heartbeat, layer }) => !heartbeat && layer === "story")
  );
  const { store, actions, sent } = stage(quiet + 1, true, 10);
  actions.stepForward();
  await settled();
  assert.ok(sent.every((frame) => frame.type === "step" && frame.layer === "story"));
  assert.equal(store.selected.value, next.seq);
});

test("a refused step is asked for no more", async () => {
  const { store, actions, steps } = stage(command + 1);
  store.text.value = "nosuchword";
  actions.stepForward();
  actions.endStepping();
  await settled();
  assert.equal(steps(), 1);
});

test("a step that only makes a fold of heartbeats grow shows the heartbeat that came", async () => {
  const folds = () => probe.store.picture.value.plan.rows.filter((row) => (row.members?.length ?? 0) > 1);
  const probe = stage(entries.length);
  const fold = folds()[0];
  assert.ok(fold.members);
  const { store, actions } = stage(fold.members[0]);
  actions.stepForward({ beats: true });
  await settled();
  assert.equal(store.selected.value, fold.members[1]);
  assert.equal(store.cursor.value, fold.members[1]);
});

test("a chain of causes stays while the reader walks along it, and is another's once they look elsewhere", () => {
  const { store, actions } = stage(entries.length);
  const running = /** @type {any} */ (entries.find((entry) => entry.kind === "container.started"));
  actions.open(running.seq);
  actions.show("why");
  const chain = [...store.chain.value];
  assert.ok(chain.length > 3);
  actions.reveal(chain[1]);
  assert.deepEqual([...store.chain.value], chain);
  store.selected.value = 1;
  assert.ok(!store.chain.value.has(chain[2]));
});

test("until the journal is here as far as it has come, what is drawn is not how it is now", () => {
  const { store } = stage(10);
  store.expected.value = entries.length;
  assert.equal(store.loading.value, true);
  store.log.append(entries);
  assert.equal(store.loading.value, false);
});

test("a step in a quiet cluster says that it goes on looking, and stands at the last heartbeat when asked to stop", async () => {
  const beat = /** @type {any} */ (entries.find(({ heartbeat, layer }) => heartbeat && layer === "story"));
  const store = createStore({ cluster: { nodes: 2, state: "running" } });
  let asked = 0;
  const actions = createActions(store, {
    send() {
      asked += 1;
      const seq = store.log.head.peek() + 1;
      queueMicrotask(() => store.log.append([{ ...beat, seq, cause: null, replyTo: null }]));
      return true;
    },
  });
  store.log.append(entries.slice(0, command));
  store.clock.value = { ...store.clock.value, paused: true };
  actions.stepForward();
  assert.equal(actions.seeking.value, false);
  await settled();
  assert.equal(actions.seeking.value, true);
  const steps = asked;
  actions.stepForward();
  assert.equal(actions.seeking.value, false);
  assert.equal(store.selected.value, store.log.head.value);
  assert.ok(store.log.get(store.selected.value)?.heartbeat);
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.ok(asked <= steps + 1);
});
