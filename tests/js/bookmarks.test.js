/** Bookmarks: set and taken away, in the journal's order, kept for each cluster within bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BOOKMARKS_MAX, NOTE_MAX, createBookmarks } from "../../static/js/bookmarks.js";

/** @param {Map<string, string>} kept @returns {import("../../static/js/kept.js").Shelf} */
const shelf = (kept) => ({ recall: (key) => kept.get(key) ?? null, keep: (key, value) => void kept.set(key, value) });

test("bookmarks stand in the journal's order, keep their notes, and another cluster's are its own", () => {
  const kept = new Map();
  const bookmarks = createBookmarks({ cluster: "one", shelf: shelf(kept) });
  for (const seq of [30, 10, 20, null]) bookmarks.toggle(seq);
  bookmarks.write(20, "here it went wrong");
  bookmarks.toggle(30);
  const wanted = [
    { seq: 10, note: "" },
    { seq: 20, note: "here it went wrong" },
  ];
  assert.deepEqual(bookmarks.list.value, wanted);
  createBookmarks({ cluster: "two", shelf: shelf(kept) }).toggle(7);
  assert.deepEqual(createBookmarks({ cluster: "one", shelf: shelf(kept) }).list.value, wanted);
});

test("their number, their notes and the clusters that are remembered are bounded", () => {
  const kept = new Map();
  const bookmarks = createBookmarks({ cluster: "first", shelf: shelf(kept) });
  for (let seq = 1; seq <= BOOKMARKS_MAX + 5; seq += 1) bookmarks.toggle(seq);
  assert.equal(bookmarks.list.value.length, BOOKMARKS_MAX);
  bookmarks.write(1, "x".repeat(NOTE_MAX + 1));
  assert.equal(bookmarks.at(1)?.note.length, NOTE_MAX);
  for (let n = 0; n < 40; n += 1) createBookmarks({ cluster: `c${n}`, shelf: shelf(kept) }).toggle(1);
  assert.equal(JSON.parse(kept.get("bookmarks")).length, 20);
  assert.deepEqual(createBookmarks({ cluster: "first", shelf: shelf(kept) }).list.value, []);
});

test("what was kept and cannot be read is nothing", () => {
  for (const broken of ["{", "5", "null", '[["one",[{"seq":"x","note":""}]]]', "[[1]]"])
    assert.deepEqual(createBookmarks({ cluster: "one", shelf: shelf(new Map([["bookmarks", broken]])) }).list.value, []);
});
