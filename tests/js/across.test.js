/** Where lanes stand across: pinned ones at the left edge, the others behind it once they are scrolled away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Across, LEFT, staying } from "../../static/js/diagram/across.js";

const lanes = [{ slot: 2 }, { slot: 0 }, { slot: 1 }, { slot: 3 }];

test("without pinned lanes the drawing does not depend on how far it is scrolled", () => {
  const [still, scrolled] = [new Across(lanes, 100), new Across(lanes, 100, 0, 250)];
  for (const index of lanes.keys()) {
    assert.equal(scrolled.x(index), still.x(index));
    assert.equal(scrolled.isBehind(index), false);
  }
  assert.equal(scrolled.left, 0);
});

test("a pinned lane keeps its place in the window, however far the others are scrolled", () => {
  for (const left of [0, 1, 99, 250]) {
    const across = new Across(lanes, 100, 1, left);
    assert.equal(across.x(1) - left, LEFT + 50);
    assert.ok(across.isHeld(1) && !across.isBehind(1));
  }
});

test("what is scrolled past the pinned lanes ends at their edge, and is never drawn on one of them", () => {
  const across = new Across(lanes, 100, 1, 120);
  assert.equal(across.edge, 120 + LEFT + 100);
  assert.deepEqual([...lanes.keys()].map(across.isBehind), [false, false, true, false]);
  assert.equal(across.x(2), across.edge);
  assert.equal(across.x(0), across.unmoved(0), "those in view stand where they do without pins");
});

test("pinned lanes leave room for two others, or scroll away as all do", () => {
  assert.equal(staying(3, 9, 1000, 100), 3);
  assert.equal(staying(3, 9, 294, 70), 2);
  assert.equal(staying(9, 9, 1000, 100), 0, "nothing is left to scroll");
  assert.equal(staying(1, 9, 140, 70), 0);
});
