/** In idle moments sentences are said ahead, each once, and texts are shared; no longer than the moment is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "@preact/signals-core";
import { sayAhead, shareTexts } from "../../static/js/ahead.js";
import { Log } from "../../static/js/log.js";
import { journal } from "./fixtures/journal.js";

const { entries } = journal({ idleSeconds: 20 });

test("every entry is said once a language, in slices, also what comes later", () => {
  const log = new Log();
  const language = signal("en");
  /** @type {number[]} */
  const said = [];
  /** @type {((left: () => number) => void)[]} */
  const moments = [];
  const strings = { language, say: (/** @type {any} */ { seq }) => String(said.push(seq)) };
  sayAhead({ log, strings, idle: (work) => moments.push(work) });
  log.append(entries.slice(0, 100));
  assert.deepEqual([said.length, moments.length], [0, 1], "not at once");
  let left = 3;
  const moment = () => {
    left = 3;
    moments.shift()?.(() => left--);
  };
  moment();
  assert.ok(said.length > 0 && said.length < 100, "a slice of it");
  while (moments.length > 0) moment();
  assert.deepEqual(
    said,
    entries.slice(0, 100).map(({ seq }) => seq),
  );
  log.append(entries.slice(100, 110));
  while (moments.length > 0) moment();
  assert.equal(said.length, 110);
  language.value = "de";
  while (moments.length > 0) moment();
  assert.equal(said.length, 220);
});

test("entries that share their texts say the same as before", () => {
  const log = new Log();
  log.append(JSON.parse(JSON.stringify(entries)));
  /** @type {((left: () => number) => void)[]} */
  const moments = [];
  shareTexts({ log, idle: (work) => moments.push(work) });
  while (moments.length > 0) moments.shift()?.(() => 3);
  assert.deepEqual(log.entries, entries);
});
