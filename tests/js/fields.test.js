/** Fields as rows of a tree, the field of a byte, and bytes in runs that are drawn alike. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toldBy } from "../../static/js/fields/reasons.js";
import { above, fieldAt, firstOpen, ownAt, pathAt, rowsOf, windowAt } from "../../static/js/fields/fieldtree.js";
import { bytesOf, hexRows, runs } from "../../static/js/hex.js";

/** @type {import("../../static/js/fields/fieldtree.js").Field[]} */
const FIELDS = [
  ["head", 0, 2, "h", []],
  [
    "body",
    2,
    8,
    "b",
    [
      ["length", 2, 3, "5", []],
      ["list", 3, 8, "", Array.from({ length: 5 }, (_, at) => /** @type {any} */ (["item", 3 + at, 4 + at, String(at), []]))],
    ],
  ],
];

test("the first of the entry's own is found where others stand before it", () => {
  const named = (/** @type {string[]} */ ...names) =>
    names.map((name, at) => /** @type {import("../../static/js/fields/fieldtree.js").Field} */ ([name, at, at + 1, "", []]));
  assert.equal(ownAt(named("http2.preface", "http2.other_frame", "http2.frame", "http2.other_frame", "http2.frame")), "2");
  assert.equal(ownAt(named("any.other", "tls.record")), "1");
  for (const none of [FIELDS, [], named("http2.frame", "http2.other_frame"), named("http2.other_frame")]) assert.equal(ownAt(none), "");
});

test("what is folded has no rows, and a row says its place among its siblings", () => {
  assert.deepEqual(
    rowsOf(FIELDS, new Set()).map((row) => row.path),
    ["0", "1"],
  );
  const rows = rowsOf(FIELDS, new Set(["1", "1.1"]));
  assert.equal(rows.length, 9);
  assert.deepEqual([rows[4].path, rows[4].depth, rows[4].place, rows[4].siblings], ["1.1.0", 2, 1, 5]);
});

test("as many levels are open at first as stay readable", () => {
  assert.deepEqual([...firstOpen(FIELDS, 4)], ["1"]);
  assert.deepEqual([...firstOpen(FIELDS, 9)], ["1", "1.1"]);
  assert.deepEqual([...firstOpen([])], []);
});

test("a byte belongs to the deepest field over it", () => {
  assert.deepEqual(
    [0, 2, 5, 7, 8].map((at) => pathAt(FIELDS, at)),
    ["0", "1.0", "1.1.2", "1.1.4", ""],
  );
  assert.deepEqual(above("1.1.2"), ["1", "1.1"]);
  assert.equal(fieldAt(FIELDS, "1.1.2")?.[3], "2");
  for (const none of ["", "7", "0.0", "1.1.9"]) assert.equal(fieldAt(FIELDS, none), null);
});

test("a window moves no further than it has to", () => {
  assert.deepEqual([windowAt(0, 5, 10), windowAt(0, 10, 10), windowAt(20, 5, 10)], [0, 1, 5]);
});

test("a row's bytes come in runs: unmarked, marked, under the cursor", () => {
  const [, row] = hexRows(bytesOf("000102030405060708090a0b0c0d0e0f"), 8);
  const shown = (/** @type {[number, number, number]} */ ...where) => runs(row, ...where).map((run) => [run.hex, run.marked, run.cursor]);
  assert.deepEqual(shown(0, 0, -1), [["08 09 0a 0b 0c 0d 0e 0f", false, false]]);
  assert.deepEqual(shown(4, 10, -1), [
    ["08 09", true, false],
    ["0a 0b 0c 0d 0e 0f", false, false],
  ]);
  assert.deepEqual(shown(9, 12, 10), [
    ["08", false, false],
    ["09", true, false],
    ["0a", true, true],
    ["0b", true, false],
    ["0c 0d 0e 0f", false, false],
  ]);
});

test("a reason is said in the reader's language with its numbers, and stays English where it is not known", () => {
  const told = toldBy({ "{count} bytes wanted, {here} are here": "{count} Bytes erwartet, {here} sind hier", "k8s\\0 (": "Anfang" });
  assert.equal(told("4 bytes wanted, 2 are here"), "4 Bytes erwartet, 2 sind hier");
  assert.equal(told("k8s\\0 ("), "Anfang");
  assert.equal(told("4 bytes wanted, 2 are here, and more"), "4 bytes wanted, 2 are here, and more");
});
