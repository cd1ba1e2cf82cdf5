import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Lanes, expectedLanes, hostsOf, withMachines } from "../../static/js/lanes.js";
import { ALTITUDES, Plan, foldedAt, gapHeight, layout } from "../../static/js/layout.js";
import { createStrings } from "../../static/js/strings.js";
import { journal, longJournal } from "./fixtures/journal.js";
import { wordsOf } from "./fixtures/words.js";

/** @typedef {import("../../static/js/layout.js").Options} Options */
/** @typedef {import("../../static/js/layout.js").Row} Row */

/** @type {import("../../static/js/lanes.js").Cast} */
const cast = JSON.parse(readFileSync(new URL("fixtures/cast.json", import.meta.url), "utf8"));

/** @type {Options[]} */
const VIEWS = [
  { altitude: "story", foldHeartbeats: true, expected: expectedLanes(cast) },
  { altitude: "story", foldHeartbeats: false },
  { altitude: "tcp", foldHeartbeats: true, expected: expectedLanes(cast) },
  { altitude: "tls", foldHeartbeats: true, participants: new Set(["worker-1/kubelet"]) },
  { altitude: "http", foldHeartbeats: true, text: "pods" },
];

/** Where a row is, without what may grow inside it. @param {Row} row */
const place = ({ seq, y, height, gapHeight: gap, from, to }) => ({ seq, y, height, gap, from, to });

test("a longer log never moves what is already drawn, at any cursor and in any view", () => {
  for (const seed of [1, 2, 3]) {
    const { entries } = journal({ seed, nodes: seed, idleSeconds: 30 });
    for (const options of VIEWS) {
      const whole = layout(entries, entries.length, options);
      for (let cursor = 0; cursor <= entries.length; cursor += 1 + (cursor % 37)) {
        const part = layout(entries, cursor, options);
        assert.deepEqual(
          part.rows.map(place),
          whole.rows.slice(0, part.rows.length).map(place),
          `seed ${seed}, cursor ${cursor}, ${JSON.stringify(options)}`,
        );
        assert.deepEqual(
          part.lanes.map((lane) => lane.id),
          whole.lanes.slice(0, part.lanes.length).map((lane) => lane.id),
        );
      }
    }
  }
});

test("adding to a plan batch by batch gives the plan made at once", () => {
  const entries = longJournal(3000);
  for (const options of VIEWS) {
    const plan = new Plan(options);
    for (let from = 0, step = 1; from < entries.length; from += step, step = 1 + ((step * 7) % 53))
      plan.extend(entries.slice(from, from + step));
    assert.deepEqual(plan.rows, layout(entries, entries.length, options).rows);
  }
});

test("the rows at a cursor are the rows of the log cut there", () => {
  const { entries } = journal({ idleSeconds: 30 });
  for (const options of VIEWS) {
    const plan = new Plan(options).extend(entries);
    for (let cursor = 0; cursor < entries.length; cursor += 13) {
      const part = layout(entries, cursor, options);
      assert.equal(plan.rowsAt(cursor), part.rows.length);
      assert.equal(plan.heightAt(cursor), part.height);
      const last = part.rows.at(-1);
      if (last?.members) assert.equal(foldedAt(plan.rows[last.index], cursor), last.members.length);
    }
  }
});

test("an altitude shows its layer and everything above it, and nothing below", () => {
  const { entries } = journal();
  for (const altitude of /** @type {const} */ (["story", "http", "tls", "tcp"])) {
    const rows = layout(entries, entries.length, { altitude, foldHeartbeats: false }).rows;
    const wanted = entries.filter((entry) => ALTITUDES[entry.layer] <= ALTITUDES[altitude]);
    assert.deepEqual(
      rows.map((row) => row.seq),
      wanted.map((entry) => entry.seq),
    );
  }
});

test("a run of heartbeats is one row that loses none of them", () => {
  const { entries } = journal({ idleSeconds: 60 });
  const rows = layout(entries, entries.length, { altitude: "story", foldHeartbeats: true }).rows;
  const folded = rows.flatMap((row) => row.members ?? []);
  assert.deepEqual(
    folded,
    entries.filter((entry) => entry.heartbeat && entry.layer === "story").map((entry) => entry.seq),
  );
  assert.ok(rows.some((row) => (row.members?.length ?? 0) > 10));
  for (let i = 1; i < rows.length; i += 1) assert.ok(!(rows[i].members && rows[i - 1].members), "two folds in a row should be one");
});

