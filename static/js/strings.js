/**
 * The page's words (made of `cluster_engine/words/<language>/`), and the sentences that say an entry aloud.
 *
 * Of a language there is one document that every page loads first, and parts: what few readers ask for is fetched when
 * they do. What says the words of a part is drawn once `need(part)` has them, so that nobody ever sees a key.
 *
 * `t("key", {name})` fills `{name}`; with a `count`, `key_one` or `key_other` is taken as the language counts.
 * `say` and `explain` choose a pattern by an entry's kind and fields and fill it, by the rules of
 * `cluster_engine/words/sentences.py`, which does the same for the command line; `tests/engine/words/cases.json` holds both equal.
 */
import { batch, computed, signal } from "@preact/signals-core";

/** @typedef {Record<string, string>} Dictionary */
/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {ReturnType<typeof createStrings>} Strings */
/** @typedef {{words: string[], pattern: string}} Choice */
/** Where words come from; the part "" is what every page loads. @typedef {(part: string, language: string) => Promise<Dictionary>} Source */

/** Fields whose values may stand in a pattern's key. */
const TELLING = ["verb", "subresource", "type", "method", "operation", "flags", "description", "event"];
/** Hosts that are not said beside a program: there is one of each, or it is the reader's own. */
const HOSTS_UNSAID = new Set(["", "workstation", "outside", "control-plane"]);

/** @param {Dictionary} dictionary @param {string} language @param {Source} [source] */
export function createStrings(dictionary, language, source = async () => ({})) {
  const words = signal(dictionary);
  /** The words of the parts. What is said of entries is not among them: it need not be said anew when a part comes. @type {import("@preact/signals-core").Signal<Dictionary>} */
  const more = signal({});
  /** @type {Set<string>} */
  const wanted = new Set();
  let speaking = language;
  const current = signal(language);
  const plurals = computed(() => new Intl.PluralRules(current.value));
  const choices = computed(() => ({
    say: byKind(words.value, "say"),
    label: byKind(words.value, "label"),
  }));
  const explanations = computed(() => byKind({ ...words.value, ...more.value }, "explain"));
  /** Entries never change: each is said once a language, and those that say the same share it. @type {import("@preact/signals-core").ReadonlySignal<{of: WeakMap<Entry, string>, texts: Map<string, string>}>} */
  const said = computed(() => {
    void words.value;
    return { of: new WeakMap(), texts: new Map() };
  });

  const t = (/** @type {string} */ key, /** @type {Record<string, any>} */ values = {}) => {
    const word = (/** @type {string} */ one) => words.value[one] ?? more.value[one];
    const counted = typeof values.count === "number" ? word(`${key}_${plurals.value.select(values.count)}`) : undefined;
    return fill(counted ?? word(key) ?? key, values);
  };

  /** What a participant is called in a sentence. @param {string} participant */
  const name = (participant) => called(participant, words.value);

  /** An entry as a sentence, without a full stop. @param {Entry} entry */
  const say = (entry) => {
    const { of, texts } = said.value;
    const known = of.get(entry);
    if (known !== undefined) return known;
    const all = words.value;
    const text = filled([...holding(choices.value.say, entry), all[entry.to ? "say.message" : "say.note"]], entry, all);
    const sentence = texts.get(text) ?? text;
    texts.set(sentence, sentence);
    of.set(entry, sentence);
    return sentence;
  };

  /** The short mark beside an arrow or a note. @param {Entry} entry */
  const label = (entry) => filled(holding(choices.value.label, entry), entry, words.value);

  /** What this kind of entry is, in its variant where there is one. @param {Entry} entry */
  const explain = (entry) => holding(explanations.value, entry)[0] ?? "";

  /** @returns {Promise<void>} */
  async function fetchWanted() {
    const [code, parts] = [speaking, [...wanted]];
    const [own, ...others] = await Promise.all(["", ...parts].map((part) => source(part, code)));
    // Somebody has asked for more meanwhile, or for another language.
    if (code !== speaking || parts.length !== wanted.size) return fetchWanted();
    batch(() => {
      words.value = own;
      more.value = Object.assign({}, ...others);
      current.value = code;
    });
    return undefined;
  }

  return {
    language: current,
    t,
    name,
    say,
    label,
    explain,
    /** Have the words of these parts before what says them is drawn. @param {...string} parts */
    async need(...parts) {
      const missing = parts.filter((part) => !wanted.has(part));
      for (const part of missing) wanted.add(part);
      try {
        if (parts.length > 0) await fetchWanted();
      } catch (problem) {
        for (const part of missing) wanted.delete(part);
        throw problem;
      }
    },
    /** Say everything in another language. @param {string} code */
    async speak(code) {
      speaking = code;
      try {
        await fetchWanted();
        document.documentElement.lang = current.value;
      } catch (problem) {
        speaking = current.value;
        throw problem;
      }
    },
  };
}

/** Strings that can be said: with a language's words, and with those of some parts. @param {Source} source @param {string} language @param {string[]} [parts] */
export async function loadStrings(source, language, parts = []) {
  const early = parts.map((part) => source(part, language)); // not one after the other
  const strings = createStrings(await source("", language), language, source);
  await Promise.all(early);
  await strings.need(...parts);
  return strings;
}

/** Words that a server has. @param {string} folder @returns {Source} */
export const wordsFrom = (folder) => (part, language) => fetchedOnce(`${folder}${part && `${part}.`}${language}.json`);

/** What is fetched when somebody asks for it, by address; what could not be fetched is asked for again. @type {Map<string, Promise<any>>} */
const fetched = new Map();

/** A document of words beside the page's own, fetched once. @param {string} url @returns {Promise<any>} */
export function fetchedOnce(url) {
  const known = fetched.get(url);
  if (known) return known;
  const asked = fetch(url).then((response) => (response.ok ? response.json() : Promise.reject(new Error(String(response.status)))));
  fetched.set(url, asked);
  asked.catch(() => fetched.delete(url));
  return asked;
}

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
