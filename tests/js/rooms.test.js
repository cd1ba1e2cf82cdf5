/** A page in a room: what it knows, where it belongs, what it says while it leads and does while it follows. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { grouped, whileTyping } from "../../static/js/rooms/code.js";
import { courseOf, mirrors } from "../../static/js/rooms/course.js";
import { createDiagnosis } from "../../static/js/rooms/diagnosis.js";
import { createLive } from "../../static/js/rooms/live.js";
import { positionOf } from "../../static/js/position.js";
import { SAY_EVERY_MS, sayPositions, takePositions } from "../../static/js/rooms/position.js";
import { createStore } from "../../static/js/store.js";
import { journal } from "./fixtures/journal.js";

const { entries } = journal({ idleSeconds: 10 });

/** @type {import("../../static/js/rooms/live.js").Room} */
const ROOM = { id: "r", title: "Friday", mode: "own", lesson: null, state: "open", paused: false, leading: false, cluster: "theirs" };
/** @type {import("../../static/js/rooms/live.js").Me} */
const ANNA = { role: "member", member: 3, name: "Anna", group: "A", help: null, follows: true, cluster: "mine" };
const TEACHER = { ...ANNA, role: /** @type {const} */ ("instructor"), member: null, cluster: "theirs" };

/** A room's socket in miniature. */
function stage() {
  /** @type {any[]} */
  const sockets = [];
  class FakeWebSocket {
    constructor() {
      this.readyState = 1;
      /** @type {any[]} */
      this.sent = [];
      sockets.push(this);
    }
    /** @param {string} text */
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {}
  }
  /** @type {any[]} */
  const answers = [];
  const live = createLive({ url: "ws://x", onAnswer: (frame) => answers.push(frame), WebSocket: /** @type {any} */ (FakeWebSocket) });
  live.open();
  const say = (/** @type {object} */ frame) => sockets.at(-1).onmessage({ data: JSON.stringify(frame) });
  return { live, sockets, answers, say };
}

const row = (/** @type {number} */ member, name = `m${member}`) => ({
  member,
  name,
  group: "",
  online: true,
  cluster: { id: `c${member}`, state: "running" },
  where: null,
  help: null,
  reports: {},
});

test("a board is made of a first picture and of what changes", () => {
  const { live, say } = stage();
  say({ type: "room", room: ROOM, me: TEACHER });
  say({ type: "board", rows: [row(1), row(2)], incidents: [{ id: 7, healed: null }] });
  say({ type: "row", row: row(2, "Ben") });
  say({ type: "row", row: row(5) });
  say({ type: "gone", member: 1 });
  say({ type: "incident", incident: { id: 7, healed: "2026-11-21T10:00:00Z" } });
  say({ type: "incident", incident: { id: 8, healed: null } });
  assert.deepEqual(
    [...live.rows.value.values()].map(({ name }) => name),
    ["Ben", "m5"],
  );
  assert.deepEqual(
    live.incidents.value.map(({ number, healed }) => [number, Boolean(healed)]),
    [
      [1, true],
      [2, false],
    ],
  );
});

test("a board told again after a cut forgets who has gone meanwhile", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { live, say, sockets } = stage();
  say({ type: "board", rows: [row(1), row(2)], incidents: [] });
  sockets[0].onclose({ code: 1006 });
  assert.equal(live.connection.value.state, "lost");
  t.mock.timers.tick(1000);
  assert.equal(sockets.length, 2);
  sockets[1].onopen();
  say({ type: "board", rows: [row(2)], incidents: [] });
  assert.deepEqual([...live.rows.value.keys()], [2]);
});

test("answers go to who asked, and a position is forgotten once nobody leads", () => {
  const { live, say, answers } = stage();
  say({ type: "room", room: { ...ROOM, leading: true }, me: ANNA });
  say({ type: "position", cluster: "theirs", cursor: 4 });
  assert.deepEqual(live.position.value, { cluster: "theirs", cursor: 4 });
  say({ type: "diagnosis", right: true, tries: 2 });
  say({ type: "constructor" });
  assert.deepEqual(
    answers.map(({ type }) => type),
    ["diagnosis", "constructor"],
  );
  say({ type: "room", room: ROOM, me: ANNA });
  assert.equal(live.position.value, null);
});

const at = { own: "/own/", watch: "/watch/" };
const course = (/** @type {Partial<typeof ROOM>} */ room, /** @type {any} */ me, /** @type {string} */ cluster, watching = false) =>
  courseOf({ room: { ...ROOM, ...room }, me: { ...ANNA, ...me }, watching, cluster, ownUrl: at.own, watchUrl: at.watch });

