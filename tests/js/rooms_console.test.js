/** The instructor's console: order, counts, news, and what is sent when something is broken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnnouncer } from "../../static/js/rooms/announcer.js";
import { countsOf, groupsOf, isBroken, newsOf, ordered, tallyOf } from "../../static/js/rooms/board.js";
import { createBreaking, targetsOf } from "../../static/js/rooms/breaking.js";
import { MOMENTS, momentOf } from "../../static/js/rooms/presets.js";
import { instant, targetsText, whenText } from "../../static/js/rooms/words.js";
import { createStrings } from "../../static/js/strings.js";
import { wordsOf } from "./fixtures/words.js";

/** @typedef {import("../../static/js/rooms/live.js").Row} Row */

const words = wordsOf("en");
const { t } = createStrings(words, "en");

/** @param {number} member @param {Partial<Row>} [more] @returns {Row} */
const row = (member, more = {}) => ({
  member,
  name: `learner ${member}`,
  group: "",
  online: true,
  cluster: { id: `c${member}`, state: "running" },
  where: null,
  help: null,
  reports: {},
  ...more,
});
const report = (more = {}) => ({
  applied: "2026-11-21T10:00:00Z",
  problem: null,
  noticed: null,
  diagnosed: null,
  tries: 0,
  healed: null,
  ...more,
});
const numbers = (/** @type {Row[]} */ rows) => rows.map(({ member }) => member);

test("who asks for help comes first whatever the order, the longest wait first of all", () => {
  const rows = [row(1), row(2, { help: "2026-11-21T10:05:00Z" }), row(3), row(4, { help: "2026-11-21T10:01:00Z" })];
  assert.deepEqual(numbers(ordered(rows, { by: "name", down: false })), [4, 2, 1, 3]);
  assert.deepEqual(numbers(ordered(rows, { by: "name", down: true })), [4, 2, 3, 1]);
});

test("a board is sorted by what was passed, by group and by who is here", () => {
  const where = (/** @type {number} */ checks) => ({ lesson: "x", beat: null, checks, of: 4, last: null });
  const rows = [row(1, { where: where(1), group: "B" }), row(2, { where: where(3), group: "A", online: false }), row(3, { group: "B" })];
  assert.deepEqual(numbers(ordered(rows, { by: "where", down: false })), [2, 1, 3]);
  assert.deepEqual(numbers(ordered(rows, { by: "group", down: false })), [2, 1, 3]);
  assert.deepEqual(numbers(ordered(rows, { by: "online", down: false })), [1, 3, 2]);
  assert.deepEqual(numbers(ordered(rows, { by: "name", down: false }, "B")), [1, 3]);
});

test("groups are those in use, and those without one only where there are any", () => {
  assert.deepEqual(groupsOf([row(1, { group: "B" }), row(2, { group: "A" }), row(3)]), ["A", "B", ""]);
  assert.deepEqual(groupsOf([row(1), row(2)]), []);
  assert.deepEqual(countsOf([row(1), row(2, { online: false, help: "x" })]), { all: 2, online: 1, help: 1 });
});

test("an incident is counted over those it concerns, and each problem is told once", () => {
  const rows = [
    row(1, { reports: { 7: report({ noticed: 4, diagnosed: 9 }) } }),
    row(2, { reports: { 7: report({ applied: null, problem: "no worker-5" }) } }),
    row(3, { reports: { 7: report({ applied: null, problem: "no worker-5" }) } }),
    row(4),
  ];
  assert.deepEqual(tallyOf(/** @type {any} */ ({ id: 7 }), rows), {
    of: 3,
    applied: 1,
    noticed: 1,
    diagnosed: 1,
    problems: ["no worker-5"],
  });
});

test("who may be healed is who has something broken, whomever it was aimed at, and not healed", () => {
  const broken = (/** @type {any} */ reports) => isBroken(row(1, { reports }));
  assert.ok(broken({ 7: report() }) && broken({ 7: report({ applied: null }) }));
  assert.ok(
    !broken({}) &&
      !broken({ 7: report({ healed: "2026-11-21T10:00:00Z" }) }) &&
      !broken({ 7: report({ applied: null, problem: "no worker-5" }) }),
  );
});

test("news is a hand that goes up and a fault that was found, not what was so already", () => {
  const before = new Map([
    [1, row(1)],
    [2, row(2, { help: "x" })],
    [3, row(3, { reports: { 7: report() } })],
  ]);
  const after = new Map([
    [1, row(1, { help: "y" })],
    [2, row(2, { help: "x" })],
    [3, row(3, { reports: { 7: report({ noticed: 1, diagnosed: 2 }) } })],
    [9, row(9, { help: "z" })],
  ]);
  assert.deepEqual(newsOf(before, after), [
    { kind: "help", names: ["learner 1"] },
    { kind: "diagnosed", names: ["learner 3"] },
  ]);
  assert.deepEqual(newsOf(after, after), []);
});

