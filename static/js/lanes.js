/**
 * Which lane a participant is drawn on, and where that stands.
 *
 * A cluster's cast is told in the hello, before anybody speaks, so its lanes are there from the start and in the cast's
 * order: people, the control plane, the nodes. Each component has a lane. What else runs on a machine of the cast was
 * typed there, and shares the lane of its terminal; a pod has one lane for all that runs in it, and so has a person's host.
 *
 *     worker-1/kubelet    worker-1/kubelet     a component
 *     worker-1/curl       worker-1/terminal    typed on that machine
 *     worker-1            worker-1             the machine itself, as it answers ping
 *     web-0.default/sh    web-0.default        in a pod of the namespace default
 *
 * A machine that is switched on later is known by its containerd, and is as the others from then on.
 *
 * A lane's `index` counts in the order in which lanes came, and stays. It is drawn at its `slot`: a newcomer stands behind
 * those of its machine or its namespace, so that each of them is one bracket. A reader may arrange lanes otherwise
 * (`Arrangement`, arrangement.js): that changes slots, and a host that is folded is one lane, called as the host.
 */

/**
 * @typedef {{people: readonly string[], hosts: readonly string[], workers: readonly string[], components: readonly string[]}} Cast
 *   `hosts` run programs, `workers` among them pods, people type at the others; components as "host/program"
 * @typedef {{hosts: readonly string[], lanes: readonly string[], folded: readonly string[], pinned: readonly string[], hides: boolean}} Arrangement
 *   `hosts` and `lanes` in the order they are wanted in, others behind them; `pinned` lanes stand first; `hides` those that a filter leaves empty
 * @typedef {{seq: number, y: number, endSeq: number | null, endY: number | null}} Life
 * @typedef {{id: string, host: string, name: string, address: string, index: number, slot: number, lives: Life[], running: Set<string>, shown: boolean}} Lane
 *   `slot`: -1 where it is not shown; `host`: what the bracket above says, a machine or a pod's namespace; `running`: those of its programs that run
 */

const PEOPLE = new Set(["workstation", "outside"]);
const POD = /^([a-z0-9][a-z0-9.-]*)\.([a-z0-9-]*[a-z][a-z0-9-]*)$/;
/** A cast before the hello. @type {Cast} */
export const NOBODY = { people: [], hosts: [], workers: [], components: [] };

/** Lanes as they come. @type {Arrangement} */
export const NATURAL = { hosts: [], lanes: [], folded: [], pinned: [], hides: false };

/** The lanes a cluster is sure to have. @param {Cast} cast @returns {string[]} */
export const expectedLanes = (cast) => [...cast.people, ...cast.components];

/** @param {string} participant "host/program" */
const hostOf = (participant) => (participant.includes("/") ? participant.slice(0, participant.indexOf("/")) : participant);

/** A cast with machines that came later, which have what the first worker has. @param {Cast} cast @param {readonly string[]} machines @returns {Cast} */
export function withMachines(cast, machines) {
  const first = cast.components.filter((one) => hostOf(one) === cast.workers[0]);
  const components = machines.flatMap((host) => first.map((one) => host + one.slice(hostOf(one).length)));
  return {
    ...cast,
    hosts: [...cast.hosts, ...machines],
    workers: [...cast.workers, ...machines],
    components: [...cast.components, ...components],
  };
}

export class Lanes {
  /** @param {readonly string[]} expected  the lanes that are there in any case @param {ReadonlySet<string>} [focus]  only these participants' are @param {Arrangement} [arrangement] @param {boolean} [hides]  lanes wait until something is drawn on them */
  constructor(expected, focus = new Set(), arrangement = NATURAL, hides = false) {
    this.arrangement = arrangement;
    this.hides = hides;
    this.folded = new Set(arrangement.folded);
    /** @type {Lane[]} From left to right, as they would be without an arrangement. */
    this.natural = [];
    /** @type {Lane[]} In the order in which they came. */
    this.list = [];
    /** @type {Lane[]} From left to right. */
    this.drawn = [];
    /** How many of these, the first, are pinned. */
    this.pinned = 0;
    /** @type {Map<string, Lane>} */
    this.byId = new Map();
    /** Each participant's lane, as far as they have been asked for: they are, at every entry. @type {Map<string, Lane>} */
    this.byParticipant = new Map();
    this.components = new Set(expected);
    this.machines = new Set(expected.map(hostOf));
    /** @type {string[]} Machines that were switched on later. */
    this.newcomers = [];
    /** @type {ReadonlySet<string>} The lanes that are to be seen; empty: all. */
    this.focus = new Set([...focus].map((participant) => this.idOf(participant)));
    for (const id of expected) if (this.has(id)) this.of(id);
  }

