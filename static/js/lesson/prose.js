/**
 * A lesson's texts: nodes of the page's templates, cloned. Nothing is parsed here and no markup is made from text.
 *
 * `templates/_lesson.html` puts each language into `<template id="lesson-en">`, one `<article data-section="beat hello">` a
 * section, with the parts of a question marked: `data-option` for an option's text, `data-part` for what is said after
 * the answer ("right", "wrong", "wrong hello").
 */

const SECTIONS = new Map();

/** @param {string} language @param {string} section "beat hello", "goal" @param {Document} [page] @returns {HTMLElement | null} */
export function sectionOf(language, section, page = document) {
  const key = `${language} ${section}`;
  if (!SECTIONS.has(key)) SECTIONS.set(key, find(page, language, section));
  return SECTIONS.get(key);
}

/** The text before all parts, as nodes to put somewhere. @param {string} language @param {string} section @param {Document} [page] @returns {Node | null} */
export function textOf(language, section, page) {
  const found = sectionOf(language, section, page);
  return copy(found?.querySelector('[data-part="text"]') ?? null);
}

/** @param {string} language @param {string} section @param {string} part @param {Document} [page] @returns {Node | null} */
export function partOf(language, section, part, page) {
  return copy(sectionOf(language, section, page)?.querySelector(`[data-part="${CSS.escape(part)}"]`) ?? null);
}

/** @param {string} language @param {string} section @param {string} option @param {Document} [page] @returns {Node | null} */
export function optionOf(language, section, option, page) {
  return copy(sectionOf(language, section, page)?.querySelector(`[data-option="${CSS.escape(option)}"]`) ?? null);
}

/** A section's title, as plain text. @param {string} language @param {string} section @param {Document} [page] */
export const titleOf = (language, section, page) => sectionOf(language, section, page)?.dataset.title ?? "";

/** @param {Document} page @param {string} language @param {string} section @returns {HTMLElement | null} */
function find(page, language, section) {
  const template = /** @type {HTMLTemplateElement | null} */ (page.getElementById(`lesson-${language}`));
  return template?.content.querySelector(`[data-section="${CSS.escape(section)}"]`) ?? null;
}

/** @param {Element | null} from */
function copy(from) {
  if (!from) return null;
  const fragment = document.createDocumentFragment();
  fragment.append(...[...from.childNodes].map((node) => node.cloneNode(true)));
  return fragment;
}
