import assert from "node:assert/strict";
import { test } from "node:test";
import { Log } from "../../static/js/log.js";
import { journal } from "./fixtures/journal.js";

const { entries } = journal({ idleSeconds: 10 });

test("a batch that overlaps what is held adds only what is new", () => {
  const log = new Log();
  assert.equal(log.append(entries.slice(0, 10)), true);
  assert.equal(log.append(entries.slice(5, 15)), true);
  assert.deepEqual(
    log.entries.map((entry) => entry.seq),
    Array.from({ length: 15 }, (_, i) => i + 1),
  );
  assert.equal(log.head.value, 15);
});

test("a batch beyond the end is refused, and what came before the gap is kept", () => {
  const log = new Log();
  assert.equal(log.append([...entries.slice(0, 3), ...entries.slice(5, 9)]), false);
  assert.equal(log.head.value, 3);
  assert.equal(log.append(entries.slice(3, 9)), true);
  assert.equal(log.head.value, 9);
});

test("what comes again and is another entry than before says that the journal has forked", () => {
  const log = new Log();
  log.append(entries.slice(0, 10));
  log.append(entries.slice(5, 12).map((entry) => ({ ...entry, at: entry.at + 1 })));
  assert.equal(log.forked.value, false);
  log.append([{ ...entries[9], label: "GET another" }]);
  assert.equal(log.forked.value, true);
  assert.equal(log.entries.length, 12);
});

test("the same batch twice changes nothing", () => {
  const log = new Log();
  log.append(entries.slice(0, 7));
  log.append(entries.slice(0, 7));
  assert.equal(log.entries.length, 7);
});
