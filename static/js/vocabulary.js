/**
 * What the journal speaks of, for completing what is typed: its lanes, kinds, verbs, resources, objects and statuses.
 *
 * It is read on as far as it has come whenever somebody asks, each entry once. Of objects and connections the last ones
 * are kept: those are the ones that are looked for.
 */
import { isHeld } from "./log.js";
import { VALUES } from "./query.js";

/** @typedef {import("./query.js").Key} Key */
/** @typedef {import("./log.js").Entry} Entry */

const KEPT_MAX = 400;
/** States that are waited for, by resource, with what the kind is called. @type {Record<string, [string, string[]]>} */
const STATES = {
  pods: ["pod", ["Ready", "NotReady"]],
  nodes: ["node", ["Ready", "NotReady"]],
  deployments: ["deployment", ["Available", "NotAvailable"]],
  jobs: ["job", ["Complete", "Failed"]],
  persistentvolumeclaims: ["pvc", ["Bound"]],
};
const ANY_STATES = ["pod/*=Ready", "deployment/*=Available", "node/*=NotReady"];

/** A pod's name with a star for what was made up: `web-6dc5cd68db-btrt7` is `web-*`. @param {string} name */
const anyOf = (name) => name.replace(/(-[a-z0-9]{8,10})?-[a-z0-9]{5}$/, "-*");

/** @param {Record<string, any>} fields */
function statesOf({ resource, namespace, name }) {
  const [kind, states] = STATES[resource] ?? ["", []];
  const one = resource === "pods" ? anyOf(name) : name;
  return states.map((state) => `${kind}/${namespace ? `${namespace}/` : ""}${one}=${state}`);
}

/** @param {readonly Entry[]} entries the journal, which grows */
export function createVocabulary(entries) {
  /** @type {Record<string, Set<string>>} */
  const known = {};
  let read = 0;

  /** @param {Key} key @param {unknown} value */
  function note(key, value) {
    if (value === undefined || value === null || value === "") return;
    known[key] ??= new Set();
    const of = known[key];
    const text = String(value);
    of.delete(text); // the last that were spoken of stand last
    of.add(text);
    if (of.size > KEPT_MAX) of.delete(/** @type {string} */ (of.values().next().value));
  }

  /** @param {Entry} entry */
  function notice({ kind, from, to, connection, fields }) {
    note("lane", from);
    note("lane", to);
    note("kind", kind);
    note("verb", fields.verb);
    note("resource", fields.resource && fields.subresource ? `${fields.resource}/${fields.subresource}` : fields.resource);
    if (fields.resource && fields.name) note("object", fields.namespace ? `${fields.namespace}/${fields.name}` : `=${fields.name}`);
    if (fields.resource && fields.name) for (const state of statesOf(fields)) note("state", state);
    note("namespace", fields.namespace);
    note("status", fields.status);
    note("user", fields.certificate);
    note("connection", connection);
  }

  /** What is known of a key, the last spoken of first. @param {Key} key @returns {string[]} */
  return function values(key) {
    for (; read < entries.length; read += 1) if (isHeld(entries[read])) notice(entries[read]);
    if (key in VALUES) return VALUES[/** @type {keyof typeof VALUES} */ (key)];
    if (key === "from" || key === "to") return values("lane");
    const found = [...(known[key] ?? [])].reverse();
    if (key === "state") return [...ANY_STATES, ...found];
    return key === "status" ? [">=400", ...found] : found;
  };
}
