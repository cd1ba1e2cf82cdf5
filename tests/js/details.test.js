import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals-core";
import { createDetails } from "../../static/js/details.js";

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("what could not be fetched is told, and asked for again only later", async () => {
  let asked = 0;
  let now = 0;
  const gone = /** @type {any} */ (async () => {
    asked += 1;
    return { ok: false, status: 410, json: async () => ({ message: "This cluster does not run any more." }) };
  });
  const details = createDetails("/entries/", gone, () => now);
  const told = /** @type {string[]} */ ([]);
  const stop = effect(() => { told.push(details.of(7).value.state); });
  await settled();
  assert.deepEqual(told, ["loading", "failed"]);
  assert.equal(details.of(7).value.message, "This cluster does not run any more.");
  assert.equal(asked, 1, "telling the failure draws the panel, and that asks for nothing");
  stop();
  now = 60_000;
  details.of(7);
  await settled();
  assert.equal(asked, 2);
});
