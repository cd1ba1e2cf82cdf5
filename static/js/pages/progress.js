/** The page of what is done: what to repeat, and this browser's notes saved as a file, joined with one, and deleted. */
import { FILE_BYTES_MAX, forgetProgress, mergeProgress, progressIn, readProgress } from "../progress.js";
import { joinProgress } from "./account.js";
import { toRepeat } from "./standing.js";
import { readWay } from "./way.js";

const save = /** @type {HTMLAnchorElement | null} */ (document.getElementById("progress-export"));
const forget = document.getElementById("progress-forget");
const choose = /** @type {HTMLInputElement | null} */ (document.getElementById("progress-import"));
const said = document.getElementById("progress-said");

/** Bring the page up to date with this browser's notes. */
function show() {
  const kept = readProgress();
  const some = Object.keys(kept).length > 0;
  if (save && some) {
    URL.revokeObjectURL(save.href);
    save.href = URL.createObjectURL(new Blob([JSON.stringify(kept, null, 2)], { type: "application/json" }));
  }
  for (const one of [save, forget]) if (one) one.hidden = !some;
  const again = toRepeat(readWay(), kept, Date.now());
  document.getElementById("repeat")?.replaceChildren(...again.map(row));
  document.getElementById("repeat-nothing")?.toggleAttribute("hidden", again.length > 0);
}

/** @param {import("./standing.js").Stop} stop */
function row({ url, title }) {
  const [item, link] = [document.createElement("li"), document.createElement("a")];
  link.href = url;
  link.textContent = title;
  item.append(link);
  return item;
}

/** Join the notes of a file with this browser's and the account's. @param {File} file @returns {Promise<"joined" | "large" | "unreadable" | "empty">} what to say */
async function load(file) {
  if (file.size > FILE_BYTES_MAX) return "large";
  const found = progressIn(await file.text());
  if (!found) return "unreadable";
  if (Object.keys(found).length === 0) return "empty";
  mergeProgress(found);
  await joinProgress().catch(() => undefined); // offline: the next page tries again
  dispatchEvent(new Event("glassplane:progress"));
  return "joined";
}

choose?.addEventListener("change", async () => {
  const file = choose.files?.[0];
  if (!file || !said) return;
  said.textContent = said.dataset[await load(file)] ?? "";
  choose.value = "";
});
forget?.addEventListener("click", () => {
  if (!confirm(forget.dataset.sure)) return;
  forgetProgress();
  location.reload();
});
for (const form of document.querySelectorAll("form[data-forget]")) {
  form.addEventListener("submit", (event) => {
    if (confirm(/** @type {HTMLFormElement} */ (form).dataset.sure)) forgetProgress();
    else event.preventDefault();
  });
}

show();
addEventListener("glassplane:progress", show);
