/** What can be taken along, and from where. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { plainColour } from "../../static/js/diagram/picture.js";
import { FORMATS } from "../../static/js/panels/takingpanel.js";
import { addressOf, pictureName, rangeOf } from "../../static/js/taking.js";
import { wordsOf } from "./fixtures/words.js";

test("a format is fetched of everything, of one connection, or of a range", () => {
  assert.equal(addressOf("/clusters/a/export/", "pcapng", {}), "/clusters/a/export/pcapng");
  assert.equal(addressOf("/clusters/a/export/", "keylog", { connection: 17 }), "/clusters/a/export/keylog?connection=17");
  assert.equal(addressOf("/clusters/a/export/", "html", { first: 3, last: 9 }), "/clusters/a/export/html?first=3&last=9");
});

test("a range is two numbers in their order, of messages that there are", () => {
  assert.deepEqual(rangeOf("3", " 9 ", 20), { chosen: { first: 3, last: 9 }, problem: "" });
  assert.deepEqual(rangeOf("7", "7", 7).chosen, { first: 7, last: 7 });
  assert.deepEqual(rangeOf("7", "99", 20).chosen, { first: 7, last: 99 });
  for (const [first, last, problem] of [
    ["", "", "numbers"],
    ["1", "x", "numbers"],
    ["0", "5", "numbers"],
    ["1.5", "5", "numbers"],
    ["-1", "5", "numbers"],
    ["9".repeat(16), "5", "numbers"],
    ["9", "3", "order"],
    ["21", "22", "beyond"],
  ]) {
    assert.deepEqual(rangeOf(first, last, 20), { chosen: {}, problem: `takeaway.range.${problem}` });
    assert.ok(wordsOf("en")[`takeaway.range.${problem}`]);
  }
});

test("every format has a name", () => {
  for (const format of FORMATS) assert.ok(wordsOf("en")[`takeaway.${format}`], format);
  assert.equal(pictureName("svg", 3, 9), "glassplane-3-9.svg");
});

test("a picture has colours that every program reads", () => {
  assert.deepEqual(plainColour("rgb(29, 91, 208)"), ["#1d5bd0", 1]);
  assert.deepEqual(plainColour("rgba(29, 91, 208, 0.5)"), ["#1d5bd0", 0.5]);
  assert.deepEqual(plainColour("color(srgb 1 0.5 0 / 0.25)"), ["#ff8000", 0.25]);
  assert.equal(plainColour("none"), null);
});
