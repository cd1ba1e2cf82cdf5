/** From an entry back to what set it off, and forward to what it led to. Pure. */

import { isHeld } from "./log.js";

/** @typedef {import("./log.js").Entry} Entry */

const CHAIN_MAX = 200;
const EFFECTS_MAX = 12;
/** Effects are looked for this far behind an entry; they follow within moments. */
const LOOK_AHEAD_MAX = 4000;

/** The chain of causes, first cause first, the entry itself last. @param {readonly Entry[]} entries by seq @param {number} seq @returns {Entry[]} */
export function chainOf(entries, seq) {
  /** @type {Entry[]} */
  const chain = [];
  for (let entry = entries[seq - 1]; isHeld(entry) && chain.length < CHAIN_MAX; entry = entries[(entry.cause ?? 0) - 1]) chain.push(entry);
  return chain.reverse();
}

/**
 * The object that an entry is about, as people name it: "Pod default/web-1" is `pods default/web-1`, a container `pod web-1/nginx`; "" where
 * it is about none. What the server named only in its answer has that name.
 * @param {readonly Entry[]} entries @param {Entry} entry
 */
export function objectOf(entries, entry) {
  const { resource, namespace, pod, container } = entry.fields;
  if (pod) return container ? `pod ${pod}/${container}` : `pod ${pod}`;
  if (!resource) return "";
  const answer = entry.fields.generateName && !entry.fields.name ? partnerOf(entries, entry.seq) : null;
  const name = (answer === null ? null : entries[answer - 1].fields.name) ?? entry.fields.name;
  if (!name) return "";
  return `${resource} ${namespace ? `${namespace}/` : ""}${name}`;
}

/** What this entry caused directly, as far as the cursor. @param {readonly Entry[]} entries @param {number} seq @param {number} cursor @returns {Entry[]} */
export function effectsOf(entries, seq, cursor) {
  /** @type {Entry[]} */
  const effects = [];
  const end = Math.min(cursor, seq + LOOK_AHEAD_MAX);
  for (let i = seq; i < end && effects.length < EFFECTS_MAX; i += 1) if (entries[i].cause === seq) effects.push(entries[i]);
  return effects;
}

/** The other half of a request and its answer. @param {readonly Entry[]} entries @param {number} seq @returns {number | null} */
export function partnerOf(entries, seq) {
  const entry = entries[seq - 1];
  if (!entry) return null;
  if (entry.replyTo) return entry.replyTo;
  const end = Math.min(entries.length, seq + LOOK_AHEAD_MAX);
  for (let i = seq; i < end; i += 1) if (entries[i].replyTo === seq) return entries[i].seq;
  return null;
}

/** What else bears an entry's audit id, as far as the cursor: the answer to a request, and the audit log's events about it. @param {readonly Entry[]} entries @param {Entry} entry @param {number} cursor @returns {Entry[]} */
export function sameAudit(entries, entry, cursor) {
  const id = entry.fields.auditID;
  if (id === undefined) return [];
  const end = Math.min(cursor, entries.length);
  /** @type {Entry[]} */
  const found = [];
  for (let i = 0; i < end && found.length < EFFECTS_MAX; i += 1)
    if (entries[i].fields.auditID === id && entries[i].seq !== entry.seq) found.push(entries[i]);
  return found;
}
