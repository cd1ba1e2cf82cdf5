/**
 * The page's words, one document a language (made of `cluster_engine/words/<language>/`), and the sentences that say an
 * entry aloud.
 *
 * `t("key", {name})` fills `{name}`; with a `count`, `key_one` or `key_other` is taken as the language counts.
 * `say` and `explain` choose a pattern by an entry's kind and fields and fill it, by the rules of
 * `cluster_engine/words/sentences.py`, which does the same for the command line; `tests/engine/words/cases.json` holds both equal.
 */
import { computed, signal } from "@preact/signals-core";

/** @typedef {Record<string, string>} Dictionary */
/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {ReturnType<typeof createStrings>} Strings */
/** @typedef {{words: string[], pattern: string}} Choice */

/** Fields whose values may stand in a pattern's key. */
const TELLING = ["verb", "subresource", "type", "method", "operation", "flags", "description", "event"];
/** Hosts that are not said beside a program: there is one of each, or it is the reader's own. */
const HOSTS_UNSAID = new Set(["", "workstation", "outside", "control-plane"]);

/** @param {Dictionary} dictionary @param {string} language */
export function createStrings(dictionary, language) {
  const words = signal(dictionary);
  const current = signal(language);
  const plurals = computed(() => new Intl.PluralRules(current.value));
  const choices = computed(() => ({
    say: byKind(words.value, "say"),
    explain: byKind(words.value, "explain"),
    label: byKind(words.value, "label"),
  }));
  /** Entries never change: each is said once a language. @type {import("@preact/signals-core").ReadonlySignal<WeakMap<Entry, string>>} */
  const said = computed(() => {
    void words.value;
    return new WeakMap();
  });

  const t = (/** @type {string} */ key, /** @type {Record<string, any>} */ values = {}) => {
    const all = words.value;
    const counted = typeof values.count === "number" ? all[`${key}_${plurals.value.select(values.count)}`] : undefined;
    return fill(counted ?? all[key] ?? key, values);
  };

  /** What a participant is called in a sentence. @param {string} participant */
  const name = (participant) => called(participant, words.value);

  /** An entry as a sentence, without a full stop. @param {Entry} entry */
  const say = (entry) => {
    let sentence = said.value.get(entry);
    if (sentence === undefined) {
      const all = words.value;
      sentence = filled([...holding(choices.value.say, entry), all[entry.to ? "say.message" : "say.note"]], entry, all);
      said.value.set(entry, sentence);
    }
    return sentence;
  };

  /** The short mark beside an arrow or a note. @param {Entry} entry */
  const label = (entry) => filled(holding(choices.value.label, entry), entry, words.value);

  /** What this kind of entry is, in its variant where there is one. @param {Entry} entry */
  const explain = (entry) => holding(choices.value.explain, entry)[0] ?? "";

  return {
    language: current,
    t,
    name,
    say,
    label,
    explain,
    /** @param {Dictionary} next @param {string} code */
    use(next, code) {
      words.value = next;
      current.value = code;
      document.documentElement.lang = code;
    },
  };
}

/** The words of a language. @param {string} folder where they are served @param {string} language @returns {Promise<Dictionary>} */
export const loadWords = async (folder, language) => (await fetch(`${folder}${language}.json`)).json();

/** The languages there are, as the server wrote them into the page: code and own name. @returns {[string, string][]} */
export const languages = () => JSON.parse(document.getElementById("languages-data")?.textContent || "[]");

/** The page's language, one of those there are. */
export const pageLanguage = () =>
  languages().some(([code]) => code === document.documentElement.lang) ? document.documentElement.lang : "en";

/** @param {string} pattern @param {Record<string, any>} values */
const fill = (pattern, values) =>
  pattern.replace(/\{(\w+)\}/g, (whole, key) => (values[key] === undefined || values[key] === null ? whole : String(values[key])));

/** Each kind's patterns with the words of their keys, most words first. A kind has two parts: "http.request". @param {Dictionary} all @param {string} prefix */
function byKind(all, prefix) {
  /** @type {Map<string, Choice[]>} */
  const found = new Map();
  for (const [key, pattern] of Object.entries(all)) {
    const [head, ...parts] = key.split(".");
    if (head !== prefix) continue;
    const kind = parts.slice(0, 2).join(".");
    found.set(kind, [...(found.get(kind) ?? []), { words: parts.slice(2), pattern }]);
  }
  for (const patterns of found.values()) patterns.sort((one, other) => other.words.length - one.words.length);
  return found;
}

/** The patterns whose words hold of the entry, the most particular first. @param {Map<string, Choice[]>} choices @param {Entry} entry */
function holding(choices, { kind, fields }) {
  const holds = (/** @type {string} */ word) => TELLING.some((field) => fields[field] === word) || isThere(fields[word]);
  return (choices.get(kind) ?? []).filter(({ words }) => words.every(holds)).map(({ pattern }) => pattern);
}

/** The first pattern that can be filled, filled; the entry's own label where there is none. @param {string[]} patterns @param {Entry} entry @param {Dictionary} all */
const filled = (patterns, entry, all) =>
  patterns.reduce((/** @type {string | null} */ found, pattern) => found ?? complete(pattern, entry, all), null) ?? entry.label;

/** The pattern with its places filled; null when one outside of brackets has no value. @param {string} pattern @param {Entry} entry @param {Dictionary} all */
function complete(pattern, entry, all) {
  const whole = (/** @type {string} */ part) => [...part.matchAll(/\{(\w+)\}/g)].every(([, place]) => value(place, entry, all) !== null);
  const kept = pattern.replace(/\[([^[\]]*)\]/g, (_, part) => (whole(part) ? part : ""));
  return whole(kept) ? kept.replace(/\{(\w+)\}/g, (_, place) => /** @type {string} */ (value(place, entry, all))) : null;
}

/** What a place stands for, null where the entry does not say it. @param {string} place @param {Entry} entry @param {Dictionary} all @returns {string | null} */
function value(place, { from, to, label, size, fields }, all) {
  switch (place) {
    case "from":
      return called(from, all);
    case "to":
      return to && called(to, all);
    case "label":
      return label;
    case "size":
      return String(size);
    case "text":
      return plain(fields.text) ?? label;
    case "one":
      return one(fields, all);
    case "fault":
      return all[`fault.${fields.name}.name`] ?? plain(fields.name);
    default:
      return plain(fields[place]);
  }
}

/** What a participant is called: its program, with its host where several hosts run that program. @param {string} participant @param {Dictionary} all */
function called(participant, all) {
  const slash = participant.lastIndexOf("/");
  const [host, program] = [participant.slice(0, Math.max(slash, 0)), participant.slice(slash + 1)];
  return HOSTS_UNSAID.has(host) ? program : fill(all["say.participant"], { host, program });
}

/** "Pod web-1"; the name that a server is still to choose as "Pod web-…". @param {Record<string, any>} fields @param {Dictionary} all */
function one({ resource, name, generateName }, all) {
  return resource ? `${all[`kind.${resource}`] ?? resource} ${name || (generateName ? `${generateName}…` : "")}`.trimEnd() : null;
}

/** A value as text: lists with commas; null for what is not there or is a document. @param {any} it @returns {string | null} */
function plain(it) {
  if (!isThere(it)) return null;
  if (!Array.isArray(it)) return typeof it === "object" ? null : String(it);
  const texts = it.map(plain);
  return texts.includes(null) ? null : texts.join(", ");
}

/** @param {any} it */
const isThere = (it) =>
  it !== undefined && it !== null && it !== false && it !== "" && !(typeof it === "object" && Object.keys(it).length === 0);
