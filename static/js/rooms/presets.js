/**
 * When something is to break: at once, or when a predicate holds (cluster_engine/predicates). Pure.
 *
 * The presets name moments that a class can wait for; whoever wants another writes the predicate as YAML or JSON,
 * and the server alone reads and judges it.
 */

/** @typedef {Record<string, any>} Predicate */

/** @type {Record<string, Predicate>} */
export const MOMENTS = {
  command: { entry: { kind: "command.started" } },
  binding: { entry: { kind: "http.request", fields: { verb: "create", resource: "pods", subresource: "binding" } } },
  pod: { entry: { kind: "http.request", fields: { verb: "create", resource: "pods", subresource: null } } },
  lease: { entry: { kind: "http.request", from: "worker-1/kubelet", fields: { verb: "update", resource: "leases" } } },
};

/** The name of the moment a predicate means, or null when it is somebody's own. @param {Predicate | null} when */
export function momentOf(when) {
  if (when === null) return "now";
  const text = JSON.stringify(when);
  return Object.keys(MOMENTS).find((name) => JSON.stringify(MOMENTS[name]) === text) ?? null;
}
