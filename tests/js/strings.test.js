import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createStrings } from "../../static/js/strings.js";
import { journal } from "./fixtures/journal.js";
import { LANGUAGES, wordsOf } from "./fixtures/words.js";

/** @typedef {import("../../static/js/log.js").Entry} Entry */

/** What `cluster_engine/words/sentences.py` says of the same entries: a test in Python holds the file. @type {(Entry & {says: Record<string, string>})[]} */
const cases = JSON.parse(readFileSync(new URL("../engine/words/cases.json", import.meta.url), "utf8"));
const [en, de] = ["en", "de"].map((language) => createStrings(wordsOf(language), language));
const { entries } = journal({ idleSeconds: 10 });

test("a count takes the word that the language wants", () => {
  assert.equal(en.t("diagram.fold", { count: 1 }), "1 heartbeat");
  assert.equal(en.t("diagram.fold", { count: 0 }), "0 heartbeats");
  assert.equal(de.t("diagram.fold", { count: 12 }), "12 Herzschläge");
  assert.equal(en.t("no.such.key"), "no.such.key");
});

for (const language of Object.keys(cases[0].says)) {
  test(`the page says in ${language} what the engine says`, () => {
    const { say } = createStrings(wordsOf(language), language);
    assert.ok(cases.length > 100);
    for (const entry of cases) assert.equal(say(entry), entry.says[language]);
  });
}

for (const language of LANGUAGES) {
  test(`no sentence in ${language} leaves a place unfilled`, () => {
    const { say } = createStrings(wordsOf(language), language);
    for (const entry of entries) assert.doesNotMatch(say(entry), /[{}[\]]/, `${entry.kind} ${entry.label}`);
  });
}

test("an entry is explained by its kind, in its variant where there is one", () => {
  const event = /** @type {any} */ ({ kind: "watch.event", fields: { type: "BOOKMARK" } });
  assert.match(en.explain(event), /^A BOOKMARK carries/);
  assert.match(en.explain({ ...event, fields: { type: "OTHER" } }), /^One change/);
  assert.equal(en.explain({ ...event, kind: "scheduler.scores" }), "");
});

test("a fault has one name, in its form, on its lane and in its sentence; a message is marked as the wire has it", () => {
  const fault = /** @type {any} */ ({
    kind: "fault.started",
    from: "workstation/terminal",
    to: null,
    label: "power-off begins: worker-1",
    fields: { name: "power-off", target: "worker-1" },
  });
  for (const { t, label, say } of [en, de]) {
    assert.equal(label(fault), `${t("fault.power-off.name")}: worker-1`);
    assert.ok(say(fault).includes(t("fault.power-off.name")));
  }
  const syn = /** @type {Entry} */ (entries.find((entry) => entry.kind === "tcp.syn"));
  assert.equal(de.label(syn), "SYN");
});

test("a sentence is said anew in another language, and made once in each", () => {
  const both = createStrings(wordsOf("en"), "en");
  const syn = /** @type {Entry} */ (entries.find((entry) => entry.kind === "tcp.syn"));
  assert.equal(both.say(syn), en.say(syn));
  globalThis.document ??= /** @type {any} */ ({ documentElement: {} });
  both.use(wordsOf("de"), "de");
  assert.equal(both.say(syn), de.say(syn));
});
