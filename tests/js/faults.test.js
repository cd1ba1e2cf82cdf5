/** The form that breaks things, and what the journal says is broken. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ActiveFaults } from "../../static/js/breaking.js";
import { askedFields, choicesOf, firstValues, grouped, keptValues, problemsOf, recordOf } from "../../static/js/faults.js";
import { withMachines } from "../../static/js/lanes.js";

/** @type {import("../../static/js/faults.js").Fault[]} */
const faults = JSON.parse(readFileSync(new URL("fixtures/faults.json", import.meta.url), "utf8"));
const fault = (/** @type {string} */ name) =>
  /** @type {import("../../static/js/faults.js").Fault} */ (faults.find((one) => one.name === name));
const field = (/** @type {string} */ name, /** @type {string} */ of) =>
  /** @type {any} */ (fault(name).fields.find((one) => one.name === of));
/** @type {import("../../static/js/lanes.js").Cast} */
const cast = JSON.parse(readFileSync(new URL("fixtures/cast.json", import.meta.url), "utf8"));

test("a machine that comes while a form is filled in changes nothing in it, and one that goes only what was aimed at it", () => {
  const values = { ...firstValues(fault("latency"), cast), seconds: "0.5" };
  assert.deepEqual(keptValues(fault("latency"), values, withMachines(cast, ["worker-3"])), values);
  assert.equal(keptValues(fault("power-off"), { ...values, target: "worker-9" }, cast).target, "worker-2");
});

test("every fault is in exactly one group, and one without a group is not lost", () => {
  const names = grouped(faults).flatMap((group) => group.faults.map((one) => one.name));
  assert.deepEqual(names.sort(), faults.map((one) => one.name).sort());
  assert.deepEqual(grouped([...faults, { name: "new", fields: [] }]).at(-1), { group: "other", faults: [{ name: "new", fields: [] }] });
  assert.ok(!grouped(faults).some((group) => group.group === "other"));
});

test("a form that nobody has touched can be sent, for every fault but the one that needs a name", () => {
  for (const one of faults)
    assert.deepEqual(
      Object.keys(problemsOf(one, firstValues(one, cast), cast)),
      one.name === "binding-revoked" ? ["target"] : [],
      one.name,
    );
});

test("a field offers only what the server would take", () => {
  assert.deepEqual(choicesOf(field("image-not-found", "target"), cast), ["worker-1", "worker-2"]);
  assert.deepEqual(choicesOf(field("partition", "target"), cast), ["control-plane", "worker-1", "worker-2"]);
  assert.ok(choicesOf(field("partition", "peer"), cast)?.includes("workstation"));
  assert.deepEqual(choicesOf(field("etcd-down", "target"), cast), ["control-plane/etcd"]);
  assert.ok(!choicesOf(field("certificate-expired", "target"), cast)?.includes("worker-1/containerd"));
});

test("nobody is asked for a seed, and times are asked as people think of them", () => {
  for (const one of faults) for (const asked of askedFields(one)) assert.ok(!["seed", "start", "end"].includes(asked.name));
});

test("delay and duration become start and end, both from the injection", () => {
  const values = { ...firstValues(fault("latency"), cast), seconds: "0.5", delay: "10", duration: "30" };
  assert.deepEqual(recordOf(fault("latency"), values), {
    name: "latency",
    target: "worker-2",
    peer: "control-plane",
    seconds: 0.5,
    start: 10,
    end: 40,
  });
  assert.deepEqual(recordOf(fault("power-off"), firstValues(fault("power-off"), cast)), { name: "power-off", target: "worker-2" });
  assert.equal(firstValues(fault("stop"), cast).target, "worker-2/kubelet");
});

test("what is over at once has no end", () => {
  const values = { ...firstValues(fault("reset"), cast), duration: "30" };
  assert.ok(!("end" in recordOf(fault("reset"), values)));
});

test("what is out of bounds is said beside its field", () => {
  const values = { ...firstValues(fault("latency"), cast), seconds: "11", delay: "soon", duration: "0", peer: "worker-2" };
  assert.deepEqual(Object.keys(problemsOf(fault("latency"), values, cast)).sort(), ["delay", "duration", "peer", "seconds"]);
  assert.equal(
    problemsOf(fault("stop"), { ...firstValues(fault("stop"), cast), target: "worker-9/kubelet" }, cast).target.key,
    "fault.problem.choice",
  );
  assert.equal(
    problemsOf(fault("image-not-found"), { ...firstValues(fault("image-not-found"), cast), image: " " }, cast).image.key,
    "fault.problem.empty",
  );
});

test("what is broken follows from the journal, and a sealed fault says only that it is there", () => {
  /** @type {any[]} */
  const entries = [
    { seq: 1, at: 1, kind: "fault.started", fields: { id: "fault-1", name: "power-off", target: "worker-1" } },
    { seq: 2, at: 2, kind: "http.request", fields: {} },
    { seq: 3, at: 3, kind: "fault.started", fields: { id: "fault-2", sealed: true } },
  ];
  const active = new ActiveFaults();
  assert.equal(active.extend(entries), true);
  assert.deepEqual(
    active.list.map(({ id, name, target, seq }) => [id, name, target, seq]),
    [
      ["fault-1", "power-off", "worker-1", 1],
      ["fault-2", null, null, 3],
    ],
  );
  entries.push({ seq: 4, at: 4, kind: "fault.ended", fields: { id: "fault-1", name: "power-off", target: "worker-1" } });
  assert.equal(active.extend(entries), true);
  assert.equal(active.extend(entries), false, "nothing is heard twice");
  assert.deepEqual(
    active.list.map(({ id }) => id),
    ["fault-2"],
  );
});
