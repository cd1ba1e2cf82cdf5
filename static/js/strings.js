/**
 * The page's words, one JSON file a language, and the sentences that say a message aloud.
 *
 * `t("key", {name})` fills `{name}`; with a `count`, `key_one` or `key_other` is taken as the language counts.
 * The engine writes each entry's sentence in English; other languages make it from the entry's fields where
 * they have a pattern for its kind, and quote the English where they do not.
 */
import { computed, signal } from "@preact/signals-core";
import { laneId } from "./lanes.js";

/** @typedef {Record<string, string>} Dictionary */
/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {ReturnType<typeof createStrings>} Strings */

/** @param {Dictionary} dictionary @param {string} language */
export function createStrings(dictionary, language) {
  const words = signal(dictionary);
  const current = signal(language);
  const plurals = computed(() => new Intl.PluralRules(current.value));

  const t = (/** @type {string} */ key, /** @type {Record<string, any>} */ values = {}) => {
    const all = words.value;
    const counted = typeof values.count === "number" ? all[`${key}_${plurals.value.select(values.count)}`] : undefined;
    return fill(counted ?? all[key] ?? key, values);
  };

  /** An entry as a sentence. @param {Entry} entry */
  const say = (entry) => {
    const all = words.value;
    if (!("say.within" in all)) return entry.sentence;
    const known = spoken(entry);
    known.within = entry.fields.namespace ? fill(all["say.within"], entry.fields) : "";
    const pattern = patternKeys(entry).map((key) => all[key]).find((text) => text && complete(text, known));
    return pattern ? fill(pattern, known) : entry.sentence;
  };

  /** What this kind of entry is, in the page's language; null where only the engine's own words are there. @param {Entry} entry */
  const explain = (entry) => {
    const { type, method, verb, operation } = entry.fields;
    const variant = [type, method, verb, operation].map((value) => words.value[`explain.${entry.kind}.${value}`]).find(Boolean);
    return variant ?? words.value[`explain.${entry.kind}`] ?? null;
  };

  return {
    language: current,
    t,
    say,
    explain,
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

/** @param {string} pattern @param {Record<string, any>} known */
const complete = (pattern, known) => [...pattern.matchAll(/\{(\w+)\}/g)].every(([, key]) => known[key] !== undefined && known[key] !== null);

/** Keys of sentence patterns, the most particular first. @param {Entry} entry */
function patternKeys({ kind, label, fields }) {
  const keys = [`say.${kind}.${label}`];
  if (fields.verb) keys.push(`say.${kind}.${fields.verb}${fields.subresource ? `/${fields.subresource}` : ""}`);
  if (fields.type) keys.push(`say.${kind}.${fields.type}`);
  if (fields.commonName) keys.push(`say.${kind}.named`);
  return [...keys, `say.${kind}`];
}

/** What patterns may name: the entry's fields, who speaks, and one object. @param {Entry} entry @returns {Record<string, any>} */
function spoken(entry) {
  const { resource, name: object } = entry.fields;
  const one = resource ? `${KINDS[resource] ?? resource} ${object ?? ""}`.trim() : undefined;
  return { ...entry.fields, one, label: entry.label, from: name(entry.from), to: entry.to ? name(entry.to) : "" };
}

/** @type {Record<string, string>} */
const KINDS = {
  pods: "Pod", nodes: "Node", namespaces: "Namespace", services: "Service", endpoints: "Endpoints", endpointslices: "EndpointSlice",
  configmaps: "ConfigMap", secrets: "Secret", serviceaccounts: "ServiceAccount", events: "Event", leases: "Lease", deployments: "Deployment",
  replicasets: "ReplicaSet", roles: "Role", rolebindings: "RoleBinding", clusterroles: "ClusterRole", clusterrolebindings: "ClusterRoleBinding",
};

/** What a participant is called in a sentence. @param {string} participant */
export function name(participant) {
  const slash = participant.indexOf("/");
  const [host, program] = slash < 0 ? [participant, participant] : [participant.slice(0, slash), participant.slice(slash + 1)];
  return laneId(participant) === host || host === "control-plane" ? program : `${program} (${host})`;
}
