/** The grammar of the find box: what a line means, what it lets through, how it is said and completed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chainOf } from "../../static/js/causes.js";
import { layout } from "../../static/js/layout.js";
import { KEYS, compile, complete, inWords, parse, toggled, written } from "../../static/js/query.js";
import { createStore } from "../../static/js/store.js";
import { createStrings } from "../../static/js/strings.js";
import { createVocabulary } from "../../static/js/vocabulary.js";
import { journal, longJournal } from "./fixtures/journal.js";
import { LANGUAGES, wordsOf } from "./fixtures/words.js";

/** @typedef {import("../../static/js/log.js").Entry} Entry */

const { entries } = journal({ idleSeconds: 20 });
const { say, t } = createStrings(wordsOf("en"), "en");

/** @param {string} line @returns {Entry[]} */
function found(line) {
  const test = compile(parse(line), { entries, say });
  return test ? entries.filter(test) : [...entries];
}
const seqs = (/** @type {Entry[]} */ list) => list.map(({ seq }) => seq);
/** @param {string} line @param {(entry: Entry) => boolean} expected */
function lets(line, expected) {
  const wanted = entries.filter(expected);
  assert.ok(wanted.length > 0 && wanted.length < entries.length, `${line}: the fixture has some and not all`);
  assert.deepEqual(seqs(found(line)), seqs(wanted), line);
}

const binding = /** @type {Entry} */ (entries.find(({ kind, fields }) => kind === "http.request" && fields.path?.endsWith("/binding")));
const pod = /** @type {string} */ (/\/pods\/([\w-]+)\/binding/.exec(binding.fields.path)?.[1]);

test("several words are all required, in any order and any case", () => {
  for (const line of [`${pod.slice(-5)} binding`, `BINDING ${pod.slice(-5)}`, `"pods/${pod}/binding"`])
    assert.ok(seqs(found(line)).includes(binding.seq), line);
  assert.deepEqual(seqs(found("kubelet worker-1")), seqs(found("worker-1 kubelet")));
  assert.ok(found("worker-1 kubelet").length > 0);
  assert.deepEqual(found(`${pod.slice(-5)} nosuchword`), []);
});

test("a minus excludes, a star stands for anything, quotes keep words together", () => {
  assert.deepEqual(seqs(found("-etcd")), seqs(entries.filter((entry) => !seqs(found("etcd")).includes(entry.seq))));
  assert.ok(seqs(found("po*ds/*/bind*")).includes(binding.seq));
  assert.ok(!seqs(found('"binding pods"')).includes(binding.seq));
});

test("a pattern of many stars is looked for in linear time", () => {
  const line = `object:=${"a*".repeat(100)}b`;
  const test = /** @type {(entry: Entry) => boolean} */ (compile(parse(line)));
  const entry = { ...binding, fields: { name: "a".repeat(200_000) } };
  assert.equal(test(entry), false); // a backtracking matcher would not come back
});

test("keys look at fields", () => {
  lets("lane:etcd", ({ from, to }) => from.includes("etcd") || Boolean(to?.includes("etcd")));
  lets("from:kubelet", ({ from }) => from.includes("kubelet"));
  lets("to:=control-plane/etcd", ({ to }) => to === "control-plane/etcd");
  lets("kind:http.req", ({ kind }) => kind === "http.request");
  lets("verb:create", ({ fields }) =>
    [fields.verb, fields.operation, fields.method].some((verb) => verb?.toLowerCase().includes("create")),
  );
  lets("resource:pods", ({ fields }) => Boolean(fields.resource?.includes("pods")));
  lets("connection:3", ({ connection }) => connection === 3);
  lets("layer:tls", ({ layer }) => layer === "tls");
  lets("has:command", ({ kind }) => kind === "command.started");
  lets("has:heartbeat", ({ heartbeat }) => heartbeat);
  lets("time:>3.2", ({ at, arrived }) => (arrived ?? at) > 3.2);
  lets("time:<=0:02", ({ at, arrived }) => (arrived ?? at) <= 2);
  lets("seq:<=40", ({ seq }) => seq <= 40);
});

