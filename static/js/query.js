/**
 * The grammar of the find box. Pure: a line is read into terms, a query tests entries, and both say themselves in words.
 *
 * A line is a list of terms that all must hold, in any order. A term is a word, or a key with a value; `-` before it says
 * that it must not hold; quotes keep spaces together. A text is looked for anywhere in the field, whatever its case, with
 * `*` for anything between its pieces; `=` before it wants the whole field. Numbers take `>=` `<=` `>` `<` `=`, and a
 * status its class too, `4xx`. There are no regular expressions: each test is linear in the text it looks at.
 *
 *     kubelet worker-1              both words, anywhere in what an entry says
 *     resource:pods/binding h6jm7   requests to that subresource, with a word
 *     status:>=400 -lane:etcd       refusals and failures, but none of etcd
 *     object:default/web            what is about that object, and not about web-1
 *     body:nginx                    with that text in its body, which the cluster looks through (`questionsOf`)
 *     state:pod/web-*=Ready         with which an object came into a state, which the cluster knows too
 *     cause:812  chain:812          what followed from #812; what led to it
 *     rest:folded                   what does not fit is folded, not left out
 *     #812                          no filter: a place to go to
 *     > fold                        no filter: a command of the page
 *
 * Plain words of three letters and more are looked for in bodies too, unless they are excluded. What the cluster has
 * answered comes in `answers`; a body that it has not come to holds nothing.
 *
 * A test depends on an entry and those before it only, so that a plan can be extended entry by entry. `chain:` alone looks
 * back from an entry that must have come (`needs`). What is not understood is left out and told (`problems`); a key that
 * there is not makes a plain word, since colons are common in what is looked for.
 */
import { chainOf } from "./causes.js";
import { familyOf } from "./shapes.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {"word" | "lane" | "from" | "to" | "kind" | "verb" | "resource" | "namespace" | "object" | "status" | "user" | "body" | "state" | "connection" | "layer" | "time" | "seq" | "cause" | "chain" | "has" | "rest"} Key */
/** @typedef {{key: Key, value: string, not: boolean}} Term  `value` as it was typed, without quotes */
/** @typedef {{problem: string, values: Record<string, string>}} Problem  a word of the page, `find.problem.…` */
/** @typedef {{entries?: readonly Entry[], say?: (entry: Entry) => string, answers?: import("./answers.js").Found}} Ground  `entries`: the journal, by seq; `say`: entries as sentences; `answers`: what the cluster has found, by question */
/** @typedef {(entry: Entry) => boolean} Test */
/** @typedef {{terms: Term[], jump: number | null, folds: boolean, needs: number, problems: Problem[], canonical: string}} Query
 *   `jump`: the entry that the line as a whole names; `folds`: the rest is folded; `canonical`: the same for lines that mean the same */

/** What a page takes; rooms carry as much (position.js). */
export const LINE_MAX = 256;
const TERMS_MAX = 24;
/** Of what is looked for in bodies. */
const BODY_TEXT_MAX = 100;
const BODY_WORD_MIN = 3;
const REMEMBERED_MAX = 4000;
const STATE_MAX = 200;
/** Kind, namespace where it is said, name, state. */
const STATE = /^([^/=\s]+)\/(?:([^/=\s]*)\/)?([^/=\s]+)=([a-z]+)$/i;
const LAYERS = ["story", "http", "tls", "tcp"];
/** What `has:` asks for. @type {Record<string, Test>} */
const HAS = {
  error: failed,
  answer: (entry) => entry.replyTo !== null,
  command: (entry) => entry.kind === "command.started",
  fault: (entry) => entry.kind === "fault.started" || entry.kind === "fault.ended",
  heartbeat: (entry) => entry.heartbeat,
};
export const VALUES = { layer: LAYERS, has: Object.keys(HAS), rest: ["folded"] };

