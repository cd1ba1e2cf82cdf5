/** Steps over, into and out of a conversation go where causes say, and nowhere where nothing is known. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { callAround, stepped } from "../../static/js/conversation.js";
import { journal } from "./fixtures/journal.js";

/** @typedef {import("../../static/js/log.js").Entry} Entry */
/** @typedef {import("../../static/js/conversation.js").Step} Step */

const { entries } = journal({ idleSeconds: 20 });
const of = (/** @type {(entry: Entry) => unknown} */ test) => /** @type {Entry} */ (entries.find(test));
const created = of(({ kind, from, fields }) => kind === "http.request" && from === "workstation/kubectl" && fields.verb === "create");
const answer = of(({ replyTo }) => replyTo === created.seq);
const stored = of(({ kind, cause }) => kind === "grpc.request" && cause === created.seq);
const command = of(({ kind }) => kind === "command.started");

/** @param {Entry} entry @param {Step} step @param {readonly Entry[]} [log] */
const from = ({ seq }, step, log = entries) => stepped(log, seq, step, "story");

test("over a request is its response, into it the first thing done for it, out of that the response again", () => {
  assert.deepEqual(from(created, "over"), { seq: answer.seq });
  assert.deepEqual(from(created, "into"), { seq: stored.seq });
  assert.deepEqual(from(stored, "out"), { seq: answer.seq });
  assert.deepEqual(
    from(
      of(({ replyTo }) => replyTo === stored.seq),
      "out",
    ),
    { seq: answer.seq },
  );
});

test("a command is around what it typed", () => {
  assert.equal(callAround(entries, created.seq), command);
  assert.equal(callAround(entries, answer.seq), command);
  assert.equal(callAround(entries, stored.seq), created);
});

test("what a watch event has set off has nothing around it", () => {
  const event = of(({ kind, seq }) => kind === "watch.event" && entries.some(({ cause, to }) => cause === seq && to !== null));
  assert.equal(from(event, "out"), null);
  const first = from(event, "into");
  assert.ok(first && "seq" in first);
  const done = entries[first.seq - 1];
  assert.deepEqual([done.cause, done.from], [event.seq, event.to]);
  assert.equal(callAround(entries, done.seq), null);
});

test("what is done once the answer has gone is not inside of the request", () => {
  const log = [created, stored, answer, stored].map((entry, i) => ({
    ...entry,
    seq: i + 1,
    cause: i ? 1 : null,
    replyTo: i === 2 ? 1 : null,
  }));
  assert.equal(callAround(log, 2), log[0]);
  assert.equal(callAround(log, 4), null);
});

test("an answer that has not come is awaited", () => {
  assert.deepEqual(from(created, "over", entries.slice(0, created.seq)), { awaits: created.seq });
  assert.deepEqual(from(stored, "out", entries.slice(0, stored.seq)), { awaits: created.seq });
});

test("over goes on at the same level, then to the end of what is around it, and never back", () => {
  for (const entry of entries) {
    for (const step of /** @type {Step[]} */ (["over", "into", "out"])) {
      const to = from(entry, step);
      if (to && "seq" in to) assert.ok(to.seq > entry.seq, `${step} from #${entry.seq}`);
    }
  }
  const around = callAround(entries, created.seq);
  let at = created;
  for (let n = 0; n < 100 && at.kind !== "command.finished"; n += 1) {
    const to = from(at, "over");
    if (!to || !("seq" in to)) break;
    at = entries[to.seq - 1];
    assert.ok(at.kind === "command.finished" || callAround(entries, at.seq) === around);
  }
});
