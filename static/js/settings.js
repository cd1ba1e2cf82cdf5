/** What the reader prefers, kept in this browser: theme, language, pane sizes. Storage may be forbidden; then nothing is kept. */
import { signal } from "@preact/signals-core";
import { RESIZED, chooseSize, enlarge, scale, textSize } from "./textsize.js";

const PREFIX = "glassplane.";
/** @typedef {"auto" | "light" | "dark"} Theme */

/** @param {string} key @returns {string | null} */
export function recall(key) {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
export function keep(key, value) {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // Private windows may refuse; the setting then lasts as long as the page.
  }
}

/** What this tab is called as long as it is open, reloaded or not. @param {() => string} make */
export function tabName(make) {
  try {
    const name = sessionStorage.getItem(`${PREFIX}tab`) ?? make();
    sessionStorage.setItem(`${PREFIX}tab`, name);
    return name;
  } catch {
    return make();
  }
}

export function createSettings() {
  const theme = signal(/** @type {Theme} */ (document.documentElement.dataset.theme ?? "auto"));
  const size = signal(textSize());
  /** Pixels to a unit of ten to the rem. */
  const unit = signal(scale());
  const presenting = signal(false);
  addEventListener(RESIZED, () => {
    size.value = textSize();
    unit.value = scale();
  });
  addEventListener("resize", () => presenting.peek() && enlarge(true));
  return {
    theme,
    size,
    unit,
    chooseSize,
    presenting,
    /** @param {boolean} on */
    present(on) {
      presenting.value = on;
      enlarge(on);
    },
    nextTheme() {
      const next = /** @type {const} */ ({ auto: "light", light: "dark", dark: "auto" })[theme.peek()];
      theme.value = next;
      keep("theme", next);
      if (next === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = next;
    },
  };
}

/** The page's language, where the server reads it too. @param {string} language */
export function keepLanguage(language) {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing over plain HTTP
  document.cookie = `django_language=${language}; path=/; max-age=31536000; samesite=lax`;
}
