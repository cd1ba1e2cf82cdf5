/** What a reader sees in each view of the state, as facts that can be compared (`changes.js`). Pure. */

/** @typedef {import("./changes.js").Fact} Fact */
/** @typedef {import("./changes.js").Facts} Facts */
/** @typedef {{namespace: string, name: string, cells?: any[], seq: number, gone?: boolean, asked?: boolean}} Row */
/** @typedef {{resource: string, group: string, version: string, kind: string, namespaced: boolean, count: number, columns: {name: string, wide: boolean}[], rows?: Row[]}} Kind */
/** @typedef {{namespace: string, name: string, status: string, ready: string, restarts: number, seq: number}} Pod */
/** @typedef {{connection: number, from: string, to: string, port: number, protocol: string, identity: string | null, sent: number, received: number, opened: number, last: number}} Connection */
/** @typedef {{resource: string, group: string, namespace: string, selector: string, count: number, from: number, differs: {namespace: string, name: string, believes: string | null, etcd: string | null, seq: number | null}[]}} Belief */

/** @typedef {{table: string, chain: string, text: string}} Rule */

/** Columns that change by themselves while nothing happens. */
const AGING = new Set(["Age", "Last Seen", "First Seen", "Created At"]);
/** A value that has no label: the entry of the last write. */
export const WRITTEN = "";

/** "pods", "deployments.apps": as kubectl and the door take it. @param {{resource: string, group: string}} kind */
export const resourceOf = ({ resource, group }) => (group ? `${resource}.${group}` : resource);

/** What a watch was asked for: "pods in kube-system with app=web". @param {Belief} one */
export const watchedOf = (one) =>
  [resourceOf(one), one.namespace && `in ${one.namespace}`, one.selector && `with ${one.selector}`].filter(Boolean).join(" ");

/** @param {string} resource @param {{namespace: string, name: string}} one */
export const keyOf = (resource, { namespace, name }) => `${resource}/${namespace}/${name}`;

/** A name as a reader of the default namespace would say it. @param {{namespace: string, name: string}} one */
export const nameOf = ({ namespace, name }) => (namespace && namespace !== "default" ? `${namespace}/${name}` : name);

/** @param {{name: string, wide: boolean}[]} columns with their places in a row's cells */
export const shownColumns = (columns) => columns.map(({ name, wide }, place) => ({ name, wide, place })).filter(({ wide }) => !wide);

/** The reader's own things first, the system's after them; then as kubectl sorts. @param {Row[]} rows */
export function sorted(rows) {
  const system = (/** @type {Row} */ { namespace }) => Number(namespace.startsWith("kube-"));
  const order = (/** @type {string} */ a, /** @type {string} */ b) => (a < b ? -1 : Number(a > b));
  return [...rows].sort((a, b) => system(a) - system(b) || order(a.namespace, b.namespace) || order(a.name, b.name));
}

/** @param {[string, Fact][]} pairs */
const facts = (pairs) => new Map(pairs);

/** @type {Record<string, (data: any) => Facts>} */
export const FACTS = {
  objects: ({ kinds }) =>
    facts(
      kinds.flatMap((/** @type {Kind} */ kind) =>
        (kind.rows ?? []).map((row) => {
          const columns = shownColumns(kind.columns).filter(({ name }) => name !== "Name" && !AGING.has(name));
          const cells = columns.map(({ name, place }) => [name, String(row.cells?.[place] ?? "")]);
          return [
            keyOf(resourceOf(kind), row),
            {
              title: nameOf(row),
              about: kind.resource,
              seq: row.seq,
              values: { ...Object.fromEntries(cells), [WRITTEN]: String(row.seq) },
            },
          ];
        }),
      ),
    ),

  board: ({ nodes, waiting }) => {
    const pod = (/** @type {string} */ node) => (/** @type {Pod} */ one) =>
      /** @type {[string, Fact]} */ ([
        keyOf("pods", one),
        {
          title: nameOf(one),
          about: "pods",
          seq: one.seq,
          values: { Node: node, Status: one.status, Ready: one.ready, Restarts: String(one.restarts) },
        },
      ]);
    return facts([
      ...nodes.map((/** @type {any} */ node) => [
        `nodes//${node.name}`,
        { title: node.name, about: "nodes", seq: node.seq, values: { Status: node.status, Taints: node.taints.join(", ") } },
      ]),
      ...nodes.flatMap((/** @type {any} */ node) => node.pods.map(pod(node.name))),
      ...waiting.map(pod("")),
    ]);
  },

  topology: ({ hosts, connections }) =>
    facts([
      ...hosts.map((/** @type {any} */ host) => [
        `hosts/${host.name}`,
        { title: host.name, about: "hosts", values: { up: String(host.up) } },
      ]),
      ...hosts.flatMap((/** @type {any} */ host) =>
        host.programs.map((/** @type {any} */ one) => [
          `programs/${one.participant}/${one.pid}`,
          { title: one.participant, about: "programs", values: { PID: String(one.pid) } },
        ]),
      ),
      ...connections.map((/** @type {Connection} */ one) => [
        `connections/${one.connection}`,
        {
          title: `${one.from} → ${one.to}:${one.port}`,
          about: "connections",
          seq: one.last,
          values: { protocol: one.protocol, identity: one.identity ?? "", sent: String(one.sent), received: String(one.received) },
        },
      ]),
    ]),

  beliefs: ({ who }) =>
    facts(
      who.flatMap((/** @type {any} */ { participant, resources }) =>
        resources.map((/** @type {Belief} */ one) => [
          `${participant}/${watchedOf(one)}`,
          {
            title: `${participant}: ${one.resource}`,
            about: "caches",
            seq: one.from,
            values: { count: String(one.count), differs: one.differs.map(nameOf).join(", ") },
          },
        ]),
      ),
    ),

  identities: ({ certificates, tokens }) =>
    facts([
      ...certificates.map((/** @type {any} */ one) => [
        certificateKey(one),
        {
          title: `${one.participant}: ${one.subject}`,
          about: "certificates",
          seq: one.seq,
          values: { until: one.notAfter, connections: one.connections.join(", ") },
        },
      ]),
      ...tokens.map((/** @type {any} */ one) => [
        tokenKey(one),
        {
          title: `${one.participant}: ${one.subject}`,
          about: "tokens",
          seq: one.seq,
          values: { until: String(one.expires), connections: one.connections.join(", ") },
        },
      ]),
    ]),

  rules: ({ rules }) => facts(rules.map((/** @type {Rule} */ rule) => [ruleKey(rule), { title: rule.text, about: "rules", values: {} }])),

  object: () => facts([]),
};

/** @param {Rule} rule */
export const ruleKey = ({ table, text }) => `${table} ${text}`;
/** @param {any} one */
export const certificateKey = (one) => `certificate/${one.participant}/${one.role}/${one.subject}/${one.notAfter}`;
/** @param {any} one */
export const tokenKey = (one) => `token/${one.participant}/${one.subject}/${one.expires}`;
