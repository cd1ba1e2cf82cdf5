/**
 * A WebSocket that comes back: what a page's sockets have in common.
 *
 * Waits between attempts double to a bound, with jitter; being told that there is nothing here, or not for us,
 * ends the attempts. What is said after each new connection, and what is heard, is the subclass's.
 */

/** @typedef {{type: string, [field: string]: any}} Frame */
/** @typedef {{state: "connecting" | "open" | "lost" | "gone", attempt: number, retryAt: number | null}} ConnectionState */
/** @typedef {{url: string, onState: (state: ConnectionState) => void, WebSocket?: typeof WebSocket}} ConnectionOptions */

const BACKOFF_FIRST_SECONDS = 0.4;
const BACKOFF_SECONDS_MAX = 10;
/** Close codes after which trying again is pointless: not yours, no such thing. */
const FINAL_CODES = [4403, 4404];

/** Seconds to wait before attempt n (from 1), with up to a quarter of jitter. @param {number} attempt @param {number} chance in [0, 1) */
export function backoff(attempt, chance) {
  const seconds = Math.min(BACKOFF_SECONDS_MAX, BACKOFF_FIRST_SECONDS * 2 ** (attempt - 1));
  return seconds * (1 - chance / 4);
}

export class Connection {
  /** @param {ConnectionOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.attempt = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.closed = false;
  }

  /** What is to be said first on every new connection. */
  opened() {}

  /** @param {Frame} _frame */
  hear(_frame) {}

  open() {
    clearTimeout(this.timer);
    this.state("connecting");
    const socket = new (this.options.WebSocket ?? WebSocket)(this.options.url);
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.opened();
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

  /** Nobody is at the other end any more, though nothing was heard of that. */
  lose() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.retryLater();
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
}
