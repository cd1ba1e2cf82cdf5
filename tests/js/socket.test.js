import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../../static/js/connection.js";
import { Log } from "../../static/js/log.js";
import { Socket } from "../../static/js/socket.js";
import { journal } from "./fixtures/journal.js";

const { entries } = journal({ idleSeconds: 10 });

/** A server of the page's protocol in miniature, for one page. */
function stage() {
  /** @type {any[]} */
  const sockets = [];
  class FakeWebSocket {
    constructor() {
      this.readyState = 0;
      /** @type {any[]} */
      this.sent = [];
      sockets.push(this);
    }
    /** @param {string} text */
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {}
    open() {
      this.readyState = 1;
      /** @type {any} */ (this).onopen();
    }
    /** @param {object} frame */
    say(frame) {
      /** @type {any} */ (this).onmessage({ data: JSON.stringify(frame) });
    }
    /** @param {number} code */
    drop(code) {
      this.readyState = 3;
      /** @type {any} */ (this).onclose({ code });
    }
  }
  const log = new Log();
  /** @type {string[]} */
  const states = [];
  /** @type {string[]} */
  const fetched = [];
  const fetch = async (/** @type {string} */ url) => {
    fetched.push(url);
    const since = Number(new URL(url, "http://x").searchParams.get("since"));
    return { ok: true, json: async () => ({ entries: entries.slice(since, since + 50), head: entries.length }) };
  };
  const socket = new Socket({
    url: "ws://x",
    entriesUrl: "/entries/",
    log,
    onFrame: () => {},
    onState: ({ state }) => states.push(state),
    WebSocket: /** @type {any} */ (FakeWebSocket),
    fetch: /** @type {any} */ (fetch),
  });
  return { sockets, log, states, fetched, socket };
}

test("the last thousand entries are asked for once more when a cluster came back, and nothing is held twice", () => {
  const { sockets, log, socket } = stage();
  socket.open();
  sockets[0].open();
  sockets[0].say({ type: "entries", entries: entries.slice(0, 20) });
  socket.compare();
  assert.deepEqual(sockets[0].sent.at(-1), { type: "watch", since: Math.max(0, log.head.value - 1000) });
  sockets[0].say({ type: "entries", entries: entries.slice(0, 25) });
  assert.deepEqual([log.entries.length, log.forked.value], [25, false]);
});

test("where nothing is heard after a command, not even an answer to a ping, the page connects anew", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, socket, states } = stage();
  socket.open();
  sockets[0].open();
  socket.send({ type: "command", id: "c1", line: "ls" });
  t.mock.timers.tick(5000);
  assert.deepEqual(sockets[0].sent.at(-1), { type: "ping" });
  sockets[0].say({ type: "pong" });
  t.mock.timers.tick(60_000);
  assert.deepEqual(states, ["connecting", "open"], "a cluster that is busy is no dead connection");
  socket.send({ type: "command", id: "c2", line: "ls" });
  t.mock.timers.tick(5000);
  t.mock.timers.tick(5000);
  assert.deepEqual(states.slice(2), ["lost"]);
  t.mock.timers.tick(1000);
  sockets[1].open();
  sockets[0].drop(1006);
  t.mock.timers.tick(60_000);
  assert.deepEqual(states.slice(3), ["connecting", "open"]);
});

test("after a cut the page asks for what follows the last entry it holds", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, log, socket, states } = stage();
  socket.open();
  sockets[0].open();
  assert.deepEqual(sockets[0].sent, [{ type: "watch", since: 0 }]);
  sockets[0].say({ type: "entries", entries: entries.slice(0, 20) });
  sockets[0].drop(1006);
  t.mock.timers.tick(1000);
  sockets[1].open();
  assert.deepEqual(sockets[1].sent, [{ type: "watch", since: 20 }]);
  sockets[1].say({ type: "entries", entries: entries.slice(15, 40) });
  assert.equal(log.head.value, 40);
  assert.deepEqual(states, ["connecting", "open", "lost", "connecting", "open"]);
});

test("a gap is filled over HTTP, and the watch goes on from there", async () => {
  const { sockets, log, socket, fetched } = stage();
  socket.open();
  sockets[0].open();
  sockets[0].say({ type: "entries", entries: entries.slice(0, 10) });
  sockets[0].say({ type: "entries", entries: entries.slice(30, 40) });
  while (log.head.value < entries.length) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.match(fetched[0], /since=10/);
  assert.deepEqual(
    log.entries.map((entry) => entry.seq),
    entries.map((entry) => entry.seq),
  );
  assert.deepEqual(sockets[0].sent.at(-1), { type: "watch", since: entries.length });
});

test("a cluster that is gone is not asked for again", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, socket, states } = stage();
  socket.open();
  sockets[0].drop(4404);
  t.mock.timers.tick(60_000);
  assert.equal(sockets.length, 1);
  assert.equal(states.at(-1), "gone");
});

test("waits between attempts grow to a bound and are never all the same", () => {
  assert.equal(backoff(1, 0), 0.4);
  assert.equal(backoff(3, 0), 1.6);
  assert.equal(backoff(50, 0), 10);
  assert.ok(backoff(50, 0.9) < 10);
});
