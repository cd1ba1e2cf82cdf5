/** Bringing a capture: its bytes go up in parts, the server reads them, and then its page opens. */

const LOOK_MS = 500;

const form = /** @type {HTMLFormElement} */ (document.getElementById("import"));
const said = /** @type {HTMLElement} */ (document.getElementById("import-said"));
const bar = /** @type {HTMLProgressElement} */ (form.querySelector("progress"));
const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
const token = /** @type {HTMLInputElement} */ (form.querySelector("input[name=csrfmiddlewaretoken]")).value;
const words = /** @type {Record<string, string>} */ (form.dataset);

/** What the server refuses with. */
class Refusal extends Error {}

/** @param {string} path @param {RequestInit} [request] @returns {Promise<any>} */
async function ask(path, request = {}) {
  const answer = await fetch(path, { ...request, headers: { Accept: "application/json", "X-CSRFToken": token, ...request.headers } });
  const body = await answer.json();
  if (!answer.ok) throw new Refusal(body.message);
  return body;
}

/** @param {string} text @param {number | null} percent */
function show(text, percent) {
  bar.hidden = percent === null;
  if (percent !== null) bar.value = percent;
  said.textContent = text.replace("{n}", String(Math.round(percent ?? 0)));
}

/** @param {string} name @returns {File | null} */
const chosen = (name) => {
  const file = /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).files?.[0];
  return file && file.size > 0 ? file : null;
};

async function bring() {
  const files = /** @type {[string, File | null][]} */ ([
    ["parts", chosen("file")],
    ["keys", chosen("keys")],
  ]);
  const size = files.reduce((sum, [, file]) => sum + (file?.size ?? 0), 0);
  const { id, partBytes, bytes } = await ask("/imports/", {
    method: "POST",
    body: new URLSearchParams({ name: chosen("file")?.name ?? "" }),
  });
  if (size > bytes) throw new Refusal(words.large);
  let sent = 0;
  for (const [where, file] of files)
    for (let n = 0; file && n * partBytes < file.size; n += 1) {
      const body = file.slice(n * partBytes, (n + 1) * partBytes);
      await ask(`/imports/${id}/${where}/${n}/`, { method: "POST", body, headers: { "Content-Type": "application/octet-stream" } });
      sent += body.size;
      show(words.sending, (100 * sent) / size);
    }
  await ask(`/imports/${id}/read/`, { method: "POST" });
  for (;;) {
    const { state, read, problems, url } = await ask(`/imports/${id}/`);
    if (state === "read") return location.assign(url);
    if (state === "failed") throw new Refusal(`${words.failed} ${problems.join("; ")}`);
    show(state === "reading" ? words.reading : words.waiting, 100 * read);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    await bring();
  } catch (error) {
    show(error instanceof Refusal ? error.message : words.offline, null);
  }
  button.disabled = false;
});
