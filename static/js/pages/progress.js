/** The page of what is done: saving this browser's notes as a file, and deleting them. */
import { forgetProgress, readProgress } from "../progress.js";

const save = /** @type {HTMLAnchorElement | null} */ (document.getElementById("progress-export"));
const forget = document.getElementById("progress-forget");
const kept = JSON.stringify(readProgress(), null, 2);

if (kept !== "{}") {
  if (save) {
    save.href = URL.createObjectURL(new Blob([kept], { type: "application/json" }));
    save.hidden = false;
  }
  if (forget) {
    forget.hidden = false;
    forget.addEventListener("click", () => {
      if (!confirm(forget.dataset.sure)) return;
      forgetProgress();
      location.reload();
    });
  }
}

for (const form of document.querySelectorAll("form[data-forget]")) {
  form.addEventListener("submit", (event) => {
    if (confirm(/** @type {HTMLFormElement} */ (form).dataset.sure)) forgetProgress();
    else event.preventDefault();
  });
}
