import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createStrings } from "../../static/js/strings.js";
import { journal } from "./fixtures/journal.js";

const root = new URL("../../", import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, root), "utf8");
const german = JSON.parse(read("static/js/i18n/de.json"));
const english = JSON.parse(read("static/js/i18n/en.json"));
const de = createStrings(german, "de");
const en = createStrings(english, "en");
const { entries } = journal({ idleSeconds: 10 });
const find = (/** @type {string} */ label) => /** @type {import("../../static/js/log.js").Entry} */ (entries.find((entry) => entry.label === label));

test("a count takes the word that the language wants", () => {
  assert.equal(en.t("diagram.fold", { count: 1 }), "1 heartbeat");
  assert.equal(en.t("diagram.fold", { count: 0 }), "0 heartbeats");
  assert.equal(de.t("diagram.fold", { count: 12 }), "12 Herzschläge");
  assert.equal(en.t("no.such.key"), "no.such.key");
});

test("English quotes the engine, German says it itself", () => {
  const post = find("POST deployments");
  assert.equal(en.say(post), post.sentence);
  assert.equal(de.say(post), "kubectl bittet kube-apiserver, Deployment web im Namespace default anzulegen");
});

test("a sentence without what its pattern needs falls back to a plainer one", () => {
  const binding = { ...find("POST deployments"), fields: { verb: "create", resource: "pods", subresource: "binding", name: "web-1" } };
  assert.ok(!de.say(binding).includes("{"));
  const odd = { ...binding, kind: "no.such.kind" };
  assert.equal(de.say(odd), odd.sentence);
});

test("no German sentence of the story leaves a place unfilled", () => {
  for (const entry of entries) assert.doesNotMatch(de.say(entry), /\{\w+\}/, `${entry.kind} ${entry.label}`);
});

test("German explains exactly what the engine explains in English", () => {
  /** @type {string[]} */
  const wanted = [];
  let kind = "";
  for (const line of read("cluster_engine/lens/explanation_texts/en.toml").split("\n")) {
    const head = /^\[explanation\."([^"]+)"\]/.exec(line);
    const key = /^(\w+) = "/.exec(line);
    if (head) kind = head[1];
    else if (key) wanted.push(key[1] === "text" ? `explain.${kind}` : `explain.${kind}.${key[1]}`);
  }
  assert.deepEqual(Object.keys(german).filter((key) => key.startsWith("explain.")).sort(), wanted.sort());
});

test("German has a sentence for every kind of message, and for what people do; the components' own notes stay their own words", () => {
  const kinds = [...read("cluster_engine/lens/explanation_texts/en.toml").matchAll(/^\[explanation\."([^"]+)"\]/gm)].map(([, kind]) => kind);
  const own = ["command.started", "command.finished", "process.started", "process.exited", "fault.started", "fault.ended"];
  const said = Object.keys(german).filter((key) => key.startsWith("say."));
  assert.ok(kinds.length > 20);
  assert.deepEqual([...kinds, ...own].filter((kind) => !said.some((key) => key === `say.${kind}` || key.startsWith(`say.${kind}.`))), []);
});
