import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals-core";
import { createDetails } from "../../static/js/details.js";

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("what could not be fetched is told, and asked for again only later", async () => {
  let asked = 0;
  let now = 0;
  const gone = /** @type {any} */ (
    async () => {
      asked += 1;
      return { ok: false, status: 410, json: async () => ({ message: "This cluster does not run just now." }) };
    }
  );
  const details = createDetails("/entries/", gone, () => now);
  const told = /** @type {string[]} */ ([]);
  const stop = effect(() => {
    told.push(details.of(7).value.state);
  });
  await settled();
  assert.deepEqual(told, ["loading", "failed"]);
  assert.equal(details.of(7).value.message, "This cluster does not run just now.");
  assert.equal(asked, 1, "telling the failure draws the panel, and that asks for nothing");
  stop();
  now = 60_000;
  details.of(7);
  await settled();
  assert.equal(asked, 2);
});

test("a cluster that is busy is asked again, and not for ever", async () => {
  let asked = 0;
  let busy = 2;
  const get = /** @type {any} */ (
    async () => {
      asked += 1;
      busy -= 1;
      return busy >= 0
        ? { ok: false, status: 503, json: async () => ({ message: "busy" }) }
        : { ok: true, status: 200, json: async () => ({ seq: 7 }) };
    }
  );
  const details = createDetails(
    "/e/",
    get,
    () => 0,
    async () => {},
  );
  const slot = details.of(7);
  while (slot.value.state === "loading") await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([slot.value.state, asked], ["ready", 3]);
  busy = 99;
  const other = details.of(8);
  while (other.value.state === "loading") await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([other.value.message, asked], ["busy", 9]);
});
