/** The coach ticks what was done, by what crossed the wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCoach } from "../../static/js/coach.js";
import { createStore } from "../../static/js/store.js";

/** @param {[kind: string, fields?: object][]} said */
const after = (...said) => {
  const store = createStore({ cluster: { nodes: 2, state: "running" } });
  const coach = createCoach(store);
  store.log.append(said.map(([kind, fields = {}], index) => /** @type {any} */ ({ seq: index + 1, kind, fields })));
  return coach;
};

test("whatever is typed makes room, but is no Deployment", () => {
  const coach = after(["command.started"], ["http.request", { verb: "list", resource: "deployments" }]);
  assert.equal(coach.begun.value, true);
  assert.deepEqual([...coach.done.value], []);
});

test("a Deployment that is asked for is one, whoever asks", () => {
  const coach = after(["http.request", { verb: "create", resource: "deployments" }]);
  assert.equal(coach.begun.value, true);
  assert.deepEqual([...coach.done.value], ["run"]);
});
