import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../static/js/actions.js";
import { UNHEARD, heard, shownAt, standing, turned, unheard } from "../../static/js/clock.js";
import { createStore } from "../../static/js/store.js";

/** What a page shows, ten times a second, of a server that tells its clock every two seconds. @param {(seconds: number) => Partial<import("../../static/js/clock.js").Told>} server @param {number} seconds */
function page(server, seconds) {
  let clock = heard(UNHEARD, server(0), 0, true);
  const shown = [];
  for (let tenth = 1; tenth <= seconds * 10; tenth += 1) {
    const at = tenth * 100;
    if (tenth % 20 === 0) clock = heard(clock, server(at / 1000), at, true);
    shown.push(shownAt(clock, at, true));
  }
  return { clock, shown };
}

/** @param {number[]} shown */
const goesBack = (shown) => shown.some((value, i) => i > 0 && value < shown[i - 1]);

test("a clock goes on by itself between what the server tells", () => {
  const { shown } = page((now) => ({ now, pace: 1 }), 10);
  for (const [i, value] of shown.entries()) assert.ok(Math.abs(value - (i + 1) / 10) < 1e-9);
});

test("where the server does not reach its pace, what is shown never goes back and is near the truth", () => {
  const { shown } = page((seconds) => ({ now: 39 * seconds, pace: 60, reached: seconds < 4 ? null : 39, behind: seconds < 4 ? 0 : 3 }), 60);
  assert.ok(!goesBack(shown));
  for (const [i, value] of shown.entries()) assert.ok(i < 60 || Math.abs(value - 3.9 * (i + 1)) < 1e-6, `${value} at ${i}`);
});

test("an uneven server never takes back what a page has shown", () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  };
  let now = 0;
  const { shown } = page(() => {
    now += 240 * random();
    return { now, pace: 60, reached: 120 * random() };
  }, 300);
  assert.ok(!goesBack(shown));
});

test("a server that says nothing is not believed to go on for ever", () => {
  const clock = heard(UNHEARD, { now: 100, pace: 60 }, 0, true);
  assert.equal(shownAt(clock, 3600_000, true), 100 + 3 * 60);
});

test("a pause shows exactly what the server says, also where the page was ahead", () => {
  let clock = heard(UNHEARD, { now: 0, pace: 60 }, 0, true);
  clock = turned(clock, { paused: true }, 1000, true);
  assert.equal(shownAt(clock, 1500, true), 60, "it stands where it was seen, not where it was heard");
  clock = heard(clock, { now: 52, pace: 60, paused: true }, 1600, true);
  assert.equal(shownAt(clock, 9000, true), 52);
  clock = turned(clock, { paused: false }, 10_000, true);
  assert.equal(shownAt(clock, 10_500, true), 52 + 30, "the time it stood is no time");
});

test("another pace goes on from what is shown", () => {
  const clock = turned(heard(UNHEARD, { now: 10, pace: 60, reached: 40, behind: 9 }, 0, true), { pace: 1 }, 2000, true);
  assert.equal(shownAt(clock, 2000, true), 90);
  assert.equal(shownAt(clock, 3000, true), 91);
  assert.equal(standing(clock), null);
});

test("a lost connection stops the clock until something is heard", () => {
  let clock = unheard(heard(UNHEARD, { now: 10, pace: 2 }, 0, true), 1000, true);
  assert.equal(shownAt(clock, 500_000, false), 12);
  assert.equal(shownAt(clock, 500_000, true), 12);
  clock = heard(clock, { now: 11, pace: 2 }, 501_000, true);
  assert.equal(shownAt(clock, 501_100, true), 12);
  assert.equal(shownAt(clock, 502_000, true), 13);
});

test("what there is to say: too slow before catching up before left out; nothing of a clock that stands", () => {
  const told = { now: 0, pace: 60, reached: 39, behind: 4, slept: 7200 };
  assert.equal(standing(heard(UNHEARD, told, 0, true)), "slow");
  assert.equal(standing(heard(UNHEARD, { ...told, reached: 120 }, 0, true)), "behind");
  assert.equal(standing(heard(UNHEARD, { ...told, reached: null, behind: 0 }, 0, true)), "leftOut");
  assert.equal(standing(heard(UNHEARD, { ...told, paused: true }, 0, true)), null);
  assert.equal(standing(heard(UNHEARD, { now: 0, pace: 60 }, 0, true)), null);
});

test("a reader who pauses and goes on again sees the clock stand, then go on from there", () => {
  const store = createStore({ cluster: { state: "running" } });
  store.connection.value = { state: "open", attempt: 0, retryAt: null };
  const actions = createActions(store, { send: () => true });
  store.setClock(heard, { now: 100, pace: 60, paused: true });
  const longAgo = performance.now() - 60_000;
  store.clock.value = { ...store.clock.value, heardAt: longAgo };
  actions.toggleRun();
  const { heardAt, now, floor } = store.clock.value;
  assert.ok(heardAt > longAgo + 30_000, "the minute it stood is no time");
  assert.deepEqual([now, floor], [100, 100]);
});