test("a status is compared, by class, by number, by name", () => {
  const answer = (/** @type {any} */ status, /** @type {string} */ reason = "") => ({
    ...entries[0],
    kind: "http.response",
    fields: { status, reason },
  });
  const holds = (/** @type {string} */ line, /** @type {any} */ entry) => compile(parse(line))?.(entry);
  for (const line of ["status:>=400", "status:4xx", "status:409", "status:=409", "status:conflict", "has:error"])
    assert.equal(holds(line, answer(409, "Conflict")), true, line);
  for (const line of ["status:>=400", "status:4xx", "status:409", "has:error"]) assert.equal(holds(line, answer(201)), false, line);
  assert.equal(holds("status:>=400", answer("OK")), false);
  assert.equal(holds("error", answer(409)), true);
});

test("an object is a part of a name, or a namespace and a name", () => {
  const about = (/** @type {any} */ fields) => ({ ...entries[0], fields });
  const holds = (/** @type {string} */ line, /** @type {any} */ fields) => compile(parse(line))?.(about(fields));
  assert.equal(holds("object:web", { name: "web-1", namespace: "default" }), true);
  assert.equal(holds("object:default/web", { name: "web-1", namespace: "default" }), false);
  assert.equal(holds("object:default/web", { name: "web", namespace: "default" }), true);
  assert.equal(holds("object:*/web*", { name: "web-1", namespace: "shop" }), true);
  assert.equal(holds("object:=worker-1", { name: "worker-1" }), true);
  assert.equal(holds("object:=worker-1", { name: "worker-10" }), false);
  assert.equal(holds("resource:pods/binding", { resource: "pods", subresource: "binding" }), true);
  assert.equal(holds("resource:pods/binding", { resource: "pods" }), false);
});

test("what follows from a message and what led to it", () => {
  const command = /** @type {Entry} */ (entries.find(({ kind }) => kind === "command.started"));
  const followers = found(`cause:${command.seq}`);
  assert.ok(followers.length > 50 && followers[0] === command);
  for (const { seq } of followers) assert.ok(chainOf(entries, seq).includes(command));
  assert.ok(found(`-cause:${command.seq}`).every(({ seq }) => !chainOf(entries, seq).includes(command)));
  assert.deepEqual(seqs(found(`chain:${binding.seq}`)), seqs(chainOf(entries, binding.seq)));
});

test("a chain is drawn as soon as the journal has come to its end", () => {
  const store = createStore();
  store.text.value = `chain:${binding.seq}`;
  for (let from = 0; from < entries.length; from += 100) store.log.append(entries.slice(from, from + 100));
  store.altitude.value = "tcp";
  const drawn = store.picture.value.plan.rows.flatMap(({ seq, members }) => members ?? [seq]);
  assert.deepEqual(drawn, seqs(chainOf(entries, binding.seq)));
});

test("one number alone is a place to go to, and hides nothing", () => {
  for (const line of ["#854", "seq:854", " #854 "]) {
    assert.equal(parse(line).jump, 854, line);
    assert.deepEqual(parse(line).terms, [], line);
  }
  assert.equal(parse("#854 pods").jump, null);
  assert.equal(parse("> fold").terms.length, 0);
});

test("what is not understood is told and left out; what is still being typed is neither", () => {
  const problems = (/** @type {string} */ line) => parse(line).problems.map(({ problem }) => problem);
  assert.deepEqual(problems("connection:x"), ["number"]);
  assert.deepEqual(problems("time:soon"), ["time"]);
  assert.deepEqual(problems("cause:>5"), ["place"]);
  assert.deepEqual(problems("has:luck layer:cake rest:less"), ["value", "value", "value"]);
  assert.deepEqual(problems("pods ".repeat(60)), ["long", "many"]);
  assert.deepEqual(parse("connection:x").terms, []);
  for (const line of ["lane:", "-", "lane:=", '"', ""])
    assert.deepEqual([problems(line), parse(line).terms.length], [[], line === "-" ? 1 : 0], line);
  const unknown = parse("lan:etcd");
  assert.deepEqual([unknown.problems[0].problem, unknown.terms], ["key", [{ key: "word", value: "lan:etcd", not: false }]]);
  assert.deepEqual(problems("system:node:worker-1 constructor:x __proto__:x"), ["key", "key"]);
});

