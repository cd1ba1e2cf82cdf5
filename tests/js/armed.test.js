/** Queries as the engine's predicates: they let nothing through that the query does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { armed, armedBodies } from "../../static/js/armed.js";
import { compile, parse } from "../../static/js/query.js";
import { journal } from "./fixtures/journal.js";

const { entries } = journal({ idleSeconds: 20 });

/** As the engine matches, as far as descriptions go here. @param {any} wanted @param {any} value @returns {boolean} */
function fits(wanted, value) {
  if (Array.isArray(wanted)) return wanted.some((one) => fits(one, value));
  if (typeof wanted === "object")
    return typeof value === "number" && value >= (wanted.least ?? -Infinity) && value <= (wanted.most ?? Infinity);
  if (typeof wanted !== "string" || !wanted.includes("*")) return wanted === value;
  return typeof value === "string" && value.includes(wanted.slice(1, -1));
}
const like = (/** @type {any} */ entry, /** @type {any} */ { fields = {}, ...own }) =>
  Object.entries(own).every(([key, wanted]) => fits(wanted, entry[key])) &&
  Object.entries(fields).every(([key, wanted]) => fits(wanted, entry.fields[key]));

test("what the engine stops at is what the query lets through", () => {
  for (const line of [
    "lane:etcd",
    "kind:http.request verb:create",
    "from:kubelet resource:pods",
    "has:command",
    "layer:tls lane:=control-plane/etcd",
    "status:<300",
  ]) {
    const test = /** @type {any} */ (compile(parse(line)));
    const stops = entries.filter((entry) => armed(line).some((one) => like(entry, one)));
    assert.ok(stops.length > 0, line);
    for (const entry of stops) assert.ok(test(entry), line);
  }
  assert.deepEqual(armed("resource:pods/binding verb:create"), [
    { fields: { resource: "*pods*", subresource: "*binding*", verb: "*create*" } },
  ]);
  assert.deepEqual(armed("object:default/web"), [{ fields: { namespace: "default", name: "web" } }]);
});

test("what it cannot be told is left to the page", () => {
  for (const line of [
    "",
    "two words",
    "-lane:etcd",
    "cause:5",
    "kind:A?",
    "verb:RunPod",
    "resource:a resource:b",
    "to:=etcd",
    "user:x status:404",
  ])
    assert.deepEqual(armed(line), [], line);
});

test("texts in bodies are looked for by the engine, with what else the entry is to be like", () => {
  assert.deepEqual(armedBodies("body:Node*Name"), [{ texts: ["node*name"] }]);
  assert.deepEqual(armedBodies('body:"a b" kind:http.request body:c'), [{ texts: ["a b", "c"], entry: { kind: "*http.request*" } }]);
  assert.deepEqual(armedBodies("body:x lane:etcd/"), [
    { texts: ["x"], entry: { from: "*etcd/*" } },
    { texts: ["x"], entry: { to: "*etcd/*" } },
  ]);
  assert.deepEqual(armed("body:x"), []);
  for (const line of ["", "kind:x", "-body:x", "body:x -body:y", "body:x word", "body:x cause:5", "body:*", "body:x ".repeat(9)])
    assert.deepEqual(armedBodies(line), [], line);
});
