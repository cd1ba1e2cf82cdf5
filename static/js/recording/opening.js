/*
 * How a run in one file opens itself: its modules, which stand in it compressed and in the order of their imports, become
 * blobs, and each import is given the address of the blob that it means. Not a module itself; its hash stands in the
 * file's policy (visualizer/one_file.py makes the file's frame).
 */
(async () => {
  const packed = /** @type {HTMLElement} */ (document.getElementById("modules"));
  const bytes = Uint8Array.from(atob(packed.textContent ?? ""), (letter) => letter.charCodeAt(0));
  const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  /** @type {Map<string, string>} */
  const addresses = new Map();
  for (const [name, source] of /** @type {[string, string][]} */ (JSON.parse(text))) {
    const linked = source.replace(/"glassplane:([^"]+)"/g, (_, other) => JSON.stringify(addresses.get(other)));
    addresses.set(name, URL.createObjectURL(new Blob([linked], { type: "text/javascript" })));
  }
  await import(/** @type {string} */ (addresses.get("main.js")));
})().catch((problem) => {
  const place = /** @type {HTMLElement} */ (document.getElementById("playground"));
  place.textContent = `This browser cannot open the file: ${problem}`;
});
