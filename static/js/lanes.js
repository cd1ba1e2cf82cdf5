/**
 * Which lane a participant is drawn on.
 *
 * A cluster's cast is told in the hello, before anybody speaks, so its lanes are there from the start and in
 * the cast's order: people, the control plane, the nodes. Whoever else appears is added at the right, so no lane ever moves. Hosts where a person types
 * have one lane for all their programs.
 */

/**
 * @typedef {{people: readonly string[], hosts: readonly string[], workers: readonly string[], components: readonly string[]}} Cast
 *   `hosts` run programs, `workers` among them pods, people type at the others; components as "host/program"
 * @typedef {{seq: number, y: number, endSeq: number | null, endY: number | null}} Life
 * @typedef {{id: string, host: string, name: string, address: string, index: number, lives: Life[]}} Lane
 */

const PEOPLE = new Set(["workstation", "outside"]);
/** A cast before the hello. @type {Cast} */
export const NOBODY = { people: [], hosts: [], workers: [], components: [] };

/** @param {string} participant */
export function laneId(participant) {
  const host = participant.slice(0, participant.indexOf("/"));
  return PEOPLE.has(host) ? host : participant;
}

/** The lanes a cluster is sure to have. @param {Cast} cast @returns {string[]} */
export const expectedLanes = (cast) => [...cast.people, ...cast.components];

export class Lanes {
  /** @param {readonly string[]} expected */
  constructor(expected) {
    /** @type {Lane[]} */
    this.list = [];
    /** @type {Map<string, Lane>} */
    this.byId = new Map();
    for (const id of expected) this.of(id);
  }

  /** @param {string} participant @returns {Lane} */
  of(participant) {
    const id = laneId(participant);
    let lane = this.byId.get(id);
    if (!lane) {
      const slash = id.indexOf("/");
      lane = {
        id,
        host: slash < 0 ? id : id.slice(0, slash),
        name: slash < 0 ? id : id.slice(slash + 1),
        address: "",
        index: this.list.length,
        lives: [],
      };
      this.byId.set(id, lane);
      this.list.push(lane);
    }
    return lane;
  }

  /** Note that a process began or ended at this height. @param {import("./log.js").Entry} entry @param {number} y */
  live(entry, y) {
    const lane = this.of(entry.from);
    const last = lane.lives[lane.lives.length - 1];
    if (entry.kind === "process.started") {
      lane.address = entry.fields.address ?? lane.address;
      if (!last || last.endSeq !== null) lane.lives.push({ seq: entry.seq, y, endSeq: null, endY: null });
    } else if (last && last.endSeq === null) {
      last.endSeq = entry.seq;
      last.endY = y;
    }
  }
}

/** Neighbouring lanes of one host, for the bracket above them. @param {readonly Lane[]} lanes */
export function hostsOf(lanes) {
  /** @type {{host: string, address: string, first: number, count: number}[]} */
  const hosts = [];
  for (const lane of lanes) {
    const last = hosts[hosts.length - 1];
    if (last?.host === lane.host) {
      last.count += 1;
      last.address ||= lane.address;
    } else hosts.push({ host: lane.host, address: lane.address, first: lane.index, count: 1 });
  }
  return hosts;
}
