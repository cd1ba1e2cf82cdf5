/**
 * Steps through a conversation, as a debugger steps through calls. Pure.
 *
 * A request is a call: what its receiver does until it answers is inside of it, and a command is a call of what it types.
 * Inside is known by causes alone (causes.js): an entry is inside of the request that it was made for, as long as that
 * has no answer, and so is what its maker did next because of an answer it got.
 *
 *     kubectl   POST deployments ──────────────────────────── 201      over the POST: the 201
 *     apiserver                    Txn ────────── revision             into the POST: the Txn; out of the Txn: the 201
 *
 * Where an event on a watch is what set something off, nothing is around it: then there is no way out, and that is said.
 */
import { ALTITUDES } from "./layout.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {"over" | "into" | "out"} Step */
/** @typedef {{seq: number} | {awaits: number}} Landing  an entry; or one that is still to come: the end of entry `awaits` */

/** @type {Step[]} */
export const STEPS = ["over", "into", "out"];

const HOPS_MAX = 200;
/** What belongs together lies this close, but for answers that take their time. */
const LOOK_AHEAD_MAX = 4000;

const isCall = (/** @type {Entry} */ { kind }) => kind.endsWith(".request") || kind === "command.started";

/** Is an entry the end of a call? @param {Entry} call @returns {(entry: Entry) => boolean} */
export const endsCall = ({ seq, kind, from, fields }) =>
  kind === "command.started"
    ? (entry) => entry.kind === "command.finished" && entry.from === from && entry.fields.line === fields.line && entry.seq > seq
    : (entry) => entry.replyTo === seq;

/** The end of a call, null where it has not come `until` then. @param {readonly Entry[]} entries by seq @param {Entry} call @param {number} [until] @returns {Entry | null} */
function endOf(entries, call, until = entries.length) {
  const ends = endsCall(call);
  for (let i = call.seq; i < until; i += 1) if (ends(entries[i])) return entries[i];
  return null;
}

/** The call that an entry is inside of, null where none is known. @param {readonly Entry[]} entries by seq @param {number} seq @returns {Entry | null} */
export function callAround(entries, seq) {
  let at = entries[seq - 1];
  for (let hops = 0; at && hops < HOPS_MAX; hops += 1) {
    if (at.replyTo) at = entries[at.replyTo - 1];
    const cause = entries[(at?.cause ?? 0) - 1];
    if (!at || !cause) return null;
    if (cause.kind === "command.started") return cause;
    if (isCall(cause) && cause.to === at.from) return endOf(entries, cause, at.seq) ? null : cause;
    const own = cause.from === at.from && cause.to === null;
    const answered = cause.replyTo !== null && cause.to === at.from;
    const opening = cause.layer !== "story" && cause.connection !== null && cause.connection === at.connection;
    if (!own && !answered && !opening) return null;
    at = cause;
  }
  return null;
}

/** @param {readonly Entry[]} entries @param {Entry | null} call @returns {Landing | null} */
function landing(entries, call) {
  if (!call) return null;
  const end = endOf(entries, call);
  return end ? { seq: end.seq } : { awaits: call.seq };
}

/** The last that follows from an entry on its own connection, null where nothing does. @param {readonly Entry[]} entries @param {Entry} entry */
function endOnConnection(entries, { seq, connection }) {
  if (connection === null) return null;
  const caused = new Set([seq]);
  let last = null;
  for (let i = seq; i < Math.min(entries.length, seq + LOOK_AHEAD_MAX); i += 1) {
    const one = entries[i];
    if (!caused.has(one.cause ?? 0) || one.connection !== connection) continue;
    caused.add(one.seq);
    last = one;
  }
  return last;
}

/** The first after an entry that a test lets through, among what is drawn and is no heartbeat. @param {readonly Entry[]} entries @param {number} seq @param {import("./log.js").Layer} altitude @param {(entry: Entry) => boolean} test */
function firstAfter(entries, seq, altitude, test) {
  for (let i = seq; i < Math.min(entries.length, seq + LOOK_AHEAD_MAX); i += 1) {
    const entry = entries[i];
    if (ALTITUDES[entry.layer] <= ALTITUDES[altitude] && !entry.heartbeat && test(entry)) return entry;
  }
  return null;
}

/** Where a step from an entry leads, null where nothing is known. @param {readonly Entry[]} entries by seq @param {number} seq @param {Step} step @param {import("./log.js").Layer} altitude @returns {Landing | null} */
export function stepped(entries, seq, step, altitude) {
  const here = entries[seq - 1];
  if (!here) return null;
  const around = callAround(entries, seq);
  if (step === "out") return landing(entries, around);
  if (step === "into") {
    if (here.replyTo) return null;
    const inside = isCall(here)
      ? (/** @type {Entry} */ entry) => callAround(entries, entry.seq) === here
      : (/** @type {Entry} */ entry) => entry.cause === seq && entry.from === (here.to ?? here.from);
    const first = firstAfter(entries, seq, altitude, inside);
    return first && { seq: first.seq };
  }
  if (isCall(here)) return landing(entries, here);
  const last = here.replyTo || here.kind === "command.finished" ? null : endOnConnection(entries, here);
  if (last) return { seq: last.seq };
  if (!around) return null;
  const end = endOf(entries, around);
  const next = firstAfter(entries, seq, altitude, (entry) => !entry.replyTo && callAround(entries, entry.seq) === around);
  return next && (!end || next.seq < end.seq) ? { seq: next.seq } : landing(entries, around);
}
