/**
 * The find box: a line of the grammar of query.js with what may stand in it, and the filter said in words.
 *
 * A combobox with a listbox, as the ARIA authoring practices have it: the focus stays in the line, and what is offered is
 * pointed at by aria-activedescendant. What is offered first, in an empty line, is the grammar itself.
 */
import { h } from "preact";
import { useRef, useState } from "preact/hooks";
import { SEQS_MAX } from "../answers.js";
import { Icon } from "../icons.js";
import { complete, inWords, isCommand } from "../query.js";

/** @typedef {{app: import("../app.js").App}} Props */
/** @typedef {{text: string, meaning: string, take: () => void}} Offer */

const OFFERS_MAX = 12;
/** Keys that only make sense as keys. */
const NOT_OFFERED = new Set(["search", "altitude", "pace", "next", "previous", "open", "close"]);

/** @param {Props} props */
export function Find({ app }) {
  const {
    store,
    actions,
    strings: { t, say },
  } = app;
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(/** @type {string | null} */ (null)); // by its text: what is offered grows with the journal
  const [caret, setCaret] = useState(0);
  const line = store.text.value;
  const query = store.query.value;

  const leave = () => {
    setOpen(false);
    setChosen(null);
    document.getElementById("diagram")?.focus();
  };
  /** @param {string} text @param {number} at */
  const write = (text, at) => {
    actions.filter(text);
    setChosen(null);
    setCaret(at);
    // At once: whoever types on must find the caret there.
    if (!input.current) return;
    input.current.value = text;
    input.current.setSelectionRange(at, at);
  };
  const jump = () => {
    const seq = query.jump;
    if (seq === null || !store.log.get(seq)) return;
    actions.filter("");
    actions.goTo(seq);
    leave();
  };
  const commands = (/** @type {string} */ said) =>
    app.keys.list
      .filter(({ name }) => !NOT_OFFERED.has(name) && t(`keys.${name}`).toLowerCase().includes(said.trim().toLowerCase()))
      .map(({ name, run }) => ({
        text: `> ${t(`keys.${name}`)}`,
        meaning: t("find.key.command"),
        take: () => {
          actions.filter("");
          leave();
          run("");
        },
      }));

  /** @returns {Offer[]} */
  const offered = () => {
    if (isCommand(line)) return commands(line.slice(1));
    if (query.jump !== null) {
      const entry = store.log.get(query.jump);
      return [{ text: `#${query.jump}`, meaning: entry ? say(entry) : t("find.ahead"), take: jump }];
    }
    const { from, to, options } = complete(line, caret, app.vocabulary, OFFERS_MAX + 8);
    const terms = options.map(({ text, key, whole }) => ({
      text,
      meaning: whole ? "" : t(`find.key.${key}`),
      take: () => {
        const after = line.slice(to);
        const end = whole && !after ? " " : "";
        write(line.slice(0, from) + text + end + after, from + text.length + end.length);
      },
    }));
    const stop = { text: t("breaks.stop"), meaning: line, take: () => app.breakpoints.add(line) && leave() };
    return [
      ...terms,
      ...(query.terms.length > 0 && app.store.may("drive") ? [stop] : []),
      ...(line.trim().length > 1 ? commands(line) : []),
    ];
  };
  if (open) store.log.head.value; // subscribed: what comes meanwhile is offered too
  const offers = open ? offered() : [];
  const at = offers.findIndex(({ text }) => text === chosen);

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const { key } = event;
    if (event.isComposing) return;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const count = offers.length + 1; // one of them is the line itself
      setChosen(offers[((at + 1 + (key === "ArrowDown" ? 1 : -1) + count) % count) - 1]?.text ?? null);
    } else if (key === "Enter") {
      event.preventDefault();
      if (at >= 0) offers[at].take();
      else if (query.jump !== null) jump();
      else if (isCommand(line)) offers[0]?.take();
      else leave();
    } else if (key === "Escape") {
      event.preventDefault();
      if (at >= 0) return setChosen(null);
      actions.clearFilters();
      leave();
    }
  };
  const moved = (/** @type {Event} */ event) => {
    setCaret(/** @type {HTMLInputElement} */ (event.currentTarget).selectionStart ?? 0);
    setOpen(true);
  };
  return h(
    "div",
    {
      class: "search",
      role: "search",
      onFocusOut: (/** @type {FocusEvent} */ event) => {
        if (!(/** @type {Element} */ (event.currentTarget).contains(/** @type {Node | null} */ (event.relatedTarget)))) setOpen(false);
      },
    },
    h(Icon, { name: "search", size: 15 }),
    h("input", {
      id: "search",
      ref: input,
      type: "text",
      role: "combobox",
      "aria-expanded": String(offers.length > 0),
      "aria-controls": "find-offers",
      "aria-autocomplete": "list",
      "aria-activedescendant": at >= 0 ? `find-${at}` : undefined,
      placeholder: t("find.placeholder"),
      "aria-label": t("find.label"),
      "aria-describedby": open ? "find-help" : undefined,
      value: line,
      maxLength: 256,
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: false,
      onFocus: moved,
      onClick: moved,
      onKeyUp: (/** @type {KeyboardEvent} */ event) => {
        if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) moved(event);
      },
      onInput: (/** @type {Event} */ event) => {
        setChosen(null);
        moved(event);
        actions.filter(/** @type {HTMLInputElement} */ (event.currentTarget).value);
      },
      onKeyDown,
    }),
    h(Count, { app }),
    open &&
      h(
        "div",
        { class: "find-pop pane", onMouseDown: (/** @type {Event} */ event) => event.preventDefault() },
        h(
          "ul",
          { id: "find-offers", role: offers.length ? "listbox" : undefined, "aria-label": offers.length ? t("find.options") : undefined },
          offers.map(({ text, meaning, take }, i) =>
            h(
              "li",
              {
                key: text,
                id: `find-${i}`,
                role: "option",
                "aria-selected": String(i === at),
                ref: (/** @type {Element | null} */ node) => {
                  if (i === at) node?.scrollIntoView({ block: "nearest" });
                },
                onClick: take,
              },
              h("code", null, text),
              h("span", null, meaning),
            ),
          ),
        ),
        h("p", { id: "find-help", class: "find-help" }, t("find.help")),
      ),
  );
}

