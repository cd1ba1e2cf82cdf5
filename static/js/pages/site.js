/** What every page that the server draws shares: the switches of theme and text size. */
import { chooseSize, nextSize, textSize } from "../textsize.js";

const PATHS = {
  auto: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 8h7.5M12 12h9M12 16h7.8",
  light:
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  dark: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
};
const NEXT = /** @type {const} */ ({ auto: "light", light: "dark", dark: "auto" });

/** @typedef {keyof typeof PATHS} Theme */

const root = document.documentElement;
const current = () => /** @type {Theme} */ (root.dataset.theme ?? "auto");

/** @param {HTMLElement} button */
function show(button) {
  const words = button.dataset[current()] ?? "";
  button.title = words;
  button.setAttribute("aria-label", words);
  button.querySelector("path")?.setAttribute("d", PATHS[current()]);
}

/** Take the next theme and keep it, under the key that the playground reads. */
function turn() {
  const next = NEXT[current()];
  if (next === "auto") delete root.dataset.theme;
  else root.dataset.theme = next;
  try {
    localStorage.setItem("glassplane.theme", next);
  } catch {
    // No storage: the theme lasts as long as the page.
  }
}

const button = document.getElementById("theme-switch");
if (button) {
  show(button);
  button.hidden = false;
  button.addEventListener("click", () => {
    turn();
    show(button);
  });
}

const sizes = document.getElementById("size-menu");
const opener = document.getElementById("size-switch");
if (sizes && opener) {
  const steps = /** @type {NodeListOf<HTMLButtonElement>} */ (sizes.querySelectorAll("[data-by]"));
  const next = (/** @type {HTMLElement} */ step) => nextSize(textSize(), step.dataset.by === "1" ? 1 : -1);
  const told = new Intl.NumberFormat(root.lang, { style: "percent" });
  const tell = () => {
    /** @type {HTMLElement} */ (sizes.querySelector("output")).textContent = told.format(textSize());
    for (const step of steps) step.disabled = next(step) === textSize();
  };
  for (const step of steps)
    step.addEventListener("click", () => {
      chooseSize(next(step));
      tell();
    });
  tell();
  opener.hidden = false;
}