/** Did something go wrong here? @param {Entry} entry */
export function failed({ kind, to, arrived, fields }) {
  if (to !== null && arrived === null) return true;
  if (kind === "http.response") return fields.status >= 400;
  if (kind === "grpc.response") return fields.message !== undefined && fields.status !== "OK";
  if (kind === "command.finished") return Boolean(fields.exitCode);
  return FAILURES.has(kind) || (kind === "watch.event" && fields.type === "ERROR");
}
const FAILURES = new Set(["tls.alert", "tcp.rst", "tcp.lost", "udp.lost", "icmp.unreachable", "process.failed", "gateway.refused"]);

// -- Reading ----------------------------------------------------------------------------------------------------------

const QUOTE = '"';

/** The pieces between spaces, quotes kept together, with where they begin and end. @param {string} line @returns {{text: string, from: number, to: number}[]} */
export function pieces(line) {
  /** @type {{text: string, from: number, to: number}[]} */
  const found = [];
  let from = -1;
  let quoted = false;
  for (let at = 0; at <= line.length; at += 1) {
    const letter = line[at];
    if (letter === QUOTE) quoted = !quoted;
    const between = letter === undefined || (!quoted && /\s/.test(letter));
    if (from < 0 && !between) from = at;
    if (from >= 0 && between) {
      found.push({ text: line.slice(from, at), from, to: at });
      from = -1;
    }
  }
  return found;
}

/** A piece as what it says: its key where there is such a key. @param {string} piece @returns {{not: boolean, key: Key, named: string, value: string}} */
function parted(piece) {
  const not = piece.length > 1 && piece.startsWith("-");
  const said = not ? piece.slice(1) : piece;
  const colon = said.indexOf(":");
  const named = colon > 0 && !said.slice(0, colon).includes(QUOTE) ? said.slice(0, colon).toLowerCase() : "";
  const known = Object.hasOwn(TESTS, named) && named !== "word";
  const value = (known ? said.slice(colon + 1) : said).replaceAll(QUOTE, "").trim();
  return { not, key: /** @type {Key} */ (known ? named : "word"), named: known ? "" : named, value };
}

/** Does the line name a command of the page instead? @param {string} line */
export const isCommand = (line) => line.startsWith(">");

