/** The state at the cursor: what is asked, what differs, which version stands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { between, counted, share } from "../../static/js/state/changes.js";
import { FACTS, sorted } from "../../static/js/state/facts.js";
import { around, standingAt, valueText } from "../../static/js/state/history.js";
import { createQuestions, queryOf } from "../../static/js/state/questions.js";
import { windowOf } from "../../static/js/state/table.js";

const settled = () => new Promise((resolve) => setTimeout(resolve));

/** A server that answers when it is told to, and a clock that stands until it is moved. */
function door() {
  /** @type {string[]} */
  const asked = [];
  /** @type {((answer: any) => void)[]} */
  const open = [];
  /** @type {{at: number, then: () => void}[]} */
  let timers = [];
  let now = 0;
  const questions = createQuestions("/state/", {
    get: (address) => {
      asked.push(address);
      return new Promise((resolve) => open.push(resolve));
    },
    now: () => now,
    after: (ms, then) => {
      const timer = { at: now + ms, then };
      timers.push(timer);
      return timer;
    },
    cancel: (timer) => {
      timers = timers.filter((one) => one !== timer);
    },
  });
  return {
    asked,
    questions,
    /** @param {any} body @param {number} [status] */
    async reply(body, status = 200) {
      open.shift()?.({ ok: status === 200, status, json: async () => body });
      await settled();
    },
    /** @param {number} ms */
    async pass(ms) {
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { then } of due) then();
      await settled();
    },
  };
}

const step = (/** @type {number} */ at, query = "board/?") => ({ query, at, live: false });

test("one question is under way, and of what is wanted meanwhile only the newest is asked", async () => {
  const { asked, questions, reply } = door();
  for (const at of [9, 8, 7, 6]) questions.ask(step(at));
  assert.deepEqual(asked, ["/state/board/?at=9"]);
  await reply({ pods: 9 });
  assert.deepEqual(asked.slice(1), ["/state/board/?at=6"]);
  assert.equal(questions.answer.value.at, 9, "an answer that came is shown under its own number");
  await reply({ pods: 6 });
  assert.deepEqual([questions.answer.value.at, questions.answer.value.data, questions.answer.value.before?.at], [6, { pods: 6 }, 9]);
});

test("what was answered once is shown at once, and an answer that comes after it does not take its place", async () => {
  const { asked, questions, reply } = door();
  questions.ask(step(5));
  await reply({ pods: 5 });
  questions.ask(step(6));
  questions.ask(step(5));
  assert.equal(questions.answer.value.at, 5);
  await reply({ pods: 6 });
  assert.equal(questions.answer.value.at, 5);
  questions.ask(step(6));
  assert.deepEqual([questions.answer.value.at, asked.length], [6, 2]);
});

test("an answer to another view is kept, not shown", async () => {
  const { questions, reply } = door();
  questions.ask(step(5, queryOf("objects", { kind: "pods" })));
  questions.ask(step(5));
  await reply({ kinds: [] });
  assert.equal(questions.answer.value.data, null);
  await reply({ nodes: [] });
  assert.deepEqual([questions.answer.value.query, questions.answer.value.before], ["board/?", null]);
});

test("at the live end questions keep a distance; a step does not wait for it", async () => {
  const { asked, questions, reply, pass } = door();
  questions.ask({ ...step(1), live: true });
  await reply({});
  questions.ask({ ...step(2), live: true });
  questions.ask({ ...step(3), live: true });
  assert.equal(asked.length, 1);
  await pass(400);
  assert.deepEqual(asked.slice(1), ["/state/board/?at=3"]);
  await reply({});
  questions.ask({ ...step(4), live: true });
  questions.ask(step(2));
  assert.deepEqual(asked.slice(2), ["/state/board/?at=2"]);
});

test("a cluster that is busy is asked again later; a question that is wrong is not", async () => {
  const { asked, questions, reply, pass } = door();
  questions.ask(step(1));
  await reply({ message: "The cluster is busy." }, 503);
  assert.equal(questions.problem.value, "The cluster is busy.");
  await pass(2999);
  assert.equal(asked.length, 1);
  await pass(1);
  assert.equal(asked.length, 2);
  await reply({ message: "There is no such view." }, 404);
  await pass(60_000);
  assert.deepEqual([asked.length, questions.problem.value], [2, "There is no such view."]);
});

