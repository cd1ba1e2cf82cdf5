/**
 * Copy the ES modules that the page imports from node_modules to static/vendor (git-ignored).
 *
 * No bundler: the import map in templates/_importmap.html gives these files their bare names.
 * Source map comments go, because hashed static names would look for maps that nobody serves.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const MODULES = {
  "preact.js": "preact/dist/preact.mjs",
  "preact-hooks.js": "preact/hooks/dist/hooks.mjs",
  "signals-core.js": "@preact/signals-core/dist/signals-core.mjs",
  "signals.js": "@preact/signals/dist/signals.mjs",
};

const target = new URL("static/vendor/", import.meta.url);
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
for (const [name, source] of Object.entries(MODULES)) {
  const text = readFileSync(new URL(`node_modules/${source}`, import.meta.url), "utf8");
  writeFileSync(new URL(name, target), text.replace(/^\/\/# sourceMappingURL=.*$/gm, ""));
}
const licences = ["preact", "@preact/signals", "@preact/signals-core"].map(
  (name) => `${name}\n\n${readFileSync(new URL(`node_modules/${name}/LICENSE`, import.meta.url), "utf8")}`,
);
writeFileSync(new URL("LICENSES.txt", target), licences.join("\n----\n"));
