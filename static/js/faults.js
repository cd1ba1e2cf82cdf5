/**
 * What can be broken, as the page knows it. Pure: the form shows what is worked out here.
 *
 * The server says which faults there are and within which bounds their fields are (`GET /faults/`); the page adds the
 * words, the groups and, for fields that name a host or a component, the cluster's cast as choices. A person thinks of
 * when it begins and how long it lasts; a record holds `start` and `end`, both in seconds from the injection.
 */
/**
 * @typedef {{name: string, default: any, type: "component" | "host" | "number" | "choice" | "text", programs?: string[], worker?: boolean,
 *   least?: number, most?: number, optional?: boolean, values?: any[], lengthMax?: number, empty?: boolean}} Field
 * @typedef {{name: string, fields: Field[]}} Fault
 * @typedef {import("./lanes.js").Cast} Cast
 * @typedef {Record<string, string>} Values  what stands in the form, `delay` and `duration` among it
 * @typedef {{key: string, values?: Record<string, any>}} Problem  words to say it with
 */

/** @type {Record<string, string[]>} */
const GROUPS = {
  components: ["stop", "kill", "restart", "slow", "api-server-down", "etcd-down"],
  links: ["power-off", "clock-skew", "pressure", "partition", "latency", "jitter", "loss", "bandwidth", "reset", "half-open"],
  certificates: [
    "certificate-expired",
    "certificate-not-yet-valid",
    "certificate-unknown-authority",
    "certificate-wrong-identity",
    "certificate-missing",
    "serving-certificate-wrong-name",
    "tls-mismatch",
    "token-refused",
    "bootstrap-token-expired",
    "node-name-taken",
    "binding-revoked",
  ],
  requests: ["request-refused", "answer-lost", "watch-dropped", "slow-watcher", "stale-cache"],
  storage: ["etcd-compacted", "etcd-slow-disk", "etcd-no-space", "etcd-restored"],
  workloads: ["image-not-found", "crash-loop", "out-of-memory", "hang"],
  storylines: ["storyline"],
};
/** Over as soon as they have happened: nothing to wait for, nothing to heal. */
const AT_ONCE = new Set(["restart", "reset", "half-open", "etcd-compacted", "etcd-restored", "watch-dropped"]);
/** Told by `delay` and `duration`, or of no use to a person. */
const NOT_ASKED = new Set(["start", "end", "seed"]);
const SECONDS_MAX = 86_400;

/** The faults by group, in the order in which they are shown; what has no group yet comes last. @param {readonly Fault[]} faults */
export function grouped(faults) {
  const known = new Set(Object.values(GROUPS).flat());
  const groups = Object.entries(GROUPS).map(([group, names]) => ({
    group,
    faults: names.flatMap((name) => faults.find((fault) => fault.name === name) ?? []),
  }));
  const others = faults.filter((fault) => !known.has(fault.name));
  return [...groups, { group: "other", faults: others }].filter((group) => group.faults.length > 0);
}

/** The fields a person fills in. @param {Fault} fault */
export const askedFields = (fault) => fault.fields.filter((field) => !NOT_ASKED.has(field.name));

/** @param {Fault} fault */
export const lasts = (fault) => !AT_ONCE.has(fault.name);

/** What a field may be in this cluster; null where any text or number goes. @param {Field} field @param {Cast} cast @returns {string[] | null} */
export function choicesOf(field, { people, hosts, workers, components }) {
  if (field.type === "choice") return (field.values ?? []).map(String);
  if (field.type === "component") {
    const programs = field.programs ?? [];
    return components.filter((one) => programs.length === 0 || programs.includes(one.slice(one.indexOf("/") + 1)));
  }
  if (field.type !== "host") return null;
  if (field.worker) return [...workers];
  return field.name === "peer" ? [...hosts, ...people] : [...hosts];
}