test("what stayed as it was stays the same object, so that only what differs is drawn", () => {
  const was = { kinds: [{ rows: [{ name: "a" }, { name: "b" }] }, { rows: [{ name: "c" }] }], seq: 1 };
  const is = share(was, { kinds: [{ rows: [{ name: "a" }, { name: "B" }] }, { rows: [{ name: "c" }] }], seq: 1 });
  assert.equal(is.kinds[0].rows[0], was.kinds[0].rows[0]);
  assert.equal(is.kinds[1], was.kinds[1]);
  assert.notEqual(is.kinds[0].rows[1], was.kinds[0].rows[1]);
  assert.equal(share(was, structuredClone(was)), was);
  assert.deepEqual(share({ a: 1, b: 2 }, { a: 1 }), { a: 1 }, "what is gone is gone");
  assert.deepEqual(share([1, 2], [1]), [1]);
});

const pods = (/** @type {[string, string, string, number][]} */ ...rows) => ({
  kinds: [
    {
      resource: "pods",
      group: "",
      columns: ["Name", "Status", "Age"].map((name) => ({ name, wide: false })),
      rows: rows.map(([name, status, age, seq]) => ({ namespace: "default", name, cells: [name, status, age], seq })),
    },
  ],
});

test("a step's changes are a diff, either way; getting older is none", () => {
  const was = FACTS.objects(pods(["web-1", "Pending", "1s", 4], ["web-2", "Running", "1s", 5]));
  const is = FACTS.objects(pods(["web-1", "Running", "2s", 7], ["web-2", "Running", "2s", 5], ["web-3", "Pending", "0s", 6]));
  const [first, second, ...none] = between(was, is);
  assert.deepEqual(none, []);
  assert.deepEqual([first.key, first.sign, first.seq], ["pods/default/web-1", "~", 7]);
  assert.deepEqual(first.fields[0], { label: "Status", was: "Pending", is: "Running" });
  assert.deepEqual([second.title, second.sign], ["web-3", "+"]);
  assert.deepEqual(
    between(is, was).map(({ title, sign }) => `${sign} ${title}`),
    ["~ web-1", "− web-3"],
  );
  assert.deepEqual(counted(between(was, is)), [["pods", 2]]);
});

test("a pod that is bound moves from those that wait to its node", () => {
  const pod = { namespace: "default", name: "web-1", status: "Pending", ready: "0/1", restarts: 0, seq: 4 };
  const node = { name: "worker-1", status: "Ready", seq: 1, taints: [], pods: [pod] };
  const [change] = between(FACTS.board({ nodes: [], waiting: [pod] }), FACTS.board({ nodes: [node], waiting: [] })).filter(
    ({ about }) => about === "pods",
  );
  assert.deepEqual(change.fields, [{ label: "Node", was: "", is: "worker-1" }]);
});

test("the reader's own objects come before the system's", () => {
  const row = (/** @type {string} */ namespace, /** @type {string} */ name) => ({ namespace, name, seq: 1 });
  const rows = sorted([row("kube-system", "a"), row("shop", "b"), row("default", "z"), row("default", "c")]);
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["c", "z", "b", "a"],
  );
});

test("the version that stands at the cursor is the last written by then, and is among those shown", () => {
  const versions = Array.from({ length: 30 }, (_, i) => ({ seq: 10 * (i + 1) }));
  assert.equal(standingAt(versions, 9), -1);
  assert.equal(standingAt(versions, 10), 0);
  assert.equal(standingAt(versions, 199), 18);
  for (const standing of [-1, 0, 5, 18, 29]) {
    const { start, shown } = around(versions, standing, 9);
    assert.equal(shown.length, 9);
    assert.ok(standing < 0 ? start === 0 : start <= standing && standing < start + 9, String(standing));
  }
  assert.equal(around(versions.slice(0, 2), 1, 9).shown.length, 2);
});

test("a diff says texts plainly, unless they could be taken for something else", () => {
  const said = ["worker-1", "registry.k8s.io/pause:3.10", "true", "a b", "", 3, { a: 1 }, null].map(valueText);
  assert.deepEqual(said, ["worker-1", "registry.k8s.io/pause:3.10", '"true"', '"a b"', '""', "3", '{"a":1}', "null"]);
});

test("a window of a list begins at a page of it, also when the list has become shorter", () => {
  const all = Array.from({ length: 20 }, (_, i) => i);
  assert.deepEqual(windowOf(all, 8, 8), { start: 8, rows: [8, 9, 10, 11, 12, 13, 14, 15] });
  assert.deepEqual(windowOf(all.slice(0, 9), 16, 8), { start: 8, rows: [8] });
  assert.deepEqual(windowOf([], 8, 8), { start: 0, rows: [] });
});
