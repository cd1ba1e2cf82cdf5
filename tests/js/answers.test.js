/** What the cluster answers of bodies: asked in portions, after new entries too, and merged into what is drawn. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals-core";
import { SEQS_MAX, createAnswers } from "../../static/js/answers.js";
import { compile, parse, questionsOf } from "../../static/js/query.js";
import { createStore } from "../../static/js/store.js";
import { journal } from "./fixtures/journal.js";

const { entries } = journal({ idleSeconds: 20 });

/** A server that looks through `portion` entries for a question, and finds a text in the entries given. @param {Record<string, number[]>} bodies @param {number} [portion] */
function stage(bodies, portion = 100) {
  /** @type {{ms: number, then: () => void}[]} */
  const timers = [];
  /** @type {string[]} */
  const addresses = [];
  const server = { head: 250, status: 200, message: "" };
  let time = 0;
  const answers = createAnswers("/c/", {
    now: () => time,
    after: (ms, then) => timers[timers.push({ ms, then }) - 1],
    cancel: (timer) => timers.splice(timers.indexOf(timer), 1),
    get: async (address) => {
      addresses.push(address);
      const { searchParams } = new URL(address, "http://x");
      const since = Number(searchParams.get("since"));
      const to = Math.min(server.head, since + portion);
      const found = searchParams.getAll("text").map((text) => (bodies[text] ?? []).filter((seq) => seq > since && seq <= to));
      const body = server.status === 200 ? { since, to, head: server.head, first: 1, found } : { message: server.message };
      return /** @type {any} */ ({ ok: server.status === 200, status: server.status, json: async () => body });
    },
  });
  /** Let what is under way come, and time pass until the next. */
  async function settle() {
    for (let n = 0; n < 60; n += 1) await null;
    const timer = timers.shift();
    if (!timer) return false;
    time += timer.ms;
    timer.then();
    for (let n = 0; n < 60; n += 1) await null;
    return true;
  }
  return { answers, server, addresses, settle };
}

test("a question is asked from the beginning in portions, and then after new entries only", async () => {
  const { answers, server, addresses, settle } = stage({ nginx: [7, 180, 251] });
  answers.reach(250);
  answers.want("filter", ["body:nginx"]);
  assert.ok(answers.behind(["body:nginx"]));
  await settle();
  assert.deepEqual(
    addresses.map((address) => new URL(address, "http://x").searchParams.get("since")),
    ["0", "100", "200"],
  );
  assert.deepEqual([...(answers.found.value.get("body:nginx") ?? [])], [7, 180]);
  assert.equal(answers.behind(["body:nginx"]), false);
  server.head = 260;
  answers.reach(260);
  await settle();
  assert.ok(answers.found.value.get("body:nginx")?.has(251));
  assert.equal(answers.to(["body:nginx"]), 260);
});

test("what is typed on is not asked, and texts that have come equally far are asked together", async () => {
  const { answers, addresses, settle } = stage({});
  answers.reach(100);
  for (const text of ["ngi", "ngin", "nginx"]) answers.want("filter", [`body:${text}`, "body:pod"]);
  await settle();
  assert.deepEqual(
    addresses,
    [
      "/c/search/?text=nginx&text=pod&since=0",
      "/c/search/?text=nginx&text=pod&since=100",
      "/c/search/?text=nginx&text=pod&since=200",
    ].slice(0, addresses.length),
  );
});

test("a cluster that is busy is asked again, one that is gone is not, and both are told", async () => {
  const { answers, server, addresses, settle } = stage({ x: [1] });
  server.status = 429;
  server.message = "too often";
  answers.reach(10);
  answers.want("filter", ["body:x"]);
  await settle();
  assert.equal(answers.problem.value, "too often");
  server.status = 410;
  await settle();
  const before = addresses.length;
  assert.equal(await settle(), false);
  answers.reach(20);
  assert.equal(addresses.length, before);
});

test("what is in too many bodies is not asked any further", async () => {
  const all = Array.from({ length: SEQS_MAX + 50 }, (_, i) => i + 1);
  const { answers, server, settle } = stage({ a: all }, SEQS_MAX + 10);
  server.head = SEQS_MAX + 50;
  answers.reach(SEQS_MAX + 50);
  answers.want("filter", ["body:a"]);
  await settle();
  assert.deepEqual([answers.full(["body:a"]), answers.found.value.get("body:a")?.size], [["a"], SEQS_MAX]);
});

test("a filter is a function of the journal and of what was answered", async () => {
  const { answers, server, settle } = stage({ nginx: [300, 12, 40].sort((a, b) => a - b) });
  server.head = entries.length;
  const store = createStore({ found: answers.found });
  const stop = effect(() => answers.want("filter", store.questions.value));
  store.altitude.value = "tcp";
  store.foldHeartbeats.value = false;
  store.log.append(entries);
  answers.reach(entries.length);
  const seqs = () => store.picture.value.plan.rows.map(({ seq }) => seq);
  store.text.value = "body:NGINX";
  assert.deepEqual(seqs(), []);
  await settle();
  assert.deepEqual(seqs(), [12, 40, 300]);
  store.text.value = "body:nginx seq:<100";
  assert.deepEqual(seqs(), [12, 40]);
  store.text.value = "-body:nginx seq:<=12";
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  stop();
});

test("plain words of some length are looked for in bodies, excluded ones only in what is said", () => {
  const found = new Map([["body:zzz", new Set([3])]]);
  const test = (/** @type {string} */ line) => compile(parse(line), { entries, answers: found });
  const holding = (/** @type {string} */ line) => entries.filter(/** @type {any} */ (test(line))).map(({ seq }) => seq);
  assert.deepEqual(holding("zzz"), [3]);
  assert.equal(holding("-zzz").length, entries.length);
  assert.deepEqual(holding("zzz seq:>3"), []);
  assert.deepEqual(questionsOf(parse("zzz aa -excluded body:Bb lane:etcd Zzz")), ["body:bb", "body:zzz"]);
  assert.deepEqual(parse(`body:${"x".repeat(101)}`).problems, [{ problem: "text", values: { key: "body", value: "x".repeat(101) } }]);
});

test("a state is asked of the door of states, alone, and goes into the filter as bodies do", async () => {
  /** @type {string[]} */
  const addresses = [];
  const answers = createAnswers("/c/", {
    after: (_, then) => setTimeout(then, 0),
    get: async (address) => {
      addresses.push(address);
      const answer = address.startsWith("/c/state/")
        ? { view: "reached", at: 90, to: 90, seqs: [12] }
        : { since: 0, to: 90, head: 90, first: 1, found: [[7]] };
      return /** @type {any} */ ({ ok: true, status: 200, json: async () => answer });
    },
  });
  answers.reach(90);
  const query = parse("state:pod/web-*=Ready body:x");
  answers.want("filter", questionsOf(query));
  while (answers.behind(questionsOf(query))) await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(addresses.sort(), ["/c/search/?text=x&since=0", "/c/state/reached/?state=pod%2Fweb-*%3Dready&since=0"]);
  const test = compile(parse("state:pod/web-*=Ready"), { entries, answers: answers.found.value });
  assert.deepEqual(
    entries.filter(/** @type {any} */ (test)).map(({ seq }) => seq),
    [12],
  );
  for (const line of ["state:pod", "state:pod/x", "state:pod/a/b/c=Ready", "state:=Ready", `state:pod/${"x".repeat(200)}=Ready`])
    assert.deepEqual(
      parse(line).problems.map(({ problem }) => problem),
      ["state"],
      line,
    );
});
