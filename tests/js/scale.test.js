/** The timeline's scale: the start folded, every other row with a step of its own, pages of it when zoomed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Plan } from "../../static/js/layout.js";
import { movedTo, scaleOf, timeScaleOf, zoomed } from "../../static/js/scale.js";
import { journal } from "./fixtures/journal.js";

test("without a start each row is a step", () => {
  const scale = scaleOf(50, 0);
  assert.equal(scale.steps, 50);
  for (let row = 0; row <= 50; row += 1) assert.deepEqual([scale.at(row), scale.behind(row)], [row, row]);
});

test("a folded start takes a small part, and every later row keeps a step that leads back to it", () => {
  const scale = scaleOf(1011, 612);
  assert.ok(scale.start / scale.steps < 0.06);
  for (let row = 612; row <= 1011; row += 1) assert.equal(scale.behind(scale.at(row)), row);
  assert.deepEqual([scale.behind(0), scale.behind(scale.start), scale.behind(scale.steps)], [0, 612, 1011]);
  let last = -1;
  for (let row = 0; row <= 1011; row += 1) {
    assert.ok(scale.at(row) > last, `row ${row}`);
    last = scale.at(row);
  }
});

test("zoomed, a page holds the place, and going along it never leaves it before its end", () => {
  assert.deepEqual(zoomed(100, 37, 1), { from: 0, to: 100 });
  for (let at = 0; at <= 100; at += 1) {
    const { from, to } = zoomed(100, at, 8);
    assert.ok(from <= at && at <= to, `${at} in ${from} to ${to}`);
    assert.equal(to - from, 13);
  }
});

test("the start is over with the first command, for good", () => {
  const { entries } = journal({ idleSeconds: 20 });
  const plan = new Plan({ altitude: "story", foldHeartbeats: true });
  let settled = 0;
  for (const entry of entries) {
    plan.add(entry);
    if (settled) assert.equal(plan.boot, settled);
    settled = plan.boot;
  }
  assert.ok(settled > 20);
  assert.ok(plan.rows.slice(0, settled).every((row) => row.entry.kind !== "command.started"));
});

/** Rows at these seconds. @param {number[]} times */
const at = (...times) => times.map((time) => ({ time }));

test("by time a pause is as wide as it was long, and what is of one instant has one place", () => {
  const scale = timeScaleOf(at(0, 1, 1, 5, 10), 0);
  const places = [1, 2, 3, 4, 5].map((behind) => scale.at(behind) / scale.steps);
  assert.deepEqual(places, [0, 0.1, 0.1, 0.5, 1]);
  for (const behind of [3, 4, 5]) assert.equal(scale.behind(scale.at(behind)), behind);
  assert.equal(scale.behind(scale.steps * 0.3), 3);
  assert.deepEqual(zoomed(scale.steps, scale.at(4), 4), { from: scale.steps / 4, to: scale.steps / 2 });
});

test("by time the start stays folded, and places never go back", () => {
  const { entries } = journal({ idleSeconds: 20 });
  const plan = new Plan({ altitude: "story", foldHeartbeats: true }).extend(entries);
  const scale = timeScaleOf(plan.rows, plan.boot);
  assert.ok(scale.start / scale.steps < 0.06);
  assert.deepEqual([scale.behind(0), scale.behind(scale.start), scale.behind(scale.steps)], [0, plan.boot, plan.rows.length]);
  for (let row = 1; row <= plan.rows.length; row += 1) assert.ok(scale.at(row) >= scale.at(row - 1), `row ${row}`);
});

test("a key goes on at the end of a pause, and back to its beginning", () => {
  const rows = at(0, 1, 9, 10);
  const scale = timeScaleOf(rows, 0);
  const here = Math.round(scale.at(2));
  assert.equal(movedTo(scale, 2, here + 1, 4), 3);
  assert.equal(movedTo(scale, 3, Math.round(scale.at(3)) - 1, 4), 2);
  assert.equal(movedTo(scale, 2, here + 100, 4), 2, "what is dragged stays where it is");
});

test("where no time passes, rows are counted", () => {
  assert.equal(timeScaleOf(at(3, 3, 3), 0).steps, 3);
  assert.equal(timeScaleOf([], 0).steps, 0);
});
