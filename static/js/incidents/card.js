/**
 * A fault's card: what breaks, what to look at, what heals it in a real cluster, a question with a folded answer, and
 * sources. Fetched, module and words, when somebody opens one: `visualizer.fault_cards` says what is in it.
 */
import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { fetchedOnce } from "../strings.js";

/**
 * @typedef {{name: string, title: string, breaks: string, look: string[], heals: string, sandbox: string, question: string, answer: string, type: string[],
 *   lessons: {url: string, title: string}[], sources: {at: string, title?: string}[]}} CardData
 * @typedef {{headings: Record<string, string>, cards: Record<string, CardData>}} Cards
 */

/** What stands between backticks is code. @param {string} text */
export const coded = (text) => text.split("`").map((piece, n) => (n % 2 ? h("code", null, piece) : piece));

/** @param {{name: string, words: string, strings: import("../strings.js").Strings}} props  `words`: the folder of the page's words */
export function Card({ name, words, strings }) {
  const [cards, setCards] = useState(/** @type {Cards | null} */ (null));
  const [failed, setFailed] = useState(false);
  const url = `${words}fault_cards.${strings.language.value}.json`;
  useEffect(() => {
    fetchedOnce(url).then(setCards, () => setFailed(true));
  }, [url]);
  const card = cards?.cards[name];
  if (!cards || !card)
    return h("p", { class: "empty", role: failed ? "alert" : "status" }, strings.t(failed ? "fault.card.failed" : "loaded.loading"));
  const { headings } = cards;
  return h(
    "div",
    { class: "fault-card" },
    h("h4", null, headings.breaks),
    h("p", null, coded(card.breaks)),
    h("h4", null, headings.look),
    h(
      "ul",
      null,
      card.look.map((text) => h("li", { key: text }, coded(text))),
    ),
    h("h4", null, headings.type),
    h("pre", null, card.type.join("\n")),
    h("h4", null, headings.heals),
    h("p", null, coded(card.heals)),
    card.sandbox && [h("h4", null, headings.sandbox), h("p", null, coded(card.sandbox))],
    h("details", { key: name }, h("summary", null, coded(card.question)), h("p", null, coded(card.answer))),
    card.lessons.length > 0 &&
      h(
        "p",
        { class: "fault-lessons" },
        headings.lessons,
        " ",
        card.lessons.map(({ url, title }, n) => [n > 0 && ", ", outside(url, title)]),
      ),
    h(
      "details",
      { class: "fault-sources" },
      h("summary", null, headings.sources),
      h(
        "ul",
        null,
        card.sources.map(({ at, title }) => h("li", { key: at }, title ? outside(at, title) : at)),
      ),
    ),
    h("p", { class: "fault-lessons" }, outside(`/faults/cards/#${name}`, headings.all)),
  );
}

/** A cluster is left alone by nobody who only wants to read. @param {string} href @param {string} words */
const outside = (href, words) => h("a", { href, target: "_blank", rel: "noopener" }, words);
