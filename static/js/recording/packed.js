/** What stands compressed in the file, in script elements that are no scripts: gzip of JSON, as base64. */

/** @param {Element} element @returns {Promise<any>} */
export async function unpacked(element) {
  const bytes = Uint8Array.from(atob(element.textContent ?? ""), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** When all of the file has been read: it opens while its end is still to come. */
export const wholeFile = () =>
  new Promise((resolve) => {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve, { once: true });
    else resolve(undefined);
  });
