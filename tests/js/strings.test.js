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

test("a sentence is said anew in another language, and made once in each", async () => {
  const both = createStrings(wordsOf("en"), "en", async (part, language) => (part ? {} : wordsOf(language)));
  const syn = /** @type {Entry} */ (entries.find((entry) => entry.kind === "tcp.syn"));
  assert.equal(both.say(syn), en.say(syn));
  globalThis.document ??= /** @type {any} */ ({ documentElement: {} });
  await both.speak("de");
  assert.equal(both.say(syn), de.say(syn));
});

test("the words of a part are there once they were needed, in the language of the moment", async () => {
  /** @type {[string, string, (words: Record<string, string>) => void][]} */
  const asked = [];
  const answer = (/** @type {number} */ n) => asked[n][2]({ [`${asked[n][0] || "own"}.word`]: `${asked[n][0]} ${asked[n][1]}` });
  const strings = createStrings({ "own.word": " en" }, "en", (part, language) => new Promise((take) => asked.push([part, language, take])));
  const ready = Promise.all([strings.need("rooms"), strings.speak("de")]);
  for (const n of [0, 1]) answer(n);
  await new Promise((done) => setImmediate(done));
  assert.equal(strings.t("rooms.word"), "rooms.word", "what was asked for in English is not said: German has been asked for since");
  for (const n of [2, 3, 4, 5]) answer(n);
  await ready;
  assert.deepEqual([strings.t("own.word"), strings.t("rooms.word"), strings.language.value], [" de", "rooms de", "de"]);
});

test("a part that cannot be fetched is asked for again when it is needed again", async () => {
  let reachable = false;
  const strings = createStrings({}, "en", async (part) =>
    part && !reachable ? Promise.reject(new Error("offline")) : /** @type {Record<string, string>} */ (part ? { "word.of": part } : {}),
  );
  await assert.rejects(strings.need("state"));
  await strings.speak("en"); // what is not there keeps nobody from the rest
  reachable = true;
  await strings.need("state");
  assert.equal(strings.t("word.of"), "state");
});