  /** @param {string} participant @returns {string} the id of its lane */
  idOf(participant) {
    const host = hostOf(participant);
    const bracket = POD.exec(host)?.[2] ?? host;
    if (this.folded.has(bracket)) return bracket;
    if (PEOPLE.has(host) || POD.test(host)) return host;
    return this.machines.has(host) && participant !== host && !this.components.has(participant) ? `${host}/terminal` : participant;
  }

  /** Whether a participant is to be seen. @param {string} participant */
  has(participant) {
    return this.focus.size === 0 || this.focus.has(this.idOf(participant));
  }

  /** @param {string} participant @returns {Lane} */
  of(participant) {
    const known = this.byParticipant.get(participant);
    if (known) return known;
    const id = this.idOf(participant);
    const lane = this.byId.get(id) ?? this.add(id);
    this.byParticipant.set(participant, lane);
    return lane;
  }

  /** @param {string} id @returns {Lane} */
  add(id) {
    const pod = POD.exec(id);
    const host = pod?.[2] ?? hostOf(id);
    const name = pod?.[1] ?? id.slice(id.indexOf("/") + 1);
    const lane = {
      id,
      host,
      name,
      address: "",
      index: this.list.length,
      slot: -1,
      lives: [],
      running: new Set(),
      shown: !this.hides || this.arrangement.pinned.includes(id),
    };
    this.byId.set(id, lane);
    this.list.push(lane);
    const last = this.natural.findLastIndex((other) => other.host === host);
    this.natural.splice(last < 0 ? this.natural.length : last + 1, 0, lane);
    if (lane.shown) this.arrange();
    return lane;
  }

  /** Something is drawn on a lane. @param {Lane} lane */
  show(lane) {
    if (lane.shown) return;
    lane.shown = true;
    this.arrange();
  }

  /** Give each lane that is shown its slot. */
  arrange() {
    const { pinned, hosts, lanes } = this.arrangement;
    /** Where it stands in a list; behind all of it, where it does not. @param {readonly string[]} list @param {string} one */
    const place = (list, one) => (list.includes(one) ? list.indexOf(one) : list.length);
    const first = (/** @type {Lane[]} */ some) => some.sort((one, other) => place(pinned, one.id) - place(pinned, other.id));
    const rest = (/** @type {Lane[]} */ some) => {
      const met = [...new Set(some.map(({ host }) => host))].sort((one, other) => place(hosts, one) - place(hosts, other));
      const of = (/** @type {string} */ host) => some.filter((lane) => lane.host === host);
      return met.flatMap((host) => of(host).sort((one, other) => place(lanes, one.id) - place(lanes, other.id)));
    };
    const shown = this.natural.filter((lane) => lane.shown);
    const isPinned = (/** @type {Lane} */ { id }) => pinned.includes(id);
    const held = first(shown.filter(isPinned));
    this.pinned = held.length;
    this.drawn = [...held, ...rest(shown.filter((lane) => !isPinned(lane)))];
    for (const lane of this.natural) lane.slot = -1;
    for (const [slot, lane] of this.drawn.entries()) lane.slot = slot;
  }

  /** A machine that was switched on later has components by the same names as the others. @param {string} host */
  meet(host) {
    const known = [...this.components].filter((one) => !this.machines.has(host) && !PEOPLE.has(hostOf(one)));
    if (known.length === 0) return;
    this.byParticipant.clear(); // what runs there is found on another lane from now on
    this.machines.add(host);
    this.newcomers.push(host);
    for (const other of known) this.components.add(host + other.slice(hostOf(other).length));
  }

  /** Note that a process began or ended at this height. @param {import("./log.js").Entry} entry @param {number} y */
  live(entry, y) {
    if (entry.kind === "process.started" && entry.fields.name === "containerd") this.meet(hostOf(entry.from));
    const lane = this.of(entry.from);
    if (entry.kind === "process.started") {
      lane.address = entry.fields.address ?? lane.address;
      if (lane.running.size === 0) lane.lives.push({ seq: entry.seq, y, endSeq: null, endY: null });
      lane.running.add(entry.from);
    } else if (lane.running.delete(entry.from) && lane.running.size === 0)
      Object.assign(lane.lives[lane.lives.length - 1], { endSeq: entry.seq, endY: y });
  }
}

/** Neighbouring lanes of one host, for the bracket above them. @param {readonly Lane[]} lanes from left to right */
export function hostsOf(lanes) {
  /** @type {{host: string, address: string, first: number, count: number}[]} */
  const hosts = [];
  for (const lane of lanes) {
    const last = hosts[hosts.length - 1];
    const address = lane.id.includes("/") ? lane.address : ""; // a pod's is its own, not its namespace's
    if (last?.host === lane.host) {
      last.count += 1;
      last.address ||= address;
    } else hosts.push({ host: lane.host, address, first: lane.slot, count: 1 });
  }
  return hosts;
}
