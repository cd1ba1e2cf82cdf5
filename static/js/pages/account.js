/**
 * This browser's notes and the account's, kept the same: joined on every page that somebody signed in opens, and gone from
 * the browser when they sign out, so that a computer which many use mixes nobody's up.
 */
import { forgetProgress, mergeProgress, readProgress } from "../progress.js";

const WHOSE = "glassplane:progress-of";
const SENT = "glassplane:progress-sent";

/** @param {Storage} storage @param {string} key @param {string | null} [value] */
function keep(storage, key, value) {
  try {
    if (value === undefined) return storage.getItem(key);
    if (value === null) storage.removeItem(key);
    else storage.setItem(key, value);
  } catch {
    // No storage: nothing was kept, and nothing is to be joined.
  }
  return null;
}

const main = document.getElementById("content");
const token = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=csrfmiddlewaretoken]"))?.value ?? "";
const { progress: address, account: name } = main?.dataset ?? {};

/** Join this browser's notes with those of who is signed in; nothing when nobody is. */
export async function joinProgress() {
  if (!address || !name) return;
  const whose = keep(localStorage, WHOSE);
  if (whose !== null && whose !== name) forgetProgress();
  keep(localStorage, WHOSE, name);
  const mine = JSON.stringify(readProgress());
  if (keep(sessionStorage, SENT) === `${name} ${mine}`) return;
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: mine,
  });
  if (!answer.ok) return;
  const { progress } = await answer.json();
  keep(sessionStorage, SENT, `${name} ${JSON.stringify(mergeProgress(progress))}`);
  dispatchEvent(new Event("glassplane:progress"));
}

/** Nothing of this person stays in the browser. */
function partProgress() {
  forgetProgress();
  keep(localStorage, WHOSE, null);
  keep(sessionStorage, SENT, null);
}

const joined = joinProgress().catch(() => undefined); // offline: the next page tries again
for (const form of document.querySelectorAll("form[data-sign-out]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await joined;
    partProgress();
    /** @type {HTMLFormElement} */ (form).submit();
  });
}