test("rows follow each other without overlap, and a gap grows with the time that passed", () => {
  const { entries } = journal();
  const { rows, height } = layout(entries, entries.length, VIEWS[0]);
  let y = 0;
  for (const row of rows) {
    assert.equal(row.y, y + row.gapHeight);
    y = row.y + row.height;
  }
  assert.equal(height, y);
  assert.equal(gapHeight(0.001), 0);
  assert.ok(gapHeight(0.1) > 0 && gapHeight(1) > gapHeight(0.1) && gapHeight(3600) > gapHeight(1));
});

test("every height finds the row drawn there", () => {
  const plan = new Plan(VIEWS[0]).extend(longJournal(2000));
  for (let y = 0; y < plan.height; y += 9) {
    const row = plan.rows[plan.rowAtHeight(y)];
    assert.ok(row.y - row.gapHeight <= y && y < row.y + row.height, `y ${y}`);
  }
});

test("a filter by participant keeps what it says and what is said to it", () => {
  const { entries } = journal();
  const rows = layout(entries, entries.length, {
    altitude: "story",
    foldHeartbeats: false,
    participants: new Set(["control-plane/etcd"]),
  }).rows;
  assert.ok(rows.length > 0);
  for (const row of rows) assert.ok([row.entry.from, row.entry.to].includes("control-plane/etcd"));
});

test("a search finds a message by label, sentence, path and number", () => {
  const { entries } = journal();
  const { say } = createStrings(wordsOf("en"), "en");
  const seqs = (/** @type {string} */ text) =>
    layout(entries, entries.length, { altitude: "tcp", foldHeartbeats: false, text, say }).rows.map((row) => row.seq);
  const post = /** @type {any} */ (entries.find((entry) => entry.label === "POST deployments"));
  for (const text of ["post deploy", "create Deployment web", "fieldmanager=kubectl", `#${post.seq}`])
    assert.ok(seqs(text).includes(post.seq), text);
  assert.deepEqual(seqs("no such words"), []);
});

test("a machine that is switched on later is as the others: a lane for each component, and one for what is typed there", () => {
  const lanes = new Lanes(expectedLanes(cast));
  /** @param {string} from */
  const started = (from) => /** @type {any} */ ({ kind: "process.started", from, seq: 1, fields: { name: from.split("/")[1] } });
  const participants = ["worker-9/containerd", "worker-9/kubeadm", "worker-9/kubelet", "worker-9/curl", "worker-9/kube-proxy"];
  for (const one of participants) lanes.live(started(one), 0);
  assert.deepEqual(
    participants.map((one) => lanes.of(one).id),
    ["worker-9/containerd", "worker-9/terminal", "worker-9/kubelet", "worker-9/terminal", "worker-9/kube-proxy"],
  );
  assert.deepEqual(lanes.newcomers, ["worker-9"]);
  const early = new Lanes(expectedLanes(cast));
  assert.equal(early.of("worker-9/kubeadm").id, "worker-9/kubeadm", "nothing says yet that this is a machine");
  early.live(started("worker-9/containerd"), 0);
  assert.equal(early.of("worker-9/kubeadm").id, "worker-9/terminal");
  const grown = withMachines(cast, lanes.newcomers);
  assert.deepEqual(grown.workers, [...cast.workers, "worker-9"]);
  assert.ok(grown.components.includes("worker-9/kubelet") && !grown.components.includes("worker-9/etcd"));
  assert.deepEqual(withMachines(cast, []), cast);
  const alone = new Lanes([]);
  alone.live(started("worker-9/containerd"), 0);
  assert.equal(alone.of("worker-9/kubeadm").id, "worker-9/kubeadm");
});

