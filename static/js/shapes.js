/**
 * How a kind of message is drawn. Every family differs from every other by line, head, tail or icon as well as
 * by colour (which style sheets choose by the family's name). Pure.
 */

/** @typedef {import("./log.js").Entry} Entry */
/**
 * @typedef {"request" | "reply" | "refusal" | "watch" | "call" | "result" | "stored" | "frame" | "tls" | "alert" | "tcp" | "lost"
 *   | "note" | "command" | "process" | "fault"} Family
 * @typedef {{line: "solid" | "dashed" | "double" | "dotted" | "chain" | "fine", head: "filled" | "open" | "half" | "cross",
 *   tail: "none" | "ring" | "diamond", icon: string | null}} Shape
 */

/** @type {Record<Family, Shape>} */
export const SHAPES = {
  request: { line: "solid", head: "filled", tail: "none", icon: null },
  reply: { line: "dashed", head: "open", tail: "none", icon: null },
  refusal: { line: "dashed", head: "open", tail: "none", icon: "warning" },
  watch: { line: "solid", head: "filled", tail: "ring", icon: "eye" },
  call: { line: "double", head: "filled", tail: "none", icon: null },
  result: { line: "dashed", head: "open", tail: "diamond", icon: null },
  stored: { line: "double", head: "filled", tail: "ring", icon: "cylinder" },
  frame: { line: "fine", head: "open", tail: "none", icon: "layers" },
  tls: { line: "chain", head: "filled", tail: "none", icon: "lock" },
  alert: { line: "chain", head: "filled", tail: "none", icon: "warning" },
  tcp: { line: "dotted", head: "half", tail: "none", icon: "plug" },
  lost: { line: "dotted", head: "cross", tail: "none", icon: "warning" },
  note: { line: "solid", head: "filled", tail: "none", icon: "cog" },
  command: { line: "solid", head: "filled", tail: "none", icon: "prompt" },
  process: { line: "solid", head: "filled", tail: "none", icon: "power" },
  fault: { line: "solid", head: "filled", tail: "none", icon: "bolt" },
};

/** @type {Record<string, Family>} */
const BY_KIND = {
  "http.request": "request",
  "http.response": "reply",
  "watch.event": "watch",
  "websocket.message": "watch",
  "grpc.request": "call",
  "grpc.response": "result",
  "grpc.message": "call",
  "etcd.event": "stored",
  "raft.message": "call",
  "tls.alert": "alert",
  "tcp.lost": "lost",
  "dns.response": "reply",
  "h2.rst_stream": "frame",
};

/** @param {Entry} entry @returns {Family} */
export function familyOf(entry) {
  const exact = BY_KIND[entry.kind];
  if (exact === "reply" && (entry.fields.status ?? 0) >= 400) return "refusal";
  if (entry.arrived === null && entry.to !== null) return "lost";
  if (exact) return exact;
  if (entry.to === null) {
    const group = entry.kind.slice(0, entry.kind.indexOf("."));
    return group === "command" || group === "process" || group === "fault" ? group : "note";
  }
  return entry.layer === "tls" ? "tls" : entry.layer === "tcp" ? "tcp" : entry.layer === "http" ? "frame" : "request";
}

/** What the legend names, in the order of the altitudes. @type {Family[]} */
export const LEGEND = [
  "request",
  "reply",
  "watch",
  "call",
  "result",
  "stored",
  "note",
  "command",
  "fault",
  "frame",
  "tls",
  "alert",
  "tcp",
  "lost",
];
