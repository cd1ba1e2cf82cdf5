import assert from "node:assert/strict";
import { test } from "node:test";
import { chainOf, effectsOf, partnerOf, sameAudit } from "../../static/js/causes.js";
import { clock, commonPrefix, duration, size } from "../../static/js/format.js";
import { bytesOf, hexRows, hexText } from "../../static/js/hex.js";
import { branches, firstOpen, parse, search, treeRows } from "../../static/js/jsontree.js";
import { journal } from "./fixtures/journal.js";

const { entries } = journal();

test("the chain of causes leads from a running container back to the command", () => {
  const running = /** @type {any} */ (entries.find((entry) => entry.kind === "container.started"));
  const chain = chainOf(entries, running.seq);
  assert.equal(chain[0].kind, "command.started");
  assert.equal(chain[0].trigger, "command");
  assert.equal(chain.at(-1), running);
  for (let i = 1; i < chain.length; i += 1) assert.equal(chain[i].cause, chain[i - 1].seq);
});

test("effects are told only as far as the cursor", () => {
  const command = /** @type {any} */ (entries.find((entry) => entry.kind === "command.started"));
  assert.deepEqual(effectsOf(entries, command.seq, command.seq), []);
  assert.ok(effectsOf(entries, command.seq, entries.length).length > 0);
});

test("a request and its answer find each other", () => {
  const answer = /** @type {any} */ (entries.find((entry) => entry.kind === "http.response"));
  assert.equal(partnerOf(entries, answer.seq), answer.replyTo);
  assert.equal(partnerOf(entries, answer.replyTo), answer.seq);
  assert.equal(partnerOf(entries, entries.length + 5), null);
});

test("bytes are shown with offset, hexadecimal and the letters among them", () => {
  const bytes = bytesOf("160301020001fffe48656c6c6f20576f726c64");
  const rows = hexRows(bytes);
  assert.equal(rows.length, 2);
  assert.deepEqual(rows[0].hex.slice(0, 4), ["16", "03", "01", "02"]);
  assert.equal(rows[0].ascii, "········Hello Wo");
  assert.equal(rows[1].ascii, "rld");
  assert.equal(rows[1].offset, 16);
  assert.equal(hexText(bytes).split("\n")[1], "0010  72 6c 64                                         rld");
  assert.deepEqual(hexRows(new Uint8Array(0)), []);
});

const document = { kind: "Pod", "a/b": [1, null, true], spec: { containers: [{ name: "nginx", image: "nginx" }] }, empty: {} };

test("a tree shows what is open and counts what is closed", () => {
  assert.deepEqual(
    treeRows(document, new Set([""])).map((row) => [row.path, row.text]),
    [
      ["", "{…}"],
      ["/kind", '"Pod"'],
      ["/a~1b", "[3]"],
      ["/spec", "{…}"],
      ["/empty", "{}"],
    ],
  );
  const all = treeRows(document, new Set(branches(document)));
  assert.equal(all.at(-2)?.path, "/spec/containers/0/image");
  assert.equal(all.at(-2)?.depth, 4);
});

test("a search opens the way to what it finds, by name and by value", () => {
  const { matches, open } = search(document, "NGINX");
  assert.deepEqual([...matches], ["/spec/containers/0/name", "/spec/containers/0/image"]);
  assert.deepEqual([...open].sort(), [
    "",
    "/spec",
    "/spec/containers",
    "/spec/containers/0",
    "/spec/containers/0/image",
    "/spec/containers/0/name",
  ]);
  assert.ok(search(document, "containers").matches.has("/spec/containers"));
  assert.equal(search(document, "  ").matches.size, 0);
});

test("a document opens at first as deep as stays readable", () => {
  assert.ok(firstOpen(document).has("/spec/containers/0"));
  const wide = { items: Array.from({ length: 500 }, (_, i) => ({ i })) };
  assert.deepEqual([...firstOpen(wide)], [""]);
});

test("a document inside a string, as in etcd, opens like any other and keeps its quotes", () => {
  const value = { kv: { key: "/registry/x", value: '{"kind":"Pod","spec":{"nodeName":"worker-1"}}', odd: "{not json" } };
  const rows = treeRows(value, new Set(branches(value)));
  assert.equal(rows.find((row) => row.path === "/kv/value")?.text, '"{…}"');
  assert.equal(rows.find((row) => row.path === "/kv/value/spec/nodeName")?.text, '"worker-1"');
  assert.equal(rows.find((row) => row.path === "/kv/odd")?.text, '"{not json"');
  assert.ok(search(value, "nodename").matches.has("/kv/value/spec/nodeName"));
});

test("text that is not JSON is no tree, and a stream of documents is a list of them", () => {
  assert.equal(parse("hello"), null);
  assert.deepEqual(parse('{"a":1}'), { value: { a: 1 } });
  assert.deepEqual(parse('{"a":1}\n{"a":2}\n'), { value: [{ a: 1 }, { a: 2 }] });
});

test("times and sizes are said in their natural units", () => {
  assert.equal(clock(0), "0:00.00000");
  assert.equal(clock(59.999999), "1:00.00000");
  assert.equal(clock(3725.5, 1), "1:02:05.5");
  assert.equal(clock(61.9, 0), "1:02");
  assert.equal(duration(0.00025), "250 µs");
  assert.equal(duration(0.0125, "de"), "12,5 ms");
  assert.equal(duration(125), "2 min 5 s");
  assert.equal(duration(3600), "1 h");
  assert.equal(size(900), "900 B");
  assert.equal(size(1536), "1.5 KiB");
  assert.equal(commonPrefix("0:12.3456", "0:12.4000"), 5);
});

test("an answer and the audit log's lines about it are found from each other", () => {
  const entry = (/** @type {number} */ seq, /** @type {string | undefined} */ id) =>
    /** @type {any} */ ({ seq, fields: id ? { auditID: id } : {} });
  const entries = [entry(1, "a"), entry(2, undefined), entry(3, "b"), entry(4, "a"), entry(5, "a")];
  assert.deepEqual(
    sameAudit(entries, entries[3], 4).map((each) => each.seq),
    [1],
  );
  assert.deepEqual(sameAudit(entries, entries[1], 5), []);
});
