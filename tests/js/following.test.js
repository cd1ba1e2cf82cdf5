/** What can be followed from an entry, and the next and the previous of the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../static/js/actions.js";
import { beyond, followed } from "../../static/js/following.js";
import { compile, parse } from "../../static/js/query.js";
import { createStore } from "../../static/js/store.js";
import { journal } from "./fixtures/journal.js";

/** @typedef {import("../../static/js/log.js").Entry} Entry */

const { entries } = journal({ idleSeconds: 20 });
const command = /** @type {Entry} */ (entries.find(({ kind }) => kind === "command.started"));
const about = /** @type {Entry} */ (
  entries.find(({ fields, connection }) => fields.name && fields.resource === "pods" && connection !== null)
);

/** @param {Entry} entry @param {import("../../static/js/following.js").Way} way */
const all = (entry, way) => entries.filter(/** @type {any} */ (compile(parse(followed(entry, way) ?? "nothing"), { entries })));

test("what is followed from an entry has that entry in it, and what belongs to it alone", () => {
  for (const way of /** @type {const} */ (["object", "connection", "lane", "chain", "cause"]))
    assert.ok(all(about, way).includes(about), way);
  for (const { fields } of all(about, "object"))
    assert.deepEqual([fields.resource, fields.name], [about.fields.resource, about.fields.name]);
  for (const { connection } of all(about, "connection")) assert.equal(connection, about.connection);
  for (const { from, to } of all(about, "lane")) assert.ok([from, to].includes(about.from));
  assert.equal(followed({ ...about, connection: null }, "connection"), null);
  assert.equal(followed({ ...about, fields: {} }, "object"), null);
});

test("next and previous undo each other along every path", () => {
  for (const path of /** @type {const} */ (["object", "lane", "connection"])) {
    const next = beyond(entries, about.seq, path, 1, "tcp");
    assert.ok(next && next.seq > about.seq, path);
    assert.equal(beyond(entries, next.seq, path, -1, "tcp"), about, path);
  }
  assert.equal(beyond(entries, about.seq, "chain", -1, "tcp")?.seq, about.cause);
  assert.equal(beyond(entries, about.seq, "command", -1, "story"), command);
  assert.equal(beyond(entries, command.seq, "command", -1, "story"), null);
});

test("what the altitude does not show is passed over", () => {
  const deep = /** @type {Entry} */ (entries.find(({ layer }) => layer === "tcp"));
  assert.equal(beyond(entries, deep.seq, "connection", 1, "tcp")?.layer, "tcp");
  assert.equal(beyond(entries, deep.seq, "connection", 1, "story")?.layer, "story");
});

test("a reader follows, seeks and lets go", () => {
  const store = createStore();
  const actions = createActions(store, { send: () => true });
  store.log.append(entries);
  assert.equal(actions.follow("object"), false, "nothing is selected");
  actions.reveal(about.seq);
  assert.ok(actions.follow("object"));
  assert.ok(store.filtered.value && store.query.value.folds);
  assert.ok(store.picture.value.plan.shows(about.seq) && store.picture.value.plan.rows.some(({ rest }) => rest));
  actions.reveal(command.seq);
  assert.equal(store.filtered.value, false, "what lies in a fold of the rest is not shown there");
  actions.reveal(about.seq);
  actions.follow("object");
  actions.follow("object");
  assert.equal(store.filtered.value, false);
  assert.equal(store.selected.value, about.seq);
  assert.ok(actions.seek("command", -1));
  assert.equal(store.selected.value, command.seq);
  assert.equal(actions.seek("fault", 1), false);
  assert.equal(store.selected.value, command.seq);
});
