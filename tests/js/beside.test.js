/** What is shown of two runs beside each other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { about, drawn, firstDifference, nextDifference, objectsOf, ROWS_DRAWN_MAX, secondsOf } from "../../static/js/pages/besideview.js";

/** @param {string} sorts one letter a row: = both, ! differs, a and b */
const rowsOf = (sorts, objects = "") =>
  [...sorts].map((sort, place) => ({
    is: /** @type {"both" | "differs" | "a" | "b"} */ ({ "=": "both", "!": "differs" }[sort] ?? sort),
    object: objects[place] ?? "",
    say: "",
    a: sort === "b" ? null : { seq: place + 1, at: place / 2, say: "" },
    b: sort === "a" ? null : { seq: place + 1, at: place / 4, say: "" },
    fields: [],
  }));

test("a reader goes from difference to difference, and stays where there is none", () => {
  const rows = rowsOf("==!=ab=");
  assert.equal(firstDifference(rows), 2);
  assert.deepEqual([nextDifference(rows, 2, 1), nextDifference(rows, 4, 1), nextDifference(rows, 5, 1)], [4, 5, 5]);
  assert.deepEqual([nextDifference(rows, 4, -1), nextDifference(rows, 2, -1)], [2, 2]);
  assert.equal(firstDifference(rowsOf("==")), 0);
  assert.equal(firstDifference([]), 0);
});

test("so many rows are drawn at most, the chosen one among them", () => {
  for (const count of [0, 1, ROWS_DRAWN_MAX, 1000])
    for (const chosen of [0, 1, 37, 500, 999].filter((place) => place < count)) {
      const { from, to } = drawn(count, chosen);
      assert.ok(from <= chosen && chosen < to && to <= count);
      assert.equal(to - from, Math.min(count, ROWS_DRAWN_MAX));
      assert.ok(Number.isInteger(from));
    }
  assert.deepEqual(drawn(0, 0), { from: 0, to: 0 });
});

test("objects are offered by how much is said of them, and rows of one are kept", () => {
  const rows = rowsOf("!!!a", "ppd");
  assert.deepEqual(objectsOf(rows), [
    { object: "p", count: 2 },
    { object: "d", count: 1 },
  ]);
  assert.deepEqual(about(rows, "d"), [rows[2]]);
  assert.equal(about(rows, ""), rows);
});

test("a row is of the time at which it was first said", () => {
  assert.deepEqual(rowsOf("==ab").map(secondsOf), ["0.0000 s", "0.2500 s", "1.0000 s", "0.7500 s"]);
});
