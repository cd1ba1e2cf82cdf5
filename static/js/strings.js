/**
 * The page's words, one JSON file a language, and the sentences that say a message aloud.
 *
 * `t("key", {name})` fills `{name}`; with a `count`, `key_one` or `key_other` is taken as the language counts.
 * The engine writes each entry's sentence in English; other languages make it from the entry's fields where
 * they have a pattern for its kind, and quote the English where they do not.
 */
import { signal } from "@preact/signals-core";
import { laneId } from "./lanes.js";

/** @typedef {Record<string, string>} Dictionary */
/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {ReturnType<typeof createStrings>} Strings */

/** @param {Dictionary} dictionary @param {string} language */
export function createStrings(dictionary, language) {
  const words = signal(dictionary);
  const current = signal(language);

  const t = (/** @type {string} */ key, /** @type {Record<string, any>} */ values = {}) => {
    const all = words.value;
    const counted = typeof values.count === "number" ? all[`${key}_${new Intl.PluralRules(current.value).select(values.count)}`] : undefined;
    return fill(counted ?? all[key] ?? key, values);
  };

  /** An entry as a sentence. @param {Entry} entry */
  const say = (entry) => {
    const pattern = current.value === "en" ? undefined : patternOf(words.value, entry);
    return pattern ? fill(pattern, { ...entry.fields, label: entry.label, from: name(entry.from), to: entry.to ? name(entry.to) : "" }) : entry.sentence;
  };

  return {
    language: current,
    t,
    say,
    /** @param {Dictionary} next @param {string} code */
    use(next, code) {
      words.value = next;
      current.value = code;
      document.documentElement.lang = code;
    },
  };
}

/** @param {string} pattern @param {Record<string, any>} values */
const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (whole, key) => (values[key] === undefined || values[key] === null ? whole : String(values[key])));

/** The most particular pattern whose every word the entry can give. @param {Dictionary} words @param {Entry} entry */
function patternOf(words, entry) {
  const { verb, resource, type } = entry.fields;
  const keys = [`say.${entry.kind}.${verb ?? type}.${resource}`, `say.${entry.kind}.${verb ?? type}`, `say.${entry.kind}.${entry.fields.name ? "named" : "plain"}`, `say.${entry.kind}`];
  const known = /** @type {Record<string, any>} */ ({ ...entry.fields, label: entry.label, from: entry.from, to: entry.to });
  return keys.map((key) => words[key]).find((pattern) => pattern && [...pattern.matchAll(/\{(\w+)\}/g)].every(([, key]) => known[key] !== undefined && known[key] !== null));
}

/** What a participant is called in a sentence. @param {string} participant */
export function name(participant) {
  const slash = participant.indexOf("/");
  const [host, program] = slash < 0 ? [participant, participant] : [participant.slice(0, slash), participant.slice(slash + 1)];
  return laneId(participant) === host || host === "control-plane" ? program : `${program} (${host})`;
}