test("who follows goes to the instructor and comes back; who does not stays", () => {
  assert.equal(course({ leading: true }, {}, "mine"), at.watch);
  assert.equal(course({ leading: true }, {}, "theirs", true), null);
  assert.equal(course({ leading: true }, { follows: false }, "mine"), null);
  assert.equal(course({ leading: true }, { follows: false }, "theirs", true), at.own);
  assert.equal(course({ leading: false }, {}, "theirs", true), at.own);
  assert.equal(course({ leading: false }, { cluster: null }, "theirs", true), at.own, "also who has no cluster of their own yet");
  assert.equal(course({ leading: false }, {}, "mine"), null);
  assert.equal(course({ leading: true, cluster: null }, {}, "mine"), null);
});

test("a reset leads to the successor under the same address", () => {
  assert.equal(course({}, { cluster: "successor" }, "mine"), at.own);
  assert.equal(course({ cluster: "successor" }, TEACHER, "theirs"), at.watch);
  assert.equal(course({}, TEACHER, "theirs"), null);
  assert.equal(course({ leading: true, cluster: "successor" }, {}, "theirs", true), at.watch);
});

test("where all watch one cluster nobody is sent about", () => {
  for (const leading of [true, false])
    for (const follows of [true, false])
      assert.equal(course({ mode: "shared", leading }, { follows, cluster: null }, "theirs", true), null);
  assert.equal(course({ mode: "shared", cluster: "successor" }, { cluster: null }, "theirs", true), at.own);
});

test("only who follows a leading instructor sees as they do, and only in their cluster", () => {
  const leading = { ...ROOM, leading: true };
  assert.equal(mirrors(leading, ANNA, "theirs"), true);
  assert.equal(mirrors(leading, ANNA, "mine"), false);
  assert.equal(mirrors(leading, { ...ANNA, follows: false }, "theirs"), false);
  assert.equal(mirrors(leading, TEACHER, "theirs"), false);
  assert.equal(mirrors(ROOM, ANNA, "theirs"), false);
});

/** A leading page whose frames and clock are the test's. */
function leader() {
  const store = createStore({ cluster: { id: "theirs", nodes: 2, state: "running" } });
  store.log.append(entries);
  /** @type {(() => void)[]} */
  const frames = [];
  let time = 1000;
  /** @type {any[]} */
  const said = [];
  let on = true;
  const stop = sayPositions({
    store,
    on: () => on && store.cluster.value.state === "running",
    say: (position) => said.push(position),
    frame: (then) => frames.push(then),
    now: () => time,
  });
  const paint = (ms = 16) => {
    time += ms;
    for (const frame of frames.splice(0)) frame();
  };
  return {
    store,
    said,
    paint,
    stop,
    off: () => {
      on = false;
    },
  };
}

test("a leading page says where it stands at once, and what changes together as one position", () => {
  const { store, said, paint } = leader();
  paint();
  assert.equal(said.length, 1);
  store.altitude.value = "tls";
  store.cursor.value = 40;
  store.selected.value = 40;
  paint(SAY_EVERY_MS);
  assert.equal(said.length, 2);
  assert.deepEqual(said[1], {
    cluster: "theirs",
    cursor: 40,
    altitude: "tls",
    selected: 40,
    drawer: false,
    tab: "what",
    beat: null,
    focus: null,
    participants: null,
    text: "",
    heartbeats: false,
  });
});

test("positions are said at most twenty times a second, and the last of them always", () => {
  const { store, said, paint } = leader();
  for (let i = 1; i <= 120; i += 1) {
    store.cursor.value = i;
    paint(1000 / 60);
  }
  assert.ok(said.length <= 41, `${said.length} in two seconds`);
  assert.ok(said.length >= 30, `${said.length} in two seconds`);
  paint();
  paint();
  paint();
  assert.equal(said.at(-1).cursor, 120);
});

test("a page that no longer leads says nothing, not even what was waiting", () => {
  const { store, said, paint, off } = leader();
  paint();
  store.cursor.value = 10;
  off();
  store.cursor.value = 11;
  paint(100);
  assert.equal(said.length, 1);
});