/** What the form begins with. The target is the last worker or its kubelet where that goes: much is to be seen, and not all is lost. @param {Fault} fault @param {Cast} cast @returns {Values} */
export function firstValues(fault, cast) {
  const entries = askedFields(fault).map((field) => {
    const choices = choicesOf(field, cast);
    const worker = cast.workers.findLast((host) => choices?.some((choice) => choice.split("/")[0] === host));
    const first = choices?.find((choice) => choice.split("/")[0] === worker) ?? choices?.[0] ?? "";
    return [field.name, field.default === null || (choices && !choices.includes(String(field.default))) ? first : String(field.default)];
  });
  /** @type {Values} */
  const values = Object.fromEntries(entries);
  const peer = askedFields(fault).find((field) => field.name === "peer");
  if (peer && values.peer === values.target) values.peer = choicesOf(peer, cast)?.find((choice) => choice !== values.target) ?? "";
  return { ...values, delay: "", duration: "" };
}

/** What stays in a form when the cast becomes another: what is possible there too. @param {Fault} fault @param {Values} values @param {Cast} cast @returns {Values} */
export function keptValues(fault, values, cast) {
  const problems = problemsOf(fault, values, cast);
  const kept = Object.entries(values).filter(([name]) => !problems[name]);
  return { ...firstValues(fault, cast), ...Object.fromEntries(kept) };
}

/** What is wrong with a form, by field; nothing where it can be sent. @param {Fault} fault @param {Values} values @param {Cast} cast @returns {Record<string, Problem>} */
export function problemsOf(fault, values, cast) {
  /** @type {Record<string, Problem>} */
  const problems = {};
  for (const field of askedFields(fault)) {
    const problem = problemOf(field, (values[field.name] ?? "").trim(), cast);
    if (problem) problems[field.name] = problem;
  }
  if (values.delay && !within(values.delay, 0, SECONDS_MAX))
    problems.delay = { key: "fault.problem.number", values: { least: 0, most: SECONDS_MAX } };
  if (values.duration && !(within(values.duration, 0, SECONDS_MAX) && Number(values.duration) > 0))
    problems.duration = { key: "fault.problem.number", values: { least: 1, most: SECONDS_MAX } };
  if (values.target && values.target === values.peer) problems.peer = { key: "fault.problem.same" };
  return problems;
}

/** @param {Field} field @param {string} text @param {Cast} cast @returns {Problem | null} */
function problemOf(field, text, cast) {
  const choices = choicesOf(field, cast);
  if (choices) return choices.includes(text) ? null : { key: "fault.problem.choice" };
  if (field.type === "number") {
    const { least = 0, most = Infinity } = field;
    return (text === "" && field.optional) || within(text, least, most) ? null : { key: "fault.problem.number", values: { least, most } };
  }
  if (text === "") return field.empty ? null : { key: "fault.problem.empty" };
  return text.length > (field.lengthMax ?? Infinity) ? { key: "fault.problem.long", values: { most: field.lengthMax } } : null;
}

/** @param {string} text @param {number} least @param {number} most */
const within = (text, least, most) => text.trim() !== "" && Number.isFinite(Number(text)) && Number(text) >= least && Number(text) <= most;

/** The record that a filled-in form stands for. @param {Fault} fault @param {Values} values @returns {Record<string, any>} */
export function recordOf(fault, values) {
  /** @type {Record<string, any>} */
  const record = { name: fault.name };
  for (const field of askedFields(fault)) record[field.name] = typed(field, (values[field.name] ?? "").trim());
  const start = Number(values.delay) || 0;
  if (start) record.start = start;
  if (values.duration && lasts(fault)) record.end = start + Number(values.duration);
  return record;
}

/** @param {Field} field @param {string} text */
function typed(field, text) {
  if (field.type === "number") return text === "" ? null : Number(text);
  if (field.type === "choice") return (field.values ?? []).find((value) => String(value) === text) ?? text;
  return text;
}