/** @param {Props} props */
function Count({ app }) {
  const {
    store,
    actions,
    strings: { t },
  } = app;
  const { plan } = store.picture.value;
  const only = store.participants.value.size === 0 && store.query.value.terms.length === 0;
  if (!store.filtered.value) return h("kbd", { "aria-hidden": "true" }, "/");
  return h(
    "button",
    { type: "button", class: "search-count", onClick: actions.clearFilters, title: t("find.clear") },
    only ? t("find.lanes", { count: plan.lanes.focus.size }) : t("find.found", { count: plan.count }),
    h(Icon, { name: "close", size: 12 }),
  );
}

/** What the find box lets through, and what of it was not understood. @param {Props} props */
export function FilterSaid({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const query = store.query.value;
  const words = inWords(query, t);
  const { deeper } = store.picture.value.plan;
  const questions = store.questions.value;
  void app.answers.moved.value;
  const bodies = bodiesSaid(app, questions);
  const problems = query.problems.map(({ problem, values }) => t(`find.problem.${problem}`, values));
  const said = [words && `${words}.`, words && deeper > 0 && `${t("find.deeper", { count: deeper })}.`, bodies, ...problems].filter(
    Boolean,
  );
  return h("div", { role: "status", class: said.length ? "filter-said" : "" }, said.length > 0 && h("p", null, said.join(" ")));
}

/** How far bodies were looked through, "" where nothing is looked for in them. @param {import("../app.js").App} app @param {readonly string[]} questions */
function bodiesSaid({ answers, strings: { t } }, questions) {
  if (questions.length === 0) return "";
  const full = answers.full(questions);
  const problem = answers.problem.value;
  if (problem) return t("find.bodies.failed", { problem });
  if (answers.behind(questions)) return t("find.bodies.searching");
  if (!questions.some((question) => question.startsWith("body:"))) return "";
  return full.length ? t("find.bodies.full", { texts: full.join(", "), most: SEQS_MAX }) : t("find.bodies.searched");
}
