/**
 * Queries (query.js) as the engine's predicates, so that it can stop time at the very entry. Pure.
 *
 * The engine compares as it stands, a query whatever the case: a value is taken over only where the journal writes in small
 * letters. What the engine is given lets nothing through that the query does not, but may let through less, or be
 * nothing at all (words, `-`, `cause:`): the page looks for itself anyway, and pauses a little later.
 */
import { parse } from "./query.js";

/** @typedef {Record<string, any>} Description  of an entry, as `entry` in cluster_engine/predicates */

const ALTERNATIVES_MAX = 8;
/** The engine looks for so many texts in one body. */
const TEXTS_MAX = 8;

/** A text as a glob, null where it cannot be one. @param {string} value */
function glob(value) {
  if (/[?A-Z]/.test(value)) return null;
  return value.startsWith("=") ? value.slice(1) : `*${value}*`;
}

/** @param {string} value */
function status(value) {
  const group = /^([1-5])xx$/.exec(value);
  if (group) return { least: Number(group[1]) * 100, most: Number(group[1]) * 100 + 99 };
  const [, how, digits] = /^(>=|<=|>|<|=)?(\d{1,3})$/.exec(value) ?? [];
  if (digits === undefined) return null;
  const number = Number(digits);
  if (how === ">=" || how === ">") return { least: how === ">" ? number + 1 : number };
  if (how === "<=" || how === "<") return { most: how === "<" ? number - 1 : number };
  return number;
}

const HAS = {
  command: [{ kind: "command.started" }],
  fault: [{ kind: ["fault.started", "fault.ended"] }],
  error: [{ kind: "http.response", fields: { status: { least: 400 } } }, { kind: ["tls.alert", "tcp.rst", "tcp.lost", "process.failed"] }],
};

/** What one term asks, as alternatives; null where the engine cannot be asked. @param {import("./query.js").Term} term @returns {Description[] | null} */
function alternatives({ key, value, not }) {
  const slash = value.indexOf("/");
  const text = glob(value);
  if (not) return null;
  switch (key) {
    case "kind":
      return text === null ? null : [{ kind: text }];
    case "from":
    case "to":
      return text?.match(/[*/]/) ? [{ [key]: text }] : null;
    case "lane":
      return text?.match(/[*/]/) ? [{ from: text }, { to: text }] : null;
    case "verb":
    case "namespace":
      return text === null ? null : [{ fields: { [key]: text } }];
    case "resource": {
      const [resource, sub] = slash < 0 ? [text, ""] : [glob(value.slice(0, slash)), glob(value.slice(slash + 1))];
      if (!resource || sub === null) return null;
      return [{ fields: { resource, ...(sub && { subresource: sub }) } }];
    }
    case "object": {
      if (!text) return null;
      if (slash < 0) return [{ fields: { name: text } }];
      return slash > 0 ? [{ fields: { namespace: value.slice(0, slash).replace("=", ""), name: value.slice(slash + 1) } }] : null;
    }
    case "status": {
      const bounds = status(value);
      return bounds === null ? null : [{ fields: { status: bounds } }];
    }
    case "layer":
      return [{ layer: value.toLowerCase() }];
    case "has":
      return HAS[/** @type {keyof typeof HAS} */ (value.toLowerCase())] ?? null;
    default:
      return null;
  }
}

/** Both descriptions in one; null where both speak of the same. @param {Description} one @param {Description} other @returns {Description | null} */
function joined(one, other) {
  const clash = (/** @type {Description} */ a, /** @type {Description} */ b) => Object.keys(a).some((key) => key !== "fields" && key in b);
  if (clash(one, other) || clash(one.fields ?? {}, other.fields ?? {})) return null;
  const fields = { ...one.fields, ...other.fields };
  return { ...one, ...other, ...(Object.keys(fields).length > 0 && { fields }) };
}

/** What terms ask, as descriptions of which one must hold; empty where the engine cannot be asked. @param {readonly import("./query.js").Term[]} terms @returns {Description[]} */
function described(terms) {
  /** @type {Description[]} */
  let all = [{}];
  for (const term of terms) {
    const found = alternatives(term);
    if (found === null) return [];
    const next = all.flatMap((one) => found.map((other) => joined(one, other)));
    if (next.includes(null) || next.length > ALTERNATIVES_MAX) return [];
    all = /** @type {Description[]} */ (next);
  }
  return all;
}

/** What the engine is to stop at for a query; empty where it cannot be told. @param {string} line @returns {Description[]} */
export function armed(line) {
  const { terms } = parse(line);
  return terms.length > 0 ? described(terms) : [];
}

/** The same for a query that asks for texts in bodies: these, and what else the entry is to be like. @param {string} line @returns {{texts: string[], entry?: Description}[]} */
export function armedBodies(line) {
  const { terms } = parse(line);
  const asking = terms.filter(({ key }) => key === "body");
  if (asking.length === 0 || asking.length > TEXTS_MAX || asking.some(({ not }) => not)) return [];
  const texts = asking.map(({ value }) => value.toLowerCase());
  const rest = terms.filter(({ key }) => key !== "body");
  return rest.length > 0 ? described(rest).map((entry) => ({ texts, entry })) : [{ texts }];
}

/** The states of objects that the engine is to stop at for a query: that of a line that asks for one alone. @param {string} line @returns {string[]} */
export function armedStates(line) {
  const { terms } = parse(line);
  return terms.length === 1 && terms[0].key === "state" && !terms[0].not ? [terms[0].value] : [];
}
