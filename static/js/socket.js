/**
 * The page's one WebSocket: list-then-watch with resume, as a reflector does it.
 *
 * Whatever is lost, the next connection asks for everything after the last seq held, so the log never has
 * a gap or a duplicate. Waits between attempts double to a bound, with jitter; being told that the cluster
 * is gone, or not ours, ends the attempts.
 */

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {{type: string, [field: string]: any}} Frame */
/** @typedef {{state: "connecting" | "open" | "lost" | "gone", attempt: number, retryAt: number | null}} ConnectionState */

const BACKOFF_FIRST_SECONDS = 0.4;
const BACKOFF_SECONDS_MAX = 10;
const PAGE_ENTRIES_MAX = 2000;
/** Close codes after which trying again is pointless: not yours, no such cluster. */
const FINAL_CODES = [4403, 4404];

/** Seconds to wait before attempt n (from 1), with up to a quarter of jitter. @param {number} attempt @param {number} chance in [0, 1) */
export function backoff(attempt, chance) {
  const seconds = Math.min(BACKOFF_SECONDS_MAX, BACKOFF_FIRST_SECONDS * 2 ** (attempt - 1));
  return seconds * (1 - chance / 4);
}

export class Socket {
  /**
   * @param {{url: string, entriesUrl: string, log: import("./log.js").Log, onFrame: (frame: Frame) => void,
   *   onState: (state: ConnectionState) => void, commands?: () => Record<string, number>, WebSocket?: typeof WebSocket, fetch?: typeof fetch}} options
   */
  constructor(options) {
    this.options = options;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.attempt = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.filling = false;
    this.closed = false;
  }

  open() {
    clearTimeout(this.timer);
    this.state("connecting");
    const socket = new (this.options.WebSocket ?? WebSocket)(this.options.url);
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.watch();
      this.state("open");
    };
    socket.onmessage = (event) => {
      if (this.socket === socket) this.hear(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (FINAL_CODES.includes(event.code)) this.state("gone");
      else if (!this.closed) this.retryLater();
    };
  }

  retryLater() {
    this.attempt += 1;
    const seconds = backoff(this.attempt, Math.random());
    this.state("lost", Date.now() + seconds * 1000);
    this.timer = setTimeout(() => this.open(), seconds * 1000);
  }

  /** Try at once instead of waiting: the network came back, or the reader pressed the button. */
  retryNow() {
    if (this.socket === null && !this.closed) this.open();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  /** @param {ConnectionState["state"]} state @param {number | null} [retryAt] */
  state(state, retryAt = null) {
    this.options.onState({ state, attempt: this.attempt, retryAt });
  }

  /** @param {Frame} frame @returns {boolean} whether it could be sent */
  send(frame) {
    if (this.socket?.readyState !== 1) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  watch() {
    const commands = this.options.commands?.() ?? {};
    this.send({ type: "watch", since: this.options.log.head.peek(), ...(Object.keys(commands).length ? { commands } : {}) });
  }

  /** @param {Frame} frame */
  hear(frame) {
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
