/** What happened: an explanation, the times, and the facts of the entry. */
import { h } from "preact";
import { effectsOf } from "../causes.js";
import { clock, duration, size } from "../format.js";
import { Icon } from "../icons.js";
import { Audit } from "./audit.js";
import { EntryLink } from "./entrylink.js";
import { Origin } from "./origin.js";
import { How, WaitedFor } from "./why.js";

/** @param {import("./drawer.js").TabProps} props */
export function What({ app, entry }) {
  const {
    store,
    strings: { t, explain, language },
  } = app;
  const code = language.value;
  const cause = store.log.get(entry.cause);
  const effects = effectsOf(store.log.entries, entry.seq, store.shown.value);
  const explanation = explain(entry);
  return h(
    "div",
    { class: "what" },
    h(Flight, { app, entry }),
    explanation && h("p", { class: "explanation" }, explanation),
    h(
      "section",
      null,
      h("h3", null, t("what.because")),
      cause ? h(EntryLink, { app, entry: cause }) : h(Origin, { app, entry }),
      cause && entry.how && h(How, { app, entry }),
      h(WaitedFor, { app, entry }),
      cause &&
        h(
          "button",
          {
            type: "button",
            class: "button",
            onClick: () => {
              store.tab.value = "why";
            },
          },
          h(Icon, { name: "why", size: 15 }),
          t("what.why"),
        ),
    ),
    effects.length > 0 &&
      h(
        "section",
        null,
        h("h3", null, t("what.effects")),
        h(
          "ul",
          { class: "links" },
          effects.map((effect) => h("li", { key: effect.seq }, h(EntryLink, { app, entry: effect }))),
        ),
      ),
    h(Audit, { app, entry }),
    h(
      "section",
      null,
      h("h3", null, t("what.facts")),
      h(
        "dl",
        { class: "facts" },
        facts(entry).map(([key, value]) => [h("dt", { key: `${key}t` }, key), h("dd", { key }, value)]),
      ),
    ),
  );

  /** @param {import("../log.js").Entry} it @returns {[string, any][]} */
  function facts(it) {
    /** @type {[string, string | null][]} */
    const own = [
      [t("fact.kind"), it.kind],
      [t("fact.layer"), t(`altitude.${it.layer}`)],
      [
        t("fact.connection"),
        it.connection === null ? null : String(it.connection) + (it.stream === null ? "" : ` · ${t("fact.stream", { stream: it.stream })}`),
      ],
      [t("fact.size"), it.to === null ? null : size(it.size, code)],
    ];
    const told = Object.entries(it.fields).filter(([key]) => it.kind !== "audit.event" || key !== "line");
    const more = told.map(([key, value]) => /** @type {[string, any]} */ ([key, fact(value)]));
    return /** @type {[string, any][]} */ ([...own.filter(([, value]) => value !== null), ...more]);
  }
}

/** A field's value: short ones as they are, lists in a line, documents folded. @param {any} value */
function fact(value) {
  if (value === null || typeof value !== "object") return String(value);
  const simple = Array.isArray(value) && value.every((item) => typeof item !== "object");
  if (simple) return value.length ? value.join(", ") : "—";
  return h(
    "details",
    null,
    h("summary", null, Array.isArray(value) ? `[${value.length}]` : "{…}"),
    h("pre", null, JSON.stringify(value, null, 2)),
  );
}

/** When it left, when it arrived, how long it took. @param {import("./drawer.js").TabProps} props */
function Flight({ app, entry }) {
  const { t, language } = app.strings;
  if (entry.to === null) return h("p", { class: "flight" }, h("span", null, t("what.at"), h("b", null, clock(entry.at, 6))));
  return h(
    "p",
    { class: "flight" },
    h("span", null, t("what.sent"), h("b", null, clock(entry.at, 6))),
    h(
      "span",
      { class: "flight-line" },
      entry.arrived === null ? t("what.lost") : duration(Math.max(0, entry.arrived - entry.at), language.value),
    ),
    h("span", null, t("what.arrived"), h("b", null, entry.arrived === null ? "—" : clock(entry.arrived, 6))),
  );
}
