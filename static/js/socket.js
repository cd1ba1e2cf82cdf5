/**
 * The page's one WebSocket: list-then-watch with resume, as a reflector does it.
 *
 * Whatever is lost, the next connection asks for everything after the last seq held, so the log never has
 * a gap or a duplicate. A cluster that was brought back may not have kept the last entries that were told before its
 * process was killed: it makes them again, and the page compares.
 *
 * A connection may be dead without a word: a network that is gone says nothing. Where nothing at all is heard after a
 * command, the page asks whether anybody is there, and connects anew where nobody is.
 */
import { Connection } from "./connection.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {import("./connection.js").Frame} Frame */
/** @typedef {import("./connection.js").ConnectionState} ConnectionState */

const PAGE_ENTRIES_MAX = 2000;
const COMPARED_ENTRIES = 1000;
/** After a command, until it is asked whether somebody is there; then, until that is answered. */
const SILENCE_MS = 5000;

export class Socket extends Connection {
  /**
   * @param {import("./connection.js").ConnectionOptions & {entriesUrl: string, log: import("./log.js").Log, onFrame: (frame: Frame) => void,
   *   commands?: () => Record<string, number>, fetch?: typeof fetch}} options
   */
  constructor(options) {
    super(options);
    this.options = options;
    this.filling = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.doubting = undefined;
  }

  /** @override */
  opened() {
    this.trust();
    this.watch();
  }

  /** @override @param {Frame} frame */
  send(frame) {
    const sent = super.send(frame);
    if (sent && frame.type === "command" && this.doubting === undefined) this.doubting = setTimeout(() => this.doubt(), SILENCE_MS);
    return sent;
  }

  doubt() {
    if (this.send({ type: "ping" })) this.doubting = setTimeout(() => this.lose(), SILENCE_MS);
  }

  /** Somebody is there. */
  trust() {
    clearTimeout(this.doubting);
    this.doubting = undefined;
  }

  /** @param {number} [since] */
  watch(since = this.options.log.head.peek()) {
    const commands = this.options.commands?.() ?? {};
    this.send({ type: "watch", since, ...(Object.keys(commands).length ? { commands } : {}) });
  }

  /** Have the last entries told once more: they may be others now. */
  compare() {
    this.watch(Math.max(0, this.options.log.head.peek() - COMPARED_ENTRIES));
  }

  /** @override @param {Frame} frame */
  hear(frame) {
    this.trust();
    if (frame.type === "entries") {
      if (!this.options.log.append(frame.entries)) void this.fill();
    } else if (frame.type === "relist") {
      void this.fill();
    } else {
      this.options.onFrame(frame);
    }
  }

  /** Fetch what is missing page by page, then watch from there. */
  async fill() {
    if (this.filling) return;
    this.filling = true;
    try {
      const { log, entriesUrl } = this.options;
      for (;;) {
        const since = log.head.peek();
        const response = await (this.options.fetch ?? fetch)(`${entriesUrl}?since=${since}&limit=${PAGE_ENTRIES_MAX}`);
        if (!response.ok) break;
        const page = await response.json();
        log.append(page.entries);
        if (page.entries.length === 0 || log.head.peek() >= page.head || log.head.peek() === since) break;
      }
    } catch {
      // The connection is going: its close event retries, and the next watch asks again.
    } finally {
      this.filling = false;
      this.watch();
    }
  }
}
