import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { joined, mergeProgress, progressIn, readProgress, saveProgress } from "../../static/js/progress.js";

/** @type {Map<string, string>} */
const kept = new Map();
/** @type {any} */ (globalThis).localStorage = {
  getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
  setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
};
beforeEach(() => kept.clear());

const lesson = "exercises/node-down";

test("what is saved is read again, lesson by lesson", () => {
  saveProgress(lesson, { hints: 1 });
  saveProgress("walkthroughs/mutual-tls", { beat: "client-hello", beats: [2, 7] });
  saveProgress(lesson, { answers: { right: 1, total: 2 } });
  const all = readProgress();
  assert.deepEqual([all[lesson].hints, all[lesson].answers, all[lesson].solvedAt], [1, { right: 1, total: 2 }, null]);
  assert.deepEqual([all["walkthroughs/mutual-tls"].beat, all["walkthroughs/mutual-tls"].beats], ["client-hello", [2, 7]]);
});

test("what was solved once stays solved, also when it is begun again", () => {
  saveProgress(lesson, { solvedAt: "2026-11-01T10:00:00.000Z" });
  saveProgress(lesson, { solvedAt: null, hints: 0 });
  saveProgress(lesson, { solvedAt: "2026-11-09T10:00:00.000Z" });
  assert.equal(readProgress()[lesson].solvedAt, "2026-11-01T10:00:00.000Z");
});

test("joining keeps what is solved on either side, and the later of the rest, in either order", () => {
  const here = { [lesson]: { beat: "a", beats: null, solvedAt: null, hints: 2, answers: { right: 0, total: 1 }, at: "2026-11-02" } };
  const there = {
    [lesson]: { beat: "b", beats: null, solvedAt: "2026-10-01", hints: 0, answers: { right: 1, total: 1 }, at: "2026-11-01" },
  };
  for (const both of [joined(here, there), joined(there, here)])
    assert.deepEqual([both[lesson].beat, both[lesson].hints, both[lesson].solvedAt], ["a", 2, "2026-10-01"]);
  saveProgress("walkthroughs/watch", { beat: "x" });
  assert.deepEqual(Object.keys(mergeProgress(there)).sort(), [lesson, "walkthroughs/watch"]);
});

test("what others wrote under the key does no harm", () => {
  for (const odd of [
    "not json",
    "[1]",
    "null",
    '{"exercises/a":5}',
    '{"__proto__":{"beat":"x"},"exercises/a":{"hints":"many","beat":{}}}',
  ]) {
    kept.set("glassplane:progress", odd);
    for (const one of Object.values(readProgress())) assert.deepEqual([one.beat, one.hints], [null, 0]);
    saveProgress(lesson, { hints: 1 });
    assert.equal(readProgress()[lesson].hints, 1);
  }
});

test("a file that was saved is read back, and one that is none is refused", () => {
  saveProgress(lesson, { hints: 2, solvedAt: "2026-11-01T10:00:00.000Z" });
  const all = readProgress();
  assert.deepEqual(progressIn(JSON.stringify(all)), all);
  for (const none of ["", "[]", "null", "5", '"text"', "{", "<html>"]) assert.equal(progressIn(none), null);
  assert.deepEqual(progressIn('{"kind": "Pod", "walkthroughs/../x": {}}'), {});
});

test("an instant that is none, or still to come, does not win for ever", () => {
  const found = progressIn(JSON.stringify({ [lesson]: { at: "9999-01-01T00:00:00Z", solvedAt: "some day", hints: 1 } }));
  assert.ok(found);
  assert.equal(found[lesson].solvedAt, null);
  assert.ok(Date.parse(found[lesson].at) <= Date.now());
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`exercises/n${n}`, { hints: 1 }]));
  assert.equal(Object.keys(progressIn(JSON.stringify(many)) ?? {}).length, 500);
});
