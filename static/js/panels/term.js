/**
 * The card that says what a word means. The server marks words in a lesson's prose as buttons that open `#term` (see
 * visualizer/lessons/glossary.py) and puts each definition into the prose as a section `term <id>`; opening, closing and
 * where the focus goes is the browser's popover. Here the card is filled, and put beside the word.
 */
import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { titleOf } from "../lesson/prose.js";
import { scale } from "../textsize.js";
import { Prose } from "./prose.js";

/** In units of ten to the rem. */
const WIDTH = 340;
const EDGE = 12;

/** Where a card of this width goes, so that it covers neither its word nor the window's edge; `unit` in pixels. Pure. @param {{left: number, top: number, bottom: number}} word @param {{width: number, height: number}} room */
export function beside(word, room, unit = 1) {
  const below = word.bottom < room.height / 2;
  return {
    left: `${Math.max(EDGE, Math.min(word.left, room.width - WIDTH * unit - EDGE))}px`,
    top: below ? `${word.bottom + 6}px` : "auto",
    bottom: below ? "auto" : `${room.height - word.top + 6}px`,
  };
}

/** @param {{app: import("../app.js").App}} props */
export function TermCard({ app }) {
  const { language, t } = app.strings;
  const [term, setTerm] = useState("");
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  const asked = useRef(/** @type {Element | null} */ (null));
  useEffect(() => {
    const onClick = (/** @type {Event} */ event) => {
      const word = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("button.term"));
      if (!word || !card.current) return;
      asked.current = word;
      setTerm(word.dataset.term ?? "");
      Object.assign(card.current.style, beside(word.getBoundingClientRect(), { width: innerWidth, height: innerHeight }, scale()));
    };
    const onScroll = (/** @type {Event} */ event) => {
      // Only where the word itself moves away: the diagram scrolls all the time.
      if (/** @type {Node} */ (event.target).contains(asked.current)) card.current?.hidePopover();
    };
    document.addEventListener("click", onClick, true);
    document.addEventListener("scroll", onScroll, true);
    return () => {
      document.removeEventListener("click", onClick, true);
      document.removeEventListener("scroll", onScroll, true);
    };
  }, []);
  return h(
    "div",
    {
      id: "term",
      ref: card,
      popover: "auto",
      class: "popover pane term-card",
      role: "dialog",
      "aria-labelledby": "term-name",
      tabIndex: -1,
      autofocus: true,
    },
    h("h2", { id: "term-name" }, term && titleOf(language.value, `term ${term}`)),
    term && h(Prose, { app, section: `term ${term}` }),
    h("a", { href: `/glossary/#${term}`, target: "_blank", rel: "noopener" }, t("lesson.glossary")),
  );
}
