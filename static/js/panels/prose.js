/**
 * A piece of a lesson's text, in the page's language. Links that name a beat, a mark or a check show its entry in the
 * diagram, once there is one; until then they say that it is still to come.
 */
import { h } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { writeText } from "./copy.js";
import { optionOf, partOf, textOf } from "../lesson/prose.js";

/** @param {{app: import("../app.js").App, section: string, part?: string, option?: string, inline?: boolean}} props */
export function Prose({ app, section, part, option, inline = false }) {
  const { language, t } = app.strings;
  const { lesson } = app;
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    const nodes =
      option !== undefined
        ? optionOf(language.value, section, option)
        : part
          ? partOf(language.value, section, part)
          : textOf(language.value, section);
    ref.current?.replaceChildren(...(nodes ? [nodes] : []));
    for (const block of ref.current?.querySelectorAll("pre.command") ?? [])
      block.after(copyButton(t("copy.copy"), t("copy.done"), block.textContent ?? ""));
  }, [language.value, section, part, option]);
  useEffect(() => {
    for (const link of ref.current?.querySelectorAll("[data-anchor]") ?? []) {
      const there = Boolean(lesson?.anchors.value[/** @type {HTMLElement} */ (link).dataset.anchor ?? ""]);
      if (link.tagName === "A") link.setAttribute("href", "#diagram");
      link.setAttribute("aria-disabled", String(!there));
      link.setAttribute("title", t(there ? "lesson.anchor" : "lesson.anchor.later"));
    }
  }, [language.value, section, part, option, lesson?.anchors.value]);
  const onClick = (/** @type {MouseEvent} */ event) => {
    const link = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-anchor]"));
    if (!link) return;
    event.preventDefault();
    if (!lesson?.reveal(link.dataset.anchor ?? "")) app.toast(t("lesson.anchor.later"));
  };
  return h(inline ? "span" : "div", { class: "prose", ref, onClick });
}

/** A button below a block of commands. @param {string} label @param {string} done @param {string} text */
function copyButton(label, done, text) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "ghost small", textContent: label });
  button.addEventListener(
    "click",
    () =>
      void writeText(text.trim()).then(() => {
        button.textContent = done;
      }),
  );
  return button;
}

/** A section's title is a heading of its own in the pane, so that its level fits. @param {string} language @param {Record<string, string>} words */
export const inLanguage = (language, words) => words[language] ?? words.en ?? "";
