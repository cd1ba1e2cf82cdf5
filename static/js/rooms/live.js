/**
 * A room as a page knows it: what its socket has said so far, as signals.
 *
 * The server tells everything again on each new connection, so a page that was cut off is up to date as soon as it is
 * back. The frames are those of visualizer/rooms/protocol.py; answers to what this page asked go to `onAnswer`.
 */
import { signal } from "@preact/signals-core";
import { Connection } from "../connection.js";

/** @typedef {import("../connection.js").Frame} Frame */
/** @typedef {import("../connection.js").ConnectionState} ConnectionState */
/** @typedef {{id: string, title: string, code?: string, mode: "own" | "shared", lesson: string | null, state: "open" | "closed", paused: boolean, leading: boolean, cluster: string | null}} Room */
/** @typedef {{role: "instructor" | "member", member: number | null, name: string, group: string, help: string | null, follows: boolean, cluster: string | null}} Me */
/** @typedef {import("../position.js").Position} Position */
/** @typedef {{applied: string | null, problem: string | null, noticed: number | null, diagnosed: number | null, tries: number, healed: string | null}} Report */
/** @typedef {{lesson: string, beat: string | null, checks: number, of: number, last: {id: string, at: number | string} | null}} Where */
/** @typedef {{member: number, name: string, group: string, online: boolean, cluster: {id: string | null, state: string}, where: Where | null, help: string | null, falseAlarms?: number, reports: Record<string, Report>}} Row */
/** @typedef {{all?: true, group?: string, member?: number}} Targets */
/** @typedef {{name: string, target: string, [field: string]: any}} Fault */
/** @typedef {{id: number, number: number, fault: Fault, when: Record<string, any> | null, targets: Targets, made: string, healed: string | null}} Incident */
/** @typedef {ReturnType<typeof createLive>} Live */

class RoomSocket extends Connection {
  /** @param {import("../connection.js").ConnectionOptions & {onFrame: (frame: Frame) => void}} options */
  constructor(options) {
    super(options);
    this.options = options;
  }

  /** @override @param {Frame} frame */
  hear(frame) {
    this.options.onFrame(frame);
  }
}

/** In the order in which they were made, counted within the room. @param {Incident[]} incidents */
const numbered = (incidents) => incidents.sort((a, b) => a.id - b.id).map((incident, i) => ({ ...incident, number: i + 1 }));

/** @param {{url: string, onAnswer?: (frame: Frame) => void, WebSocket?: typeof globalThis.WebSocket}} options */
export function createLive({ url, onAnswer = () => {}, WebSocket }) {
  const room = signal(/** @type {Room | null} */ (null));
  const me = signal(/** @type {Me | null} */ (null));
  const position = signal(/** @type {Position | null} */ (null));
  const rows = signal(/** @type {ReadonlyMap<number, Row>} */ (new Map()));
  const incidents = signal(/** @type {readonly Incident[]} */ ([]));
  const connection = signal(/** @type {ConnectionState} */ ({ state: "connecting", attempt: 0, retryAt: null }));

  /** @type {Record<string, (frame: any) => void>} */
  const heard = {
    room(frame) {
      if (!frame.room.leading) position.value = null;
      room.value = frame.room;
      me.value = frame.me;
    },
    position({ type, ...place }) {
      position.value = place;
    },
    board(frame) {
      rows.value = new Map(frame.rows.map((/** @type {Row} */ row) => [row.member, row]));
      incidents.value = numbered(frame.incidents);
    },
    row({ row }) {
      rows.value = new Map(rows.peek()).set(row.member, row);
    },
    gone({ member }) {
      rows.value = new Map([...rows.peek()].filter(([number]) => number !== member));
    },
    incident({ incident }) {
      incidents.value = numbered([...incidents.peek().filter(({ id }) => id !== incident.id), incident]);
    },
  };

  const socket = new RoomSocket({
    url,
    WebSocket,
    onState: (state) => {
      connection.value = state;
    },
    onFrame: (frame) => (Object.hasOwn(heard, frame.type) ? heard[frame.type](frame) : onAnswer(frame)),
  });

  return {
    room,
    me,
    position,
    rows,
    incidents,
    connection,
    open: () => socket.open(),
    close: () => socket.close(),
    retryNow: () => socket.retryNow(),
    /** @param {Frame} frame @returns {boolean} whether it could be sent */
    send: (frame) => socket.send(frame),
  };
}
