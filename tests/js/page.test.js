/** What holds the page's files together: words, modules, preloads. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { LAYERS } from "../../static/js/actions.js";
import { LEGEND, SHAPES, familyOf } from "../../static/js/shapes.js";
import { journal } from "./fixtures/journal.js";
import { AT_ONCE, FILES, wordsOf } from "./fixtures/words.js";

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

/** What modules import, themselves and by way of others, but for what they fetch later. @param {string[]} begun @returns {Set<string>} */
function imported(...begun) {
  const found = new Set(begun);
  for (const path of found) {
    const code = read(`static/js/${path}`).replaceAll(/\/\*\*[\s\S]*?\*\//g, "");
    for (const [, wanted] of code.matchAll(/^(?:import|\} from|export)\b[^"\n]*"(\.[^"]+)"/gm))
      found.add(new URL(wanted, `file:///${path}`).pathname.slice(1));
  }
  return found;
}

/** Parts of the words that a page has from its beginning (`data-parts`), by the module that draws it. @type {Record<string, string[]>} */
const PAGES = {
  "main.js": [],
  "panels/lesson.js": ["lessons"],
  "panels/myth.js": ["lessons"],
  "panels/term.js": ["lessons"],
  "rooms/page.js": ["rooms", "faultform"],
  "rooms/room.js": ["rooms", "faultform"],
};

test("what says the words of a part is drawn only where they have been fetched", () => {
  const parts = FILES.filter((file) => !AT_ONCE.includes(file)).map((file) => ({ file, keys: Object.keys(wordsOf("en", [file])) }));
  const atOnce = new Set(Object.keys(wordsOf("en", AT_ONCE)));
  /** The parts in which something that the code names stands, which no page loads at once. @param {string} code */
  const named = (code) =>
    [...code.matchAll(/["`]([a-z]+\.[\w.${}[\]]+)["`]/g)].flatMap(([, name]) => {
      const key = new RegExp(`^${name.replaceAll(".", "\\.").replace(/\$\{[^}]*\}/g, "[\\w-]+")}(_other)?$`);
      if ([...atOnce].some((one) => key.test(one))) return [];
      return parts.filter(({ keys }) => keys.some((one) => key.test(one))).map(({ file }) => ({ file, name }));
    });
  const seen = new Set();
  const walk = (/** @type {string} */ root, /** @type {string[]} */ fetched) => {
    for (const path of imported(root)) {
      const code = read(`static/js/${path}`);
      if (root === "main.js" || !imported("main.js").has(path))
        for (const { file, name } of named(code))
          assert.ok(fetched.includes(file), `${path}, drawn by way of ${root}, says ${name} of ${file}`);
      for (const [, to, after] of code.matchAll(/later\(\(\) => import\("(\.[^"]+)"\), "\w+"((?:, "[\w.]+")*)\)/g)) {
        const child = new URL(to, `file:///${path}`).pathname.slice(1);
        const had = [...new Set([...fetched, ...(PAGES[child] ?? []), ...[...after.matchAll(/[\w.]+/g)].map(String)])];
        if (!seen.has(`${child} ${had}`)) seen.add(`${child} ${had}`) && walk(child, had);
      }
    }
  };
  for (const [root, fetched] of Object.entries(PAGES)) walk(root, fetched);
  assert.ok(seen.size > 10);
  const early = [...read("templates/_words.html").matchAll(/(\w+)\.{{ code }}\.json/g)].map(([, part]) => part).sort();
  const begun = /data-parts="([^"]*)"/.exec(read("templates/playground.html"))?.[1] ?? "";
  const asked = begun.replaceAll(/{%.*?%}/g, " ").trim();
  assert.deepEqual(early, asked.split(/\s+/).sort(), "asked for before the modules ask");
});

const EAGER_MAX = 57;

test("the page asks early for every module it needs at once, and for no other, and they are few", () => {
  const preloaded = (/** @type {string} */ template) =>
    [...read(`templates/${template}`).matchAll(/static '((?:js|vendor)\/[\w/-]+\.js)'/g)].map(([, path]) => path).sort();
  const eager = imported("main.js");
  const vendor = [...read("templates/_importmap.html").matchAll(/vendor\/[\w-]+\.js/g)].map(String);
  const named = (/** @type {Iterable<string>} */ paths) => [...paths].filter((path) => path !== "main.js").map((path) => `js/${path}`);
  assert.deepEqual(preloaded("_preload.html"), [...named(eager), ...vendor].sort());
  const lesson = imported("panels/lesson.js", "panels/myth.js", "panels/term.js", "lesson/lesson.js", "lesson/keep.js");
  assert.deepEqual(preloaded("_preload_lesson.html"), named([...lesson].filter((path) => !eager.has(path))).sort());
  assert.ok(eager.size <= EAGER_MAX, `${eager.size} modules before anything is drawn: ${[...eager].sort().join(" ")}`);
  for (const folder of ["branches", "fields", "framed", "incidents", "lesson", "pages", "recording", "rooms", "state"])
    assert.deepEqual(
      [...eager].filter((path) => path.startsWith(`${folder}/`)),
      [],
      folder,
    );
});

test("no module writes markup from data or runs text as code", () => {
  for (const path of modules)
    assert.doesNotMatch(
      read(`static/js/${path}`),
      /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|\beval\(|new Function/,
      path,
    );
});

test("every length follows the text size: rems, but for hairlines, for what is inside an SVG, and for what the window is asked", () => {
  const inside = /\.(tick|row|picture|mini|glyph|gap)\b|\bsvg\b|\btext\b|::after/;
  for (const path of readdirSync(new URL("static/css/", root)).map(String)) {
    let selector = "";
    for (const line of read(`static/css/${path}`).split("\n")) {
      if (/[{,]$/.test(line) && !line.trim().startsWith("@")) selector = line;
      const [, name = "", value = ""] = /^\s*([\w-]+):\s(.*)/.exec(line) ?? [];
      if (!/^(font|margin|padding|width|height|min-|max-|gap|top|left|right|bottom|inset|grid|flex|line-height)/.test(name)) continue;
      const fixed = [...value.matchAll(/([\d.]+)px/g)].filter(([, pixels]) => Number(pixels) >= 3);
      if (fixed.length) assert.match(selector, inside, `static/css/${path}: ${line.trim()}`);
    }
  }
});

test("no style sheet asks the window how large it is: a large text in it makes it a small one", () => {
  for (const path of readdirSync(new URL("static/css/", root)).map(String))
    assert.doesNotMatch(read(`static/css/${path}`), /@media[^{]*(width|height)/, path);
});