test("a follower stands where the leader stands and sees it the same way", async () => {
  const { signal } = await import("@preact/signals-core");
  const led = createStore({ cluster: { id: "theirs", nodes: 2, state: "running" } });
  led.log.append(entries);
  const position = signal(/** @type {any} */ (null));
  takePositions({ store: led, position: () => position.value });
  const { store, said, paint } = leader();
  store.altitude.value = "http";
  store.participants.value = new Set(["control-plane/etcd"]);
  store.focus.value = new Set(["control-plane/etcd", "control-plane/kube-apiserver"]);
  store.foldHeartbeats.value = false;
  store.cursor.value = 90;
  store.selected.value = 70;
  store.tab.value = "why";
  store.drawer.value = true;
  paint(100);
  position.value = said.at(-1);
  assert.deepEqual(positionOf(led), positionOf(store));
  assert.equal(led.shown.value, 90);
});

test("following a leader who steps does not lay the whole journal out again", async () => {
  const { signal } = await import("@preact/signals-core");
  const { store: leading } = leader();
  const store = createStore({ cluster: { id: "theirs", nodes: 2 } });
  store.log.append(entries);
  const position = signal(positionOf(leading));
  takePositions({ store, position: () => position.value });
  const { plan } = store.picture.value;
  position.value = { ...positionOf(leading), cursor: 50 };
  assert.equal(store.shown.value, 50);
  assert.equal(store.picture.value.plan, plan);
});

test("a place in a cluster that has been replaced is none in its successor", async () => {
  const { signal } = await import("@preact/signals-core");
  const store = createStore({ cluster: { id: "theirs", nodes: 2 } });
  store.log.append(entries);
  const position = signal(/** @type {any} */ ({ ...positionOf(store), cluster: "before", altitude: "tcp" }));
  takePositions({ store, position: () => position.value });
  assert.equal(store.altitude.value, "story");
  position.value = { ...position.value, cluster: "theirs" };
  assert.equal(store.altitude.value, "tcp");
});

test("a follower whose journal lags goes there as soon as it has come that far", async () => {
  const { signal } = await import("@preact/signals-core");
  const store = createStore({ cluster: { id: "theirs", nodes: 2 } });
  store.log.append(entries.slice(0, 20));
  const place = {
    cluster: "theirs",
    cursor: null,
    altitude: "story",
    selected: 60,
    drawer: true,
    tab: "body",
    beat: null,
    focus: null,
    participants: null,
    text: "",
    heartbeats: false,
  };
  const position = signal(/** @type {any} */ (place));
  takePositions({ store, position: () => position.value });
  assert.equal(store.selected.value, null);
  store.log.append(entries);
  assert.equal(store.selected.value, 60);
  store.selected.value = 61;
  store.log.head.value = store.log.head.peek();
  assert.equal(store.selected.value, 61, "a position is taken once; what the follower does after it stays");
});

test("an alarm and a diagnosis are judged by the server alone", async () => {
  /** @type {any[]} */
  const sent = [];
  const diagnosis = createDiagnosis({
    send: (frame) => Boolean(sent.push(frame)),
    fetchFaults: async () => JSON.parse(readFileSync(new URL("fixtures/faults.json", import.meta.url), "utf8")),
  });
  await diagnosis.begin();
  assert.deepEqual(sent, [{ type: "notice" }]);
  assert.equal(diagnosis.alarm.value, "asked");
  diagnosis.hear({ type: "noticed", false: false });
  diagnosis.diagnose("power-off", "worker-2");
  assert.equal(diagnosis.asked.value, true);
  diagnosis.hear({ type: "diagnosis", right: false, tries: 1 });
  assert.deepEqual(diagnosis.verdict.value, { right: false, tries: 1 });
  assert.equal(diagnosis.asked.value, false);
  diagnosis.hear({ type: "noticed", false: true });
  assert.equal(diagnosis.alarm.value, "false");
});

test("without a connection a learner is told so, not left waiting", async () => {
  const diagnosis = createDiagnosis({ send: () => false, fetchFaults: async () => [] });
  await diagnosis.begin();
  assert.equal(diagnosis.alarm.value, "offline");
});

test("a code is read in two parts, and grouped while it is typed", () => {
  assert.equal(grouped("ACDEFGH"), "ACD-EFGH");
  assert.equal(grouped("acd efgh"), "ACD-EFGH");
  assert.equal(whileTyping("ac", 7), "AC");
  assert.equal(whileTyping("acd", 7), "ACD");
  assert.equal(whileTyping("acde", 7), "ACD-E");
  assert.equal(whileTyping("ACD-EFGHJK", 7), "ACD-EFGH");
});
