/** What holds the page's files together: words, modules, preloads. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { LAYERS } from "../../static/js/actions.js";
import { LEGEND, SHAPES, familyOf } from "../../static/js/shapes.js";
import { journal } from "./fixtures/journal.js";
import { wordsOf } from "./fixtures/words.js";

const root = new URL("../../", import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, root), "utf8");
const modules = readdirSync(new URL("static/js/", root), { recursive: true })
  .map(String)
  .filter((path) => path.endsWith(".js"));
const words = wordsOf("en");
test("every word that a module asks for exists", () => {
  const has = (/** @type {string} */ key) => key in words || `${key}_other` in words;
  for (const path of modules) {
    for (const [, key] of read(`static/js/${path}`).matchAll(/\bt\(\s*"([a-z]+\.[\w.]+)"/g)) assert.ok(has(key), `${path}: ${key}`);
    for (const [, either, or] of read(`static/js/${path}`).matchAll(/\bt\([^"`)]*\? "([\w.]+)" : "([\w.]+)"/g))
      assert.ok(has(either) && has(or), `${path}: ${either}, ${or}`);
  }
  for (const family of Object.keys(SHAPES)) assert.ok(has(`family.${family}`), family);
  for (const family of LEGEND) assert.ok(has(`legend.${family}`), family);
  for (const layer of LAYERS) assert.ok(has(`altitude.${layer}`) && has(`altitude.${layer}.title`), layer);
});

test("no two families are told apart by colour alone", () => {
  const signs = LEGEND.map((family) => JSON.stringify(SHAPES[family]));
  assert.equal(new Set(signs).size, signs.length);
});

test("every entry has a family, and the families know notes from messages", () => {
  for (const entry of journal({ idleSeconds: 10 }).entries) {
    const family = familyOf(entry);
    assert.ok(family in SHAPES);
    assert.equal(["note", "command", "process", "fault"].includes(family), entry.to === null);
  }
  const refused = { .../** @type {any} */ (journal().entries.find((entry) => entry.kind === "http.response")), fields: { status: 403 } };
  assert.equal(familyOf(refused), "refusal");
});

test("the page asks early for every module it will need, and for no other", () => {
  const preloaded = [...read("templates/_preload.html").matchAll(/static '(js|vendor)\/([\w/-]+\.js)'/g)].map(
    ([, folder, path]) => `${folder}/${path}`,
  );
  const wanted = modules
    .filter((path) => path !== "theme.js" && path !== "main.js" && !/^(incidents|pages|rooms)\//.test(path))
    .map((path) => `js/${path}`);
  const vendor = [...read("templates/_importmap.html").matchAll(/vendor\/[\w-]+\.js/g)].map(String);
  assert.deepEqual(preloaded.sort(), [...wanted, ...vendor].sort());
});

test("no module writes markup from data or runs text as code", () => {
  for (const path of modules)
    assert.doesNotMatch(
      read(`static/js/${path}`),
      /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|\beval\(|new Function/,
      path,
    );
});