test("what is typed on a machine shares a lane there, and a pod has one for all that runs in it, in its namespace", () => {
  const lanes = new Lanes(expectedLanes(cast));
  const came = [
    "worker-1/terminal",
    "web-0.shop/nginx",
    "10.96.0.10/10.96.0.10",
    "db.shop/sh",
    "worker-1/curl",
    "web-0.shop/curl",
    "worker-2",
  ];
  for (const participant of came) lanes.of(participant);
  const drawn = hostsOf(lanes.drawn).map(({ host, first, count }) => [
    host,
    ...lanes.drawn.slice(first, first + count).map((lane) => lane.name),
  ]);
  assert.deepEqual(drawn.slice(2), [
    ["worker-1", "kubelet", "containerd", "kube-proxy", "terminal"],
    ["worker-2", "kubelet", "containerd", "kube-proxy", "worker-2"],
    ["shop", "web-0", "db"],
    ["10.96.0.10", "10.96.0.10"],
  ]);
  assert.deepEqual(
    lanes.list.slice(-5).map((lane) => lane.id),
    ["worker-1/terminal", "web-0.shop", "10.96.0.10/10.96.0.10", "db.shop", "worker-2"],
    "their numbers stay in the order in which they came",
  );
});

test("a lane of several programs lives while one of them runs", () => {
  const lanes = new Lanes(expectedLanes(cast));
  const note = (/** @type {number} */ seq, /** @type {string} */ kind, /** @type {string} */ from) =>
    lanes.live({ ...journal().entries[0], seq, kind, from, fields: {} }, seq * 10);
  note(1, "process.started", "web-0.shop/nginx");
  note(2, "process.started", "web-0.shop/sh");
  note(3, "process.exited", "web-0.shop/sh");
  assert.deepEqual(lanes.of("web-0.shop/x").lives, [{ seq: 1, y: 10, endSeq: null, endY: null }]);
  note(4, "process.exited", "web-0.shop/nginx");
  assert.deepEqual(lanes.of("web-0.shop/x").lives, [{ seq: 1, y: 10, endSeq: 4, endY: 40 }]);
});

test("the cast is there before anyone speaks", () => {
  const lanes = layout(journal().entries, 5000, VIEWS[0]).lanes;
  assert.deepEqual(
    lanes.slice(0, 3).map((lane) => lane.id),
    ["workstation", "control-plane/kube-apiserver", "control-plane/etcd"],
  );
  assert.deepEqual(
    hostsOf(lanes).map(({ host, count }) => [host, count]),
    [
      ["workstation", 1],
      ["control-plane", 4],
      ["worker-1", 3],
      ["worker-2", 3],
    ],
  );
});

test("a hundred thousand entries are laid out in well under a second, and a step adds to them", () => {
  const entries = longJournal(100_000);
  const plan = new Plan(VIEWS[0]).extend(entries);
  assert.equal(plan.seq, 100_000);
  assert.ok(plan.rows.length > 10_000);
});

test("a cast has a lane for each person's host and each program, and people's programs share theirs", () => {
  assert.deepEqual(expectedLanes(cast).slice(0, 3), ["workstation", "control-plane/kube-apiserver", "control-plane/etcd"]);
  const more = { ...cast, components: [...cast.components, "worker-2/agent"] };
  assert.equal(
    layout([], 0, { altitude: "story", foldHeartbeats: true, expected: expectedLanes(more) }).lanes.at(-1)?.id,
    "worker-2/agent",
  );
  for (const host of cast.people) assert.equal(new Lanes(expectedLanes(cast)).idOf(`${host}/kubectl`), host);
});

test("with a focus only its lanes are there, and only what passes between them", () => {
  const { entries } = journal();
  const focus = new Set(["workstation", "control-plane/kube-apiserver"]);
  const { lanes, rows } = layout(entries, entries.length, { altitude: "tcp", foldHeartbeats: false, focus, expected: expectedLanes(cast) });
  assert.deepEqual(
    lanes.map((lane) => lane.id),
    [...focus],
  );
  assert.ok(rows.length > 10);
  const all = new Lanes(expectedLanes(cast));
  for (const { entry } of rows) for (const end of [entry.from, entry.to]) assert.ok(end === null || focus.has(all.idOf(end)));
});

test("a sealed fault is drawn only once it is over", () => {
  const { entries } = journal();
  const note = { ...entries[0], to: null, layer: /** @type {const} */ ("story"), heartbeat: false };
  const sealed = [
    { ...note, seq: 1, kind: "fault.started", fields: { id: "fault-1", sealed: true } },
    { ...note, seq: 2, kind: "fault.ended", fields: { id: "fault-1", name: "kill" } },
  ];
  assert.deepEqual(
    layout(sealed, 2, { altitude: "tcp", foldHeartbeats: false }).rows.map((row) => row.seq),
    [2],
  );
});