/** @param {string} line @returns {Query} */
export function parse(line) {
  /** @type {Problem[]} */
  const problems = [];
  /** @type {Term[]} */
  const terms = [];
  const tell = (/** @type {string} */ problem, /** @type {Record<string, string>} */ values = {}) => problems.push({ problem, values });
  if (isCommand(line)) return { terms, jump: null, folds: false, needs: 0, problems, canonical: "" };
  if (line.length > LINE_MAX) tell("long", { most: String(LINE_MAX) });
  const found = pieces(line.slice(0, LINE_MAX));
  const alone = found.length === 1 ? /^(?:#|seq:#?)(\d{1,9})$/.exec(found[0].text) : null;
  if (alone) return { terms, jump: Number(alone[1]), folds: false, needs: 0, problems, canonical: "" };
  for (const { text } of found.slice(0, TERMS_MAX)) {
    const { not, key, named, value } = parted(text);
    if (value === "" || value === "=") continue; // is still being typed
    if (named && /^[a-z]+$/.test(named)) tell("key", { key: named, value });
    const problem = TESTS[key].wrong?.(value);
    if (problem) tell(problem, { key, value });
    else terms.push({ key, value, not });
  }
  if (found.length > TERMS_MAX) tell("many", { most: String(TERMS_MAX) });
  const folds = terms.some(({ key }) => key === "rest");
  const asking = terms.filter(({ key }) => key !== "rest");
  const needs = Math.max(0, ...asking.filter(({ key }) => key === "chain").map(({ value }) => numbered(value)));
  const canonical = terms
    .map(written)
    .map((text) => text.toLowerCase())
    .sort()
    .join(" ");
  return { terms: asking, jump: null, folds: folds && asking.length > 0, needs, problems, canonical };
}

/** A term as it would be typed. @param {Term} term */
export function written({ key, value, not }) {
  const text = (key === "word" ? /[\s:]|^[-#>]/ : /\s/).test(value) ? `"${value}"` : value;
  return `${not ? "-" : ""}${key === "word" ? text : `${key}:${text}`}`;
}

/** A line with a term added, or without it where it has it. @param {string} line @param {string} term */
export function toggled(line, term) {
  const texts = pieces(line).map(({ text }) => text);
  const rest = texts.filter((text) => text !== term);
  return (rest.length === texts.length ? [...texts, term] : rest).join(" ");
}

// -- Asking -----------------------------------------------------------------------------------------------------------

/** The question to the cluster that a term is, null where the page can tell by itself. @param {Term} term @returns {string | null} */
function questionOf({ key, value, not }) {
  if (key === "state") return `state:${value.toLowerCase()}`;
  const text = value.replaceAll("*", "");
  const asks = key === "body" || (key === "word" && !not && text.length >= BODY_WORD_MIN && value.length <= BODY_TEXT_MAX);
  return asks ? `body:${value.toLowerCase()}` : null;
}

/** What is to be asked of the cluster for a query (answers.js), the same for lines that mean the same; for words too, unless told not to. @param {Query} query @param {{words?: boolean}} [how] @returns {string[]} */
export function questionsOf({ terms }, { words = true } = {}) {
  const asking = terms.filter(({ key }) => words || key !== "word").map(questionOf);
  return [...new Set(asking.filter((question) => question !== null))].sort();
}

// -- Testing ----------------------------------------------------------------------------------------------------------

/** One test of all that a query asks; null where it asks nothing. @param {Query} query @param {Ground} [ground] @returns {Test | null} */
export function compile({ terms }, ground = {}) {
  if (terms.length === 0) return null;
  // Cheap tests first: what looks at fields before what puts a text together.
  const words = terms.filter(({ key }) => key === "word");
  const tests = terms
    .filter(({ key }) => key !== "word")
    .map((term) => {
      const test = TESTS[term.key].test(term.value, ground);
      return term.not ? (/** @type {Entry} */ entry) => !test(entry) : test;
    });
  if (words.length > 0) tests.push(wordsTest(words, ground));
  return tests.length === 1 ? tests[0] : (entry) => tests.every((test) => test(entry));
}

/** @param {Term[]} words @param {Ground} ground @returns {Test} */
function wordsTest(words, ground) {
  const wanted = words.map((term) => ({ holds: wordTest(term, ground), not: term.not }));
  return (entry) => wanted.every(({ holds, not }) => holds(entry) !== not);
}

/** A plain word is looked for in each of an entry's texts. To say an entry takes longer than all else, so its sentence comes last. @param {Term} term @param {Ground} ground @returns {Test} */
function wordTest(term, { say, answers }) {
  const holds = within(term.value);
  const known = remembered(holds);
  const found = answers?.get(questionOf(term) ?? "");
  const isError = holds("error");
  const mayBeNumber = /[#\d]/.test(term.value);
  return (entry) => {
    const { seq, label, from, to, kind, fields } = entry;
    return (
      known(label) ||
      known(from) ||
      known(to) ||
      known(kind) ||
      known(familyOf(entry)) ||
      (fields.name !== undefined && known(`${fields.resource ?? ""} ${fields.namespace ?? ""}/${fields.name}`)) ||
      known(fields.path) ||
      known(fields.text) ||
      (isError && failed(entry)) ||
      (mayBeNumber && holds(`#${seq}`)) ||
      found?.has(seq) === true ||
      (say !== undefined && holds(say(entry).toLowerCase()))
    );
  };
}

/** The same few texts stand in many entries: what a test says of one is remembered. @param {(text: string) => boolean} holds @returns {(text: unknown) => boolean} */
function remembered(holds) {
  /** @type {Map<string, boolean>} */
  const known = new Map();
  return (text) => {
    if (typeof text !== "string") return false;
    let it = known.get(text);
    if (it === undefined) {
      if (known.size >= REMEMBERED_MAX) known.clear();
      it = holds(text.toLowerCase());
      known.set(text, it);
    }
    return it;
  };
}

/** Whether a text in lower case holds the pieces between the `*`, in this order: the first place of each is as good as any. @param {string} pattern @returns {(text: string) => boolean} */
function within(pattern) {
  const wanted = pattern.toLowerCase().split("*").filter(Boolean);
  if (wanted.length === 1) return (text) => text.includes(wanted[0]);
  return (text) => {
    let at = 0;
    for (const piece of wanted) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return true;
  };
}

/** Whether a text in lower case is the pattern from its beginning to its end. @param {string} pattern @returns {(text: string) => boolean} */
function whole(pattern) {
  const wanted = pattern.toLowerCase();
  if (!wanted.includes("*")) return (text) => text === wanted;
  const [head, ...rest] = wanted.split("*");
  const tail = rest.pop() ?? "";
  const middle = within(rest.join("*"));
  return (text) =>
    text.length >= head.length + tail.length &&
    text.startsWith(head) &&
    text.endsWith(tail) &&
    middle(text.slice(head.length, text.length - tail.length));
}

/** How a typed text is looked for in a field. @param {string} value @returns {(text: unknown) => boolean} */
function texts(value) {
  const holds = value.startsWith("=") ? whole(value.slice(1)) : within(value);
  return (text) => typeof text === "string" && holds(text.toLowerCase());
}

const COMPARED = /^(>=|<=|>|<|=)?(.+)$/;

/** @param {string} value @param {(text: string) => number} read @returns {((number: number) => boolean) | null} */
function numbers(value, read) {
  const [, how = "=", text] = COMPARED.exec(value) ?? [];
  const limit = read(text ?? "");
  if (Number.isNaN(limit)) return null;
  if (how === ">=") return (number) => number >= limit;
  if (how === "<=") return (number) => number <= limit;
  if (how === ">") return (number) => number > limit;
  if (how === "<") return (number) => number < limit;
  return (number) => number === limit;
}

/** `17` and `#17`. @param {string} text */
const numbered = (text) => (/^#?\d{1,9}$/.test(text) ? Number(text.replace("#", "")) : Number.NaN);

/** Seconds: `3.2`, `3.2s`, `1:20` and `1:02:03.5`, as the time beside the rows. @param {string} text */
const seconds = (text) =>
  /^(?:\d{1,6}:){0,2}\d{1,9}(?:\.\d{1,9})?s?$/.test(text)
    ? text
        .replace("s", "")
        .split(":")
        .reduce((sum, part) => sum * 60 + Number(part), 0)
    : Number.NaN;

const isNumber = (/** @type {string} */ value) => (numbers(value, numbered) ? null : "number");
const isPlace = (/** @type {string} */ value) => (Number.isNaN(numbered(value)) ? "place" : null);
/** @param {readonly string[]} allowed @returns {(value: string) => string | null} */
const isOneOf = (allowed) => (value) => (allowed.includes(value.toLowerCase()) ? null : "value");

/** @param {string} value @returns {Test} */
function aboutResource(value) {
  const slash = value.indexOf("/");
  const resource = texts(slash < 0 ? value : value.slice(0, slash));
  if (slash < 0) return ({ fields }) => resource(fields.resource);
  const sub = texts(value.slice(slash + 1));
  return ({ fields }) => resource(fields.resource) && sub(fields.subresource);
}

/** `web` is in its name; `default/web` is its namespace and its name. @param {string} value @returns {Test} */
function aboutObject(value) {
  const slash = value.indexOf("/");
  const part = slash < 0 ? texts(value) : texts(`=${value.slice(slash + 1)}`);
  const namespace = slash > 0 ? texts(`=${value.slice(0, slash).replace("=", "")}`) : () => true;
  return ({ fields }) => part(fields.name) && namespace(fields.namespace);
}

/** @param {string} value @returns {Test} */
function ofStatus(value) {
  const group = /^([1-5])xx$/i.exec(value);
  if (group) return ({ fields }) => Math.floor(fields.status / 100) === Number(group[1]);
  const number = numbers(value, (text) => (/^\d{1,3}$/.test(text) ? Number(text) : Number.NaN));
  if (number) return ({ fields }) => typeof fields.status === "number" && number(fields.status);
  const named = texts(value);
  return ({ fields }) => named(fields.status) || named(fields.reason);
}

/** What follows from an entry, and it itself: whose causes lead back to it. @param {string} value @param {Ground} ground @returns {Test} */
function followsFrom(value, { entries = [] }) {
  const root = numbered(value);
  return (entry) => {
    let at = entry;
    while (at && at.seq > root && at.cause) at = entries[at.cause - 1];
    return at?.seq === root;
  };
}

/** What led to an entry, and it itself. @param {string} value @param {Ground} ground @returns {Test} */
function ledTo(value, { entries = [] }) {
  const end = numbered(value);
  /** @type {Set<number> | null} */
  let chain = null;
  return ({ seq }) => {
    if (seq > end || entries.length < end) return false;
    chain ??= new Set(chainOf(entries, end).map((entry) => entry.seq));
    return chain.has(seq);
  };
}

/** @param {(entry: Entry) => unknown} field @returns {{test: (value: string) => Test}} */
const text = (field) => ({
  test: (value) => {
    const holds = texts(value);
    return (entry) => holds(field(entry));
  },
});

/** @param {(entry: Entry) => number | null} field @param {(text: string) => number} read @returns {{test: (value: string) => Test}} */
const number = (field, read) => ({
  test: (value) => {
    const holds = numbers(value, read) ?? (() => false);
    return (entry) => {
      const it = field(entry);
      return it !== null && holds(it);
    };
  },
});

/** The keys, in the order in which help tells them: how a value is tested, and what is wrong with one. @type {Record<Key, {test: (value: string, ground: Ground) => Test, wrong?: (value: string) => string | null}>} */
const TESTS = {
  word: { test: (value, ground) => wordsTest([{ key: "word", value, not: false }], ground) },
  lane: {
    test: (value) => {
      const holds = texts(value);
      return ({ from, to }) => holds(from) || (to !== null && holds(to));
    },
  },
  from: text(({ from }) => from),
  to: text(({ to }) => to),
  resource: { test: aboutResource },
  object: { test: aboutObject },
  namespace: text(({ fields }) => fields.namespace),
  verb: {
    test: (value) => {
      const holds = texts(value);
      return ({ fields }) => holds(fields.verb) || holds(fields.operation) || holds(fields.method);
    },
  },
  status: { test: ofStatus },
  has: { test: (value) => HAS[value.toLowerCase()], wrong: isOneOf(VALUES.has) },
  kind: text(({ kind }) => kind),
  user: {
    test: (value) => {
      const holds = texts(value);
      return ({ fields }) => holds(fields.certificate) || holds(fields.user);
    },
  },
  body: {
    test: (value, { answers }) => {
      const found = answers?.get(`body:${value.toLowerCase()}`);
      return ({ seq }) => found?.has(seq) ?? false;
    },
    wrong: (value) => (value.length > BODY_TEXT_MAX || !value.replaceAll("*", "") ? "text" : null),
  },
  state: {
    test: (value, { answers }) => {
      const found = answers?.get(`state:${value.toLowerCase()}`);
      return ({ seq }) => found?.has(seq) ?? false;
    },
    wrong: (value) => (value.length <= STATE_MAX && STATE.test(value) ? null : "state"),
  },
  cause: { test: followsFrom, wrong: isPlace },
  chain: { test: ledTo, wrong: isPlace },
  connection: { ...number((entry) => entry.connection, numbered), wrong: isNumber },
  layer: { ...text((entry) => entry.layer), wrong: isOneOf(LAYERS) },
  time: {
    ...number((entry) => entry.arrived ?? entry.at, seconds),
    wrong: (value) => (numbers(value, seconds) ? null : "time"),
  },
  seq: { ...number((entry) => entry.seq, numbered), wrong: isNumber },
  rest: { test: () => () => true, wrong: isOneOf(VALUES.rest) },
};

/** The keys there are. */
export const KEYS = /** @type {Key[]} */ (Object.keys(TESTS).filter((key) => key !== "word"));

// -- Saying -----------------------------------------------------------------------------------------------------------

/** A query in words, "" where it asks nothing. @param {Query} query @param {(key: string, values?: Record<string, any>) => string} t */
export function inWords({ terms, folds }, t) {
  if (terms.length === 0) return "";
  const said = terms.map(({ key, value, not }) => {
    const [, kind, namespace, name, state] = (key === "state" && STATE.exec(value)) || [];
    const one = `${kind} ${namespace ? `${namespace}/` : ""}${name}`;
    const phrase = t(`find.said.${key}`, { value: shown(value, t), one, state });
    return not ? t("find.said.not", { phrase }) : phrase;
  });
  return t(folds ? "find.folded" : "find.only", { terms: said.join(", ") });
}

const SIGNS = { ">=": "≥ ", "<=": "≤ ", ">": "> ", "<": "< ", "=": "= " };

/** @param {string} value @param {(key: string, values?: Record<string, any>) => string} t */
function shown(value, t) {
  const [, how, text] = COMPARED.exec(value) ?? [];
  const sign = SIGNS[/** @type {keyof typeof SIGNS} */ (how)] ?? "";
  return /^[#\d]/.test(text ?? value) ? `${sign}${text ?? value}` : t("find.quoted", { text: text ?? value });
}

// -- Completing -------------------------------------------------------------------------------------------------------

/** @typedef {{text: string, key: Key, whole: boolean}} Option  `whole`: nothing is left to be typed of this term */

/** What may stand where the caret is, best first. @param {string} line @param {number} at @param {(key: Key) => Iterable<string>} values known of a key @param {number} [most] @returns {{from: number, to: number, options: Option[]}} */
export function complete(line, at, values, most = 12) {
  const piece = pieces(line).find(({ from, to }) => from <= at && at <= to) ?? { text: "", from: at, to: at };
  const typed = line.slice(piece.from, at);
  const minus = typed.startsWith("-") ? "-" : "";
  const said = typed.slice(minus.length).toLowerCase();
  const colon = said.indexOf(":");
  const key = /** @type {Key} */ (said.slice(0, Math.max(0, colon)));
  /** @type {Option[]} */
  let options;
  if (KEYS.includes(key)) {
    const needle = said
      .slice(colon + 1)
      .replaceAll(QUOTE, "")
      .replace(/^=/, "");
    options = among(values(key), needle).map((value) => ({ text: minus + written({ key, value, not: false }), key, whole: true }));
  } else if (colon >= 0 || said.includes(QUOTE)) options = [];
  else {
    options = KEYS.filter((one) => one.startsWith(said)).map((one) => ({ text: `${minus}${one}:`, key: one, whole: false }));
    if (said.length >= 2)
      for (const one of /** @type {Key[]} */ (["lane", "object", "resource", "verb"]))
        for (const value of among(values(one), said).slice(0, 4))
          options.push({ text: minus + written({ key: one, value, not: false }), key: one, whole: true });
  }
  return { from: piece.from, to: piece.to, options: options.filter((option) => option.text !== piece.text).slice(0, most) };
}

/** Those that hold a text, those first that begin with it. @param {Iterable<string>} values @param {string} needle */
function among(values, needle) {
  const found = [...values].filter((value) => value.toLowerCase().includes(needle));
  return found.sort((one, other) => Number(other.toLowerCase().startsWith(needle)) - Number(one.toLowerCase().startsWith(needle)));
}
