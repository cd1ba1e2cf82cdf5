/** Where somebody goes on, how much of a course is done, and what comes up to be repeated. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { doneOf, goOn, REPEAT_AFTER_DAYS, stateOf, toRepeat, tryNext } from "../../static/js/pages/standing.js";

const WAY = ["a", "b", "c", "d"].map((slug) => ({
  course: slug < "c" ? "first" : "second",
  lesson: `exercises/${slug}`,
  title: slug.toUpperCase(),
  url: `/exercises/${slug}/`,
}));
const [A, B, C, D] = WAY;

/** A note: done or not, at a day of November, with so many hints and answers. */
const note = (/** @type {boolean} */ done, /** @type {number} */ day, hints = 0, right = 1, total = 1) => ({
  beat: null,
  beats: null,
  solvedAt: done ? `2026-11-${day + 9}T10:00:00.000Z` : null,
  hints,
  answers: { right, total },
  at: `2026-11-${day + 9}T10:00:00.000Z`,
});

test("somebody new goes nowhere yet, and somebody who has done all is done", () => {
  assert.equal(goOn(WAY, {}), null);
  assert.equal(goOn(WAY, Object.fromEntries(WAY.map((one) => [one.lesson, note(true, 1)]))), null);
  assert.equal(goOn(WAY, { "exercises/of-another-version": note(true, 1) }), null);
});

test("what was begun last is gone on with, else the next that is not done, at last what was passed over", () => {
  assert.equal(goOn(WAY, { [A.lesson]: note(true, 1), [C.lesson]: note(false, 2) }), C);
  assert.equal(goOn(WAY, { [A.lesson]: note(true, 1) }), B);
  assert.equal(goOn(WAY, { [A.lesson]: note(true, 3), [C.lesson]: note(true, 2) }), B);
  assert.equal(goOn(WAY, { [D.lesson]: note(true, 1) }), A);
  assert.equal(goOn(WAY, { [C.lesson]: note(true, 1), [D.lesson]: note(true, 2), [A.lesson]: note(true, 0) }), B);
});

test("a course counts what is done of it and nothing else", () => {
  const progress = { [A.lesson]: note(true, 1), [B.lesson]: note(false, 1), [C.lesson]: note(true, 1) };
  assert.deepEqual(doneOf(WAY, progress, "first"), { done: 1, of: 2 });
  assert.deepEqual(doneOf(WAY, progress, "none"), { done: 0, of: 0 });
});

test("to repeat is what was done with a wrong prediction, none, or a hint, and lies some days back", () => {
  const now = Date.parse("2026-11-20T10:00:00.000Z");
  const fresh = 11 - REPEAT_AFTER_DAYS + 1;
  const repeated = (/** @type {ReturnType<typeof note>} */ one) => toRepeat(WAY, { [A.lesson]: one }, now).length === 1;
  assert.ok(repeated(note(true, fresh - 1, 1)), "a hint");
  assert.ok(repeated(note(true, fresh - 1, 0, 1, 2)), "a wrong prediction");
  assert.ok(repeated(note(true, fresh - 1, 0, 0, 0)), "no prediction");
  assert.ok(!repeated(note(true, fresh - 1)), "all right, no hint");
  assert.ok(!repeated(note(true, fresh, 1)), "not long ago");
  assert.ok(!repeated(note(false, 1, 1)), "not done");
  assert.ok(!repeated({ ...note(true, 1, 1), at: "" }), "nobody knows when");
});

test("what was left longest is repeated first", () => {
  const progress = { [A.lesson]: note(true, 3, 1), [B.lesson]: note(true, 1, 1), [C.lesson]: note(true, 2, 1) };
  assert.deepEqual(toRepeat(WAY, progress, Date.parse("2026-12-01T00:00:00Z")), [B, C, A]);
});

const SUBJECTS = [
  { name: "first", lessons: [A.lesson, C.lesson] },
  { name: "second", lessons: [B.lesson, D.lesson] },
];

test("a subject is done when all its lessons are, and begun when one is begun or done", () => {
  assert.deepEqual(stateOf(["", ""]), { state: "", done: 0, of: 2 });
  assert.deepEqual(stateOf(["begun", ""]), { state: "begun", done: 0, of: 2 });
  assert.deepEqual(stateOf(["done", ""]), { state: "begun", done: 1, of: 2 });
  assert.deepEqual(stateOf(["done", "done"]), { state: "done", done: 2, of: 2 });
  assert.deepEqual(stateOf([]), { state: "", done: 0, of: 0 });
});

test("to try next is what was begun last, else more of its subject, else what the way goes on with", () => {
  assert.equal(tryNext(SUBJECTS, WAY, {}), null);
  assert.deepEqual(tryNext(SUBJECTS, WAY, { [A.lesson]: note(true, 1), [D.lesson]: note(false, 2) }), {
    stop: D,
    subject: "second",
  });
  assert.deepEqual(tryNext(SUBJECTS, WAY, { [A.lesson]: note(true, 1) }), { stop: C, subject: "first" });
  const first = { [A.lesson]: note(true, 1), [C.lesson]: note(true, 2) };
  assert.deepEqual(tryNext(SUBJECTS, WAY, first), { stop: D, subject: null });
  assert.deepEqual(tryNext([], WAY, { [A.lesson]: note(true, 1) }), { stop: B, subject: null });
  assert.equal(tryNext(SUBJECTS, WAY, Object.fromEntries(WAY.map((one) => [one.lesson, note(true, 1)]))), null);
});
