/** Breaking a cluster from its page: answers find those who asked, and the journal alone says what is broken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createBreaking } from "../../static/js/breaking.js";
import { createStore } from "../../static/js/store.js";
import { journal } from "./fixtures/journal.js";

const { entries } = journal();
const note = (/** @type {number} */ seq, /** @type {string} */ kind, /** @type {object} */ fields) => ({
  ...entries[0],
  seq,
  to: null,
  kind,
  fields,
});

/** @param {{online?: boolean, hidden?: boolean}} [options] */
function stage({ online = true, hidden = false } = {}) {
  /** @type {any[]} */
  const sent = [];
  let ids = 0;
  const store = createStore();
  const breaking = createBreaking({
    store,
    hidden,
    newId: () => `id-${++ids}`,
    t: (key) => key,
    send: (frame) => online && sent.push(frame) > 0,
  });
  store.log.append([
    note(1, "fault.started", { id: "fault-1", name: "kill", target: "worker-1/kubelet" }),
    note(2, "fault.started", { id: "fault-2", sealed: true }),
  ]);
  return { store, breaking, sent };
}

test("an answer ends the waiting of the one who asked, and of nobody else", async () => {
  const { breaking, sent } = stage();
  const first = breaking.inject({ name: "kill", target: "a/b" });
  const second = breaking.inject({ name: "kill", target: "no/such" });
  assert.deepEqual(
    sent.map(({ type, id }) => [type, id]),
    [
      ["inject", "id-1"],
      ["inject", "id-2"],
    ],
  );
  assert.equal(breaking.hear({ type: "error", id: "id-2", message: "there is no such component" }), true);
  assert.equal(await second, "there is no such component");
  assert.equal(breaking.hear({ type: "injected", id: "id-1", fault: "fault-3" }), true);
  assert.equal(await first, null);
  assert.equal(breaking.hear({ type: "error", id: "id-1", message: "late" }), false, "nobody waits any more");
  assert.equal(breaking.hear({ type: "error", message: "of something else" }), false);
});

test("without a connection the form is told at once", async () => {
  assert.equal(await stage({ online: false }).breaking.inject({ name: "kill", target: "a/b" }), "fault.offline");
});

test("a fault is healing from the press until the journal says that it is over, or the server that it cannot be", async () => {
  const { store, breaking } = stage();
  const healed = breaking.heal("fault-1");
  assert.ok(breaking.healing.value.has("fault-1"));
  breaking.hear({ type: "healed", id: "id-1" });
  assert.equal(await healed, null);
  assert.ok(breaking.healing.value.has("fault-1"));
  store.log.append([note(3, "fault.ended", { id: "fault-1", name: "kill" })]);
  assert.ok(!breaking.healing.value.has("fault-1"));
  assert.deepEqual(
    breaking.active.value.map(({ id }) => id),
    ["fault-2"],
  );
  const refused = breaking.heal();
  assert.ok(breaking.healing.value.has("fault-2"));
  breaking.hear({ type: "error", id: "id-2", message: "not now" });
  assert.equal(await refused, "not now");
  assert.ok(!breaking.healing.value.has("fault-2"));
});

test("where finding out is the exercise, a sealed fault is not listed", () => {
  assert.deepEqual(
    stage().breaking.active.value.map(({ id, name }) => [id, name]),
    [
      ["fault-1", "kill"],
      ["fault-2", null],
    ],
  );
  assert.deepEqual(
    stage({ hidden: true }).breaking.active.value.map(({ id }) => id),
    ["fault-1"],
  );
});
