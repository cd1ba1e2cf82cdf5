/** A run that stands in the page's own file: what is read of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chainOf } from "../../static/js/causes.js";
import { layout } from "../../static/js/layout.js";
import { Log, isHeld } from "../../static/js/log.js";
import { withTexts } from "../../static/js/recording/filedetails.js";
import { whole } from "../../static/js/recording/filesocket.js";
import { createSearch, holds, piecesOf } from "../../static/js/recording/search.js";
import { createVocabulary } from "../../static/js/vocabulary.js";
import { journal } from "./fixtures/journal.js";

const { entries } = journal();
const OPTIONS = /** @type {const} */ ({ altitude: "tcp", foldHeartbeats: false });

test("what a file leaves out has a place in the log, and is nowhere on the page", () => {
  const log = new Log();
  const range = entries.slice(20, 60);
  assert.ok(log.append(whole(range, 0)));
  assert.equal(log.head.value, 60);
  assert.equal(log.get(20), null);
  assert.equal(log.get(21), entries[20]);
  const { rows } = layout(log.entries, 60, OPTIONS);
  assert.deepEqual(
    rows.map(({ seq }) => seq),
    range.map(({ seq }) => seq),
  );
  assert.ok(chainOf(log.entries, 60).every(isHeld));
  const values = createVocabulary(log.entries);
  assert.ok(!values("kind").includes("left.out"));
  assert.ok(!values("lane").includes(""));
});

test("entries with gaps, as of one connection, are laid out in their order", () => {
  const some = entries.filter(({ seq }) => seq % 3 === 0);
  const log = new Log();
  for (const part of [some.slice(0, 10), some.slice(10)]) assert.ok(log.append(whole(part, log.head.peek())));
  assert.deepEqual(
    log.entries.filter(isHeld).map(({ seq }) => seq),
    some.map(({ seq }) => seq),
  );
});

test("texts are put back into the details that name them", () => {
  const detail = { seq: 7, headers: [], body: { type: "json", text: 1, truncated: false }, segments: [{ number: 1, payload: 0 }] };
  const [one, other] = withTexts([
    "aa",
    "{}",
    { ...detail, records: [{ wire: 0, plaintext: null }] },
    "bb",
    { ...detail, records: [{ wire: 2, plaintext: 1 }] },
  ]);
  assert.equal(one.body.text, "{}");
  assert.equal(one.segments[0].payload, "aa");
  assert.deepEqual([one.records[0].wire, one.records[0].plaintext], ["aa", null]);
  assert.deepEqual([other.records[0].wire, other.records[0].plaintext], ["bb", "{}"]);
});

test("a text is looked for in bodies whatever its case, and a star stands for anything", () => {
  assert.ok(holds("a pod named web-1-x2k4p", piecesOf("Web-*X2K")));
  assert.ok(!holds("x2k4p web-1", piecesOf("web-*x2k")));
  assert.ok(!holds("anything", piecesOf("*")));
});

test("a file answers what a cluster would, a part at a time", async () => {
  Object.assign(globalThis, { document: { readyState: "complete" } });
  const bodies = { 1: "nginx", 2: "", 3: "NGINX", 4: "web" };
  const parts = [
    [4, 3],
    [2, 1],
  ].map((seqs) => ({ dataset: { last: String(Math.max(...seqs)) }, seqs }));
  const search = createSearch(4, {
    after: (seq) => /** @type {any} */ (parts.findLast(({ dataset }) => Number(dataset.last) > seq) ?? null),
    read: async (part) => /** @type {any} */ (part).seqs.map((/** @type {1} */ seq) => ({ seq, body: { text: bodies[seq] } })),
  });
  const ask = async (/** @type {number} */ since) => (await search(`search/?text=nginx&text=web&since=${since}`)).json();
  assert.deepEqual(await ask(0), { since: 0, to: 2, head: 4, found: [[1], []] });
  assert.deepEqual(await ask(2), { since: 2, to: 4, head: 4, found: [[3], [4]] });
  assert.deepEqual(await ask(3), { since: 3, to: 4, head: 4, found: [[], [4]] });
});