test("forty hands at once are one sentence, and the next comes only after a pause", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const announcer = createAnnouncer({ t });
  /** @type {string[]} */
  const said = [];
  announcer.text.subscribe((text) => text && said.push(text));
  for (let member = 1; member <= 40; member += 1) {
    announcer.hear([{ kind: "help", names: [`learner ${member}`] }]);
    context.mock.timers.tick(20);
  }
  context.mock.timers.tick(1200);
  assert.deepEqual(said, ["40 learners ask for help."]);
  announcer.hear([
    { kind: "diagnosed", names: ["Anna"] },
    { kind: "diagnosed", names: ["Ben"] },
  ]);
  context.mock.timers.tick(1500);
  assert.equal(said.length, 1, "not so soon");
  context.mock.timers.tick(4000);
  assert.deepEqual(said[1], "Anna, Ben have found the fault.");
});

/** @param {boolean} [online] */
function breaker(online = true) {
  /** @type {any[]} */
  const sent = [];
  let count = 0;
  const breaking = createBreaking({ send: (frame) => online && Boolean(sent.push(frame)), t, newId: () => `b${++count}` });
  return { breaking, sent };
}

test("a break says whose clusters and when, and its answer finds its form", async () => {
  const { breaking, sent } = breaker();
  const first = breaking.break({ name: "stop", target: "control-plane/etcd" }, { group: "A" }, MOMENTS.binding);
  const second = breaking.break({ name: "stop", target: "worker-9/kubelet" }, { all: true }, null);
  assert.deepEqual(sent[0], {
    type: "break",
    id: "b1",
    fault: { name: "stop", target: "control-plane/etcd" },
    targets: { group: "A" },
    when: MOMENTS.binding,
  });
  assert.equal("when" in sent[1], false);
  assert.equal(breaking.hear({ type: "error", id: "b2", message: "there is no worker-9" }), true);
  assert.equal(breaking.hear({ type: "broken", id: "b1", incident: 1, targets: 3 }), true);
  assert.equal(await second, "there is no worker-9");
  assert.equal(await first, null);
  assert.equal(breaking.hear({ type: "error", id: null, message: "too fast" }), false);
});

test("a break that nobody answers, or that cannot be sent, says so", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  assert.equal(await breaker(false).breaking.break({ name: "stop" }, { all: true }, null), words["fault.offline"]);
  const waiting = breaker().breaking.break({ name: "stop" }, { all: true }, null);
  context.mock.timers.tick(60_000);
  assert.equal(await waiting, words["room.break.silent"]);
});

test("what is chosen in the form is what the server takes", () => {
  assert.deepEqual(targetsOf("all"), { all: true });
  assert.deepEqual(targetsOf("group A b"), { group: "A b" });
  assert.deepEqual(targetsOf("member 12"), { member: 12 });
});

test("a moment is recognised again, and somebody's own predicate is not taken for one", () => {
  for (const name of Object.keys(MOMENTS)) {
    assert.equal(momentOf(structuredClone(MOMENTS[name])), name);
    assert.ok(words[`room.when.${name}`], name);
  }
  assert.equal(momentOf({ entry: { kind: "tcp.rst" } }), null);
  assert.equal(momentOf(null), "now");
});

test("an incident is told in words: whose, when, and an instant of the day or of the cluster", () => {
  const rows = new Map([[3, row(3, { name: "Anna" })]]);
  assert.equal(targetsText({ member: 3 }, rows, t), "Anna");
  assert.equal(targetsText({ member: 4 }, rows, t), words["room.target.gone"]);
  assert.equal(targetsText({ group: "A" }, rows, t), "group A");
  assert.equal(targetsText({ all: true }, rows, t), "all");
  assert.equal(whenText(/** @type {any} */ ({ when: null, fault: { start: 30 } }), t), "after 30 s");
  assert.equal(whenText(/** @type {any} */ ({ when: { not: {} }, fault: {} }), t), words["room.when.own"]);
  assert.equal(instant(75.4, "en"), "1:15");
});

test("every word that the console puts together exists", () => {
  for (const column of ["name", "group", "online", "where"]) assert.ok(words[`room.column.${column}`]);
  for (const key of ["open", "break", "heal", "forget"]) assert.ok(words[`room.row.${key}`]);
  for (const what of ["close", "delete"]) assert.ok(words[`room.${what}`] && words[`room.${what}.text`] && words[`room.${what}.short`]);
  for (const state of ["asked", "noticed", "false", "offline"]) assert.ok(words[`room.alarm.${state}`]);
  for (const kind of ["help", "diagnosed"]) assert.ok(words[`room.news.${kind}_one`] && words[`room.news.${kind}.many`]);
});
