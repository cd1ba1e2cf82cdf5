/** The tree of runs: each under the one it left, the oldest first; who left one that is gone stands alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { besideOf, treeOf } from "../../static/js/branches/tree.js";

/** @param {string} id @param {string | null} parent @param {number | null} at @returns {import("../../static/js/branches/tree.js").Run} */
const run = (id, parent, at) => ({ id, parent, at, url: "", name: "", seq: 1, same: null, outside: false, state: "running", me: false });

/** @param {import("../../static/js/branches/tree.js").Node[]} nodes @returns {any} */
const shape = (nodes) => nodes.map(({ id, number, branches }) => [id, number, shape(branches)]);

test("each run stands under the one it left, and branches are counted as they were made", () => {
  const runs = [run("a", null, null), run("b", "a", 4.2), run("c", "a", 1), run("d", "b", 9)];
  assert.deepEqual(shape(treeOf(runs)), [
    [
      "a",
      0,
      [
        ["b", 1, [["d", 3, []]]],
        ["c", 2, []],
      ],
    ],
  ]);
});

test("where the run that it left is gone, a branch stands alone", () => {
  assert.deepEqual(shape(treeOf([run("b", null, 4.2), run("c", "of somebody else", 1)])), [
    ["b", 1, []],
    ["c", 2, []],
  ]);
});

test("the original is the first of two runs that stand side by side", () => {
  assert.equal(besideOf("a", { id: "b", number: 1 }), "/clusters/a/beside/b/");
  assert.equal(besideOf("b", { id: "a", number: 0 }), "/clusters/a/beside/b/");
  assert.equal(besideOf("b", { id: "c", number: 2 }), "/clusters/b/beside/c/");
});
