/**
 * In the place of the page's WebSocket, where the run stands in the file: it tells what a server would, once, and takes
 * nothing. What the file does not have, before its range or between its messages, is told as left out.
 */
import { leftOut } from "../log.js";
import { unpacked, wholeFile } from "./packed.js";

/**
 * @typedef {import("../log.js").Entry} Entry
 * @typedef {{log: import("../log.js").Log, onFrame: (frame: import("../connection.js").Frame) => void, onState: (state: import("../connection.js").ConnectionState) => void}} Ears
 */

/** Entries with what is missing of them said. @param {readonly Entry[]} entries by seq, with gaps @param {number} held the last seq there is */
export function whole(entries, held) {
  /** @type {Entry[]} */
  const all = [];
  let next = held + 1;
  for (const entry of entries) {
    for (; next < entry.seq; next += 1) all.push(leftOut(next));
    all.push(entry);
    next += 1;
  }
  return all;
}

export class FileSocket {
  /** @param {import("./recording.js").About} about @param {Ears} ears */
  constructor(about, ears) {
    this.about = about;
    this.ears = ears;
  }

  async open() {
    const { log, onFrame, onState } = this.ears;
    const { last, cast } = this.about;
    onState({ state: "open", attempt: 0, retryAt: null });
    const nodes = cast?.workers.length ?? 0;
    onFrame({
      type: "hello",
      head: last,
      cast,
      cluster: { state: "recorded", nodes, may: ["see"] },
      clock: { now: 0, pace: 1, paused: true },
    });
    for (let read = 0; ; ) {
      const parts = [...document.querySelectorAll(".entries")].slice(read);
      for (const part of parts) log.append(whole(await unpacked(part), log.head.peek()));
      read += parts.length;
      if (document.readyState !== "loading") break;
      await wholeFile();
    }
    const said = document.querySelector(".terminals");
    if (said) onFrame({ type: "terminals", frames: await unpacked(said) });
    onFrame({ type: "clock", now: log.get(log.head.peek())?.arrived ?? 0, pace: 1, paused: true });
  }

  /** Nobody takes anything. */
  send() {
    return false;
  }

  retryNow() {}
  compare() {}
}
