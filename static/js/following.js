/**
 * What can be followed from an entry, as queries (query.js), and the next and the previous of the same. Pure.
 *
 * To follow is to ask for what belongs together with the rest folded, so that it is drawn whole and its place in time
 * stays to be seen.
 */
import { chainOf, effectsOf } from "./causes.js";
import { ALTITUDES } from "./layout.js";
import { isHeld } from "./log.js";
import { compile, parse, written } from "./query.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {"object" | "connection" | "lane" | "chain" | "cause"} Way */
/** @typedef {Way | "command" | "error" | "fault"} Path  what there is a next and a previous of */

/** @type {Way[]} In the order in which they are offered. */
export const WAYS = ["object", "connection", "lane", "chain", "cause"];

/** @param {import("./query.js").Key} key @param {string} value */
const term = (key, value) => written({ key, value, not: false });

/** The query for what is about an object; its resource with or without the group. @param {{resource: string, namespace?: string, name: string}} object */
export const aboutObject = ({ resource, namespace, name }) =>
  `${term("resource", `=${resource.split(".")[0]}`)} ${term("object", namespace ? `${namespace}/${name}` : `=${name}`)}`;

/** The query that follows an entry one way, null where it has none. @param {Entry} entry @param {Way} way @returns {string | null} */
export function followed({ seq, from, connection, fields }, way) {
  switch (way) {
    case "object":
      if (!fields.resource || !fields.name) return null;
      return aboutObject({ resource: fields.resource, namespace: fields.namespace, name: fields.name });
    case "connection":
      return connection === null ? null : term("connection", String(connection));
    case "lane":
      return term("lane", `=${from}`);
    default:
      return term(way, String(seq));
  }
}

/** The line that shows what is followed, with the rest folded. @param {string} query */
export const withRest = (query) => `${query} rest:folded`;

/** A command's line may be noted a little later than it was typed, where another runs. */
const LOOK_AHEAD_MAX = 4000;

/** The entry with which a command of the terminal began, null where it has not come. @param {readonly Entry[]} entries by seq @param {{line: string, began: number}} command @returns {Entry | null} */
export function startOf(entries, { line, began }) {
  const end = Math.min(entries.length, began + LOOK_AHEAD_MAX);
  for (let i = began; i < end; i += 1) if (entries[i].kind === "command.started" && entries[i].fields.line === line) return entries[i];
  return null;
}

/** Of the terminal's commands the one that an entry follows from; null where none does. @template {{line: string, began: number}} C @param {readonly Entry[]} entries by seq @param {number} seq @param {readonly C[]} commands in the order in which they were typed @returns {C | null} */
export function typedFor(entries, seq, commands) {
  const begins = chainOf(entries, seq).find(({ kind }) => kind === "command.started");
  return (begins && commands.findLast((command) => command.began < begins.seq && startOf(entries, command) === begins)) || null;
}

/** The next entry on a path, or the previous one; null where there is none. @param {readonly Entry[]} entries by seq @param {number} seq where the reader stands @param {Path} path @param {1 | -1} by @param {import("./log.js").Layer} altitude */
export function beyond(entries, seq, path, by, altitude) {
  const here = entries[seq - 1];
  if (path === "chain" || path === "cause") {
    if (!here) return null;
    return by < 0 ? (entries[(here.cause ?? 0) - 1] ?? null) : (effectsOf(entries, seq, entries.length)[0] ?? null);
  }
  const query = path === "command" || path === "error" || path === "fault" ? term("has", path) : here && followed(here, path);
  const test = query && compile(parse(query), { entries });
  if (!test) return null;
  for (let at = seq - 1 + by; at >= 0 && at < entries.length; at += by) {
    const entry = entries[at];
    if (isHeld(entry) && ALTITUDES[entry.layer] <= ALTITUDES[altitude] && !entry.fields.sealed && test(entry)) return entry;
  }
  return null;
}