test("lines that mean the same are the same to the diagram, and read again they stay the same", () => {
  assert.equal(parse(" pods  lane:ETCD ").canonical, parse("lane:etcd pods").canonical);
  assert.equal(parse("pods lane:").canonical, parse("pods").canonical);
  for (const line of ['"lane:etcd"', '"a b" -c', '"-etcd"', 'object:"a b"', "-lane:etcd rest:folded x", '"#5" y'])
    assert.deepEqual(parse(parse(line).canonical).terms.map(written).sort(), parse(line).terms.map(written).sort(), line);
});

test("with the rest folded every message has a row or is in a fold, in order", () => {
  const options = /** @type {const} */ ({ altitude: "tcp", foldHeartbeats: true, text: "lane:scheduler rest:folded", entries });
  const { rows } = layout(entries, entries.length, options);
  assert.deepEqual(
    rows.flatMap(({ seq, members }) => members ?? [seq]),
    seqs(entries),
  );
  for (const { rest, members, entry } of rows) {
    assert.equal(rest, !entry.from.includes("scheduler") && !entry.to?.includes("scheduler"));
    if (rest) assert.ok(members);
  }
  for (let cursor = 0; cursor < entries.length; cursor += 31) {
    const part = layout(entries, cursor, options).rows;
    assert.deepEqual(
      part.map(({ y, seq }) => [y, seq]),
      rows.slice(0, part.length).map(({ y, seq }) => [y, seq]),
    );
  }
});

test("a query is said in words, whole, in every language", () => {
  for (const language of LANGUAGES) {
    const { t: word } = createStrings(wordsOf(language), language);
    const value = (/** @type {string} */ key) => (key === "has" ? "error" : key === "layer" ? "tcp" : "5");
    const said = KEYS.filter((key) => key !== "rest").map((key) => inWords(parse(`${key}:${value(key)} pods`), word));
    for (const sentence of said) assert.doesNotMatch(sentence, /find\.|[{}]/);
    for (const key of KEYS) assert.doesNotMatch(word(`find.key.${key}`), /find\./);
    assert.equal(new Set(said).size, said.length);
  }
  assert.equal(
    inWords(parse("resource:pods -lane:etcd status:>=400"), t),
    "Only messages about the resource “pods”, not on a lane “etcd”, with status ≥ 400",
  );
  assert.equal(inWords(parse("connection:17 rest:folded"), t), "Messages on connection 17; the rest is folded");
  assert.equal(inWords(parse("#5"), t), "");
});

test("keys and their values are completed where the caret is", () => {
  const values = createVocabulary(entries);
  const texts = (/** @type {string} */ line, at = line.length) => complete(line, at, values, 50).options.map(({ text }) => text);
  assert.deepEqual(
    texts(""),
    KEYS.map((key) => `${key}:`),
  );
  assert.ok(texts("pods la").includes("lane:"));
  assert.ok(texts("lane:etc").includes("lane:control-plane/etcd"));
  assert.ok(texts("-lane:etc").includes("-lane:control-plane/etcd"));
  assert.ok(texts("sched").includes("lane:control-plane/kube-scheduler"));
  assert.deepEqual(texts("layer:"), ["layer:story", "layer:http", "layer:tls", "layer:tcp"]);
  assert.ok(texts("object:").some((text) => text.includes(pod)));
  const { from, to } = complete("pods lane:e verb:get", 11, values);
  assert.deepEqual([from, to], [5, 11]);
});

test("what is typed by pressing is taken back by pressing again", () => {
  assert.equal(toggled("pods", "lane:etcd"), "pods lane:etcd");
  assert.equal(toggled("lane:etcd pods", "lane:etcd"), "pods");
});

test("what the vocabulary keeps is bounded", () => {
  const many = longJournal(1).concat(
    Array.from({ length: 2000 }, (_, i) => ({ ...entries[0], seq: i + 2, fields: { resource: "pods", name: `p-${i}` } })),
  );
  const objects = createVocabulary(many)("object");
  assert.ok(objects.length <= 400 && objects[0] === "=p-1999");
});
