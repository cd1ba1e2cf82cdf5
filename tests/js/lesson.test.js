/** A lesson on the page: what is shown, what is asked first, when the cluster goes on, and when the reader has wandered off. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../static/js/actions.js";
import { askedAt, hintWait } from "../../static/js/lesson/hints.js";
import { keepProgress } from "../../static/js/lesson/keep.js";
import { createLesson } from "../../static/js/lesson/lesson.js";
import {
  answerOf,
  askedIn,
  firstDraft,
  mixed,
  moved,
  numberOf,
  othersRight,
  score,
  ticked,
  verdictOf,
} from "../../static/js/lesson/questions.js";
import { captured, laneLines, sequence } from "../../static/js/lesson/sequence.js";
import { hasWandered, viewOf } from "../../static/js/lesson/view.js";
import { createStore } from "../../static/js/store.js";
import { journal } from "./fixtures/journal.js";

const { entries, bootEnd } = journal({ idleSeconds: 20 });
const anchor = (/** @type {number} */ seq) => ({ seq, at: entries[seq - 1].at });
const after = (/** @type {string} */ kind, from = bootEnd) =>
  /** @type {any} */ (entries.find((entry) => entry.seq > from && entry.kind === kind)).seq;
const HELLO = after("tls.client_hello");
const POST = after("http.request");
const REPLY = after("http.response");

/** @type {any} */
const DATA = {
  lesson: "walkthroughs/small",
  slug: "small",
  kind: "walkthrough",
  subject: 5,
  minutes: 3,
  titles: {},
  checks: [],
  ask: [],
  hints: 0,
  solution: [],
  check: [],
  sources: [],
  next: null,
  course: null,
  beats: [
    { id: "hello", layer: "tls", focus: ["workstation/kubectl", "control-plane/kube-apiserver"], open: "records", title: {} },
    { id: "post", layer: "story", focus: [], open: null, question: "guess", title: {} },
    { id: "reply", layer: "story", focus: [], open: null, handOver: { suggest: "kubectl get pods" }, title: {} },
  ],
  questions: [{ id: "guess", kind: "choice", options: ["a", "b"] }],
};
const ANCHORS = { hello: anchor(HELLO), post: anchor(POST), reply: anchor(REPLY) };

/** A page with this lesson and a server that has played as far as `beat`. @param {any} [data] */
function stage(data = DATA) {
  /** @type {any[]} */
  const sent = [];
  const store = createStore({ cluster: { nodes: 2, state: "running" } });
  const send = (/** @type {any} */ frame) => sent.push(frame) > 0;
  const actions = createActions(store, { send });
  store.connection.value = { state: "open", attempt: 0, retryAt: null };
  const lesson = createLesson({ data, store, actions, send });
  /** @param {string | null} beat @param {object} [more] */
  const say = (beat, more = {}) => {
    const order = ["hello", "post", "reply"];
    const names = order.slice(0, order.indexOf(beat ?? "") + 1);
    const anchors = Object.fromEntries(names.map((name) => [name, /** @type {any} */ (ANCHORS)[name]]));
    const head = Math.max(0, ...names.map((name) => anchors[name].seq));
    if (head > store.log.head.peek()) store.log.append(entries.slice(store.log.head.peek(), head));
    lesson.hear(
      /** @type {any} */ ({
        lesson: "walkthroughs/small",
        beat,
        busy: false,
        ready: true,
        lost: null,
        handedOver: false,
        anchors,
        checks: {},
        answers: {},
        hints: 0,
        debriefs: {},
        solved: false,
        ...more,
      }),
    );
  };
  return { store, actions, lesson, sent, say, asked: () => sent.filter((frame) => frame.type === "advance").map((frame) => frame.beat) };
}

test("the first beat is asked for once the server has spoken, and only once", () => {
  const { lesson, say, asked } = stage();
  assert.deepEqual(asked(), []);
  say(null);
  say(null);
  assert.equal(lesson.stage.value, "waiting");
  assert.deepEqual(asked(), ["hello"]);
});

test("entering a beat sets altitude, lanes, cursor, selection and the drawer's tab", () => {
  const { store, lesson, say } = stage();
  store.foldHeartbeats.value = false;
  say("hello");
  assert.equal(lesson.stage.value, "beat");
  assert.deepEqual(
    [
      store.altitude.value,
      [...store.focus.value],
      store.cursor.value,
      store.selected.value,
      store.drawer.value,
      store.tab.value,
      store.foldHeartbeats.value,
    ],
    ["tls", ["workstation/kubectl", "control-plane/kube-apiserver"], HELLO, HELLO, true, "records", true],
  );
  assert.equal(lesson.wandered.value, false);
});

test("a beat's question comes before its text and before the cluster goes on", () => {
  const { store, lesson, say, asked, sent } = stage();
  say("hello");
  lesson.next();
  assert.equal(lesson.stage.value, "question");
  assert.deepEqual(asked(), []);
  assert.equal(store.cursor.value, HELLO, "nothing moves while one thinks");
  assert.equal(lesson.answer("guess", "a"), true);
  assert.deepEqual(sent.at(-1), { type: "advance", beat: "post" });
  assert.deepEqual(sent.at(-2), { type: "answer", question: "guess", answer: "a" });
  say("post", { answers: { guess: { given: "a", right: true, truth: "a" } } });
  assert.equal(lesson.stage.value, "beat");
  assert.equal(store.selected.value, POST);
  assert.equal(store.drawer.value, false);
});

test("a question that is skipped is not asked again", () => {
  const { lesson, say, asked } = stage();
  say("hello");
  lesson.next();
  lesson.skip("guess");
  assert.deepEqual(asked(), ["post"]);
  say("post");
  lesson.previous();
  lesson.next();
  assert.equal(lesson.stage.value, "beat");
});

test("going back asks the cluster for nothing, and going forward again neither", () => {
  const { store, lesson, say, sent } = stage();
  say("hello");
  lesson.next();
  lesson.skip("guess");
  say("post");
  const before = sent.length;
  lesson.previous();
  assert.deepEqual([store.altitude.value, store.selected.value, store.drawer.value], ["tls", HELLO, true]);
  lesson.next();
  assert.deepEqual([store.altitude.value, store.selected.value, store.focus.value.size], ["story", POST, 0]);
  assert.equal(sent.length, before);
});

test("what was reached once stays reached when the lesson is led back, on a page that comes new to it too", () => {
  const { lesson, say, asked } = stage();
  say("hello", { furthest: "post", anchors: { hello: ANCHORS.hello, post: ANCHORS.post } });
  assert.deepEqual([lesson.showing.value, lesson.reached.value, lesson.stage.value], ["post", 1, "waiting"]);
  lesson.show("hello");
  assert.equal(lesson.able.value, true);
  lesson.next();
  assert.equal(lesson.showing.value, "post");
  assert.deepEqual(asked(), [], "nothing is played again");
});

test("a page that is loaded again asks no question that was skipped, and asks the first one when nothing was played", () => {
  const one = stage();
  one.say("post");
  assert.equal(one.lesson.stage.value, "beat", "it was skipped before the page was loaded");
  const two = stage({ ...DATA, beats: [{ ...DATA.beats[1] }, DATA.beats[2]] });
  two.say(null);
  assert.equal(two.lesson.stage.value, "question");
});

test("progress is the furthest beat, wherever the reader looks", () => {
  const { lesson, say } = stage();
  /** @type {any[]} */
  const kept = [];
  keepProgress(lesson, {
    save: (_name, news) => {
      kept.push(news);
      return {};
    },
    now: () => "now",
  });
  say("post");
  lesson.previous();
  assert.equal(lesson.showing.value, "hello");
  assert.deepEqual([kept.at(-1).beat, kept.at(-1).beats], ["post", [2, 3]]);
});

test("nobody goes on while the cluster is busy, and nobody at all who may only watch", () => {
  const { store, lesson, say, asked } = stage();
  say("hello", { busy: true });
  lesson.next();
  assert.equal(lesson.showing.value, "hello");
  say("hello");
  store.cluster.value = { ...store.cluster.value, may: ["see"] };
  lesson.next();
  assert.equal(lesson.showing.value, "hello");
  assert.deepEqual(asked(), []);
});

test("after a lost connection the cluster is asked again for what it has not heard", () => {
  const { store, lesson, say, asked } = stage();
  say(null);
  store.connection.value = { state: "lost", attempt: 1, retryAt: null };
  store.connection.value = { state: "open", attempt: 1, retryAt: null };
  assert.deepEqual(asked(), ["hello", "hello"]);
  assert.equal(lesson.stage.value, "waiting");
});

test("an anchor that did not come is told", () => {
  const { lesson, say } = stage();
  say(null, { lost: "hello" });
  assert.equal(lesson.stage.value, "lost");
});

test("stepping, scrolling, another altitude, another lane, another message: the reader has wandered off, and comes back exactly", () => {
  const { store, actions, lesson, say } = stage();
  say("hello");
  const look = () =>
    JSON.stringify([
      store.altitude.value,
      [...store.focus.value],
      [...store.participants.value],
      store.text.value,
      store.cursor.value,
      store.selected.value,
      store.drawer.value,
      store.tab.value,
    ]);
  const before = look();
  /** @type {Record<string, () => void>} */
  const ways = {
    step: actions.stepBack,
    scroll: () => {
      store.inView.value = false;
    },
    layer: () => {
      store.altitude.value = "tcp";
    },
    lane: () => actions.toggleParticipant("workstation"),
    filter: () => actions.filter("pods"),
    all: actions.clearFilters,
    other: () => actions.move(-1),
    type: () => {
      store.log.append(entries.slice(HELLO, HELLO + 5));
      actions.toLive();
    },
  };
  for (const [way, wander] of Object.entries(ways)) {
    wander();
    assert.equal(lesson.wandered.value, true, way);
    lesson.restore();
    assert.equal(lesson.wandered.value, false, way);
    assert.equal(look(), before, way);
  }
});

test("opening the drawer and unfolding heartbeats is reading, not wandering", () => {
  const { store, actions, lesson, say } = stage();
  say("hello");
  actions.close();
  store.foldHeartbeats.value = false;
  assert.equal(lesson.wandered.value, false);
});

test("while the terminal is the learner's nobody wanders, and the lesson goes on by itself", () => {
  const { store, actions, lesson, say, asked } = stage();
  say("post", { answers: { guess: { given: "a", right: true } }, handedOver: true });
  actions.toLive();
  store.altitude.value = "tcp";
  assert.equal(lesson.wandered.value, false);
  store.log.append(entries.slice(store.log.head.peek(), REPLY));
  say("post", { answers: { guess: { given: "a", right: true } }, anchors: ANCHORS });
  assert.equal(lesson.showing.value, "reply");
  assert.equal(store.selected.value, REPLY);
  assert.deepEqual(asked(), ["reply"], "the server is told that the lesson is there");
  assert.equal(lesson.able.value, false);
  say("reply", { answers: { guess: { given: "a", right: true } } });
  assert.equal(lesson.able.value, true);
});

test("nothing is asked of a lesson that is still being prepared, and a start that failed is told", () => {
  const { lesson, say, asked } = stage();
  say(null, { ready: false, busy: true });
  assert.deepEqual(asked(), []);
  say(null, { ready: false, lost: "start" });
  assert.equal(lesson.stage.value, "lost");
  assert.deepEqual(asked(), []);
});

test("a link shows the entry of its name, once there is one", () => {
  const { store, lesson, say } = stage();
  say("post");
  assert.equal(lesson.reveal("reply"), false);
  assert.equal(lesson.reveal("hello"), true);
  assert.equal(store.selected.value, HELLO);
});

test("the last step finishes the walkthrough, and that is kept", () => {
  const { lesson, say } = stage();
  /** @type {any[]} */
  const kept = [];
  keepProgress(lesson, {
    save: (name, news) => {
      kept.push([name, news]);
      return {};
    },
    now: () => "now",
  });
  assert.equal(kept.length, 0, "nothing is known yet");
  say("reply");
  assert.deepEqual(kept.at(-1), [
    "walkthroughs/small",
    { beat: "reply", beats: [3, 3], hints: 0, answers: { right: 0, total: 0 }, solvedAt: null },
  ]);
  lesson.next();
  assert.equal(lesson.finished.value, true);
  assert.equal(kept[kept.length - 1][1].solvedAt, "now");
  lesson.previous();
  assert.equal(lesson.finished.value, false);
});

test("an exercise is kept as solved when the server says so, with its hints and answers", () => {
  const { lesson } = stage({
    ...DATA,
    kind: "exercise",
    lesson: "exercises/small",
    beats: [],
    checks: [{ id: "noticed" }],
    ask: [{ question: "guess", before: "start" }],
  });
  /** @type {any[]} */
  const kept = [];
  keepProgress(lesson, {
    save: (_name, news) => {
      kept.push(news);
      return {};
    },
    now: () => "now",
  });
  const state = {
    lesson: "exercises/small",
    beat: null,
    busy: false,
    ready: true,
    lost: null,
    handedOver: false,
    anchors: {},
    checks: { noticed: { seq: 3, at: 1 } },
    answers: { guess: { given: "b", right: false, truth: "a" } },
    hints: 2,
    debriefs: {},
    solved: true,
  };
  lesson.hear(/** @type {any} */ (state));
  assert.deepEqual(kept.at(-1), { beat: null, beats: null, hints: 2, answers: { right: 0, total: 1 }, solvedAt: "now" });
  assert.equal(lesson.stage.value, "none");
});

test("an order begins mixed, the same for everybody, and is moved item by item", () => {
  const items = ["a", "b", "c", "d", "e"];
  const first = mixed(items, "handshake");
  assert.deepEqual(first, mixed(items, "handshake"));
  assert.deepEqual([...first].sort(), items);
  for (const seed of ["a", "b", "c", "d"]) for (const list of [items, ["x", "y"]]) assert.notDeepEqual(mixed(list, seed), list);
  assert.deepEqual(mixed(["x"], "s"), ["x"]);
  assert.deepEqual(moved(items, 0, 2), ["b", "c", "a", "d", "e"]);
  assert.deepEqual(moved(items, 4, 0), ["e", "a", "b", "c", "d"]);
  assert.deepEqual(moved(items, 1, 99), ["a", "c", "d", "e", "b"]);
});

test("what is sent has the form that the question asks for", () => {
  /** @type {import("../../static/js/lesson/questions.js").Question} */
  const one = { id: "q", kind: "choice", options: ["a", "b"] };
  assert.equal(answerOf(one, []), null);
  assert.equal(answerOf(one, ticked(one, ["a"], "b")), "b");
  const many = { ...one, many: true };
  assert.deepEqual(ticked(many, ["a"], "a"), []);
  assert.deepEqual(answerOf(many, ticked(many, ["a"], "b")), ["a", "b"]);
  assert.deepEqual(firstDraft({ id: "n", kind: "number" }), "");
  for (const [text, number] of /** @type {[string, number | null][]} */ ([
    ["5", 5],
    [" 5,5 ", 5.5],
    ["-0.25", -0.25],
    ["five", null],
    ["", null],
    ["1e3", null],
    ["1.2.3", null],
  ]))
    assert.equal(numberOf(text), number, text);
});

test("what nobody can know yet is neither right nor wrong", () => {
  assert.equal(verdictOf({ given: 1, right: null }), "pending");
  assert.deepEqual(score({ a: { given: 1, right: true }, b: { given: 1, right: false }, c: { given: 1, right: null } }), {
    right: 1,
    total: 2,
  });
});

test("a view is as its beat says; without one, story and all lanes", () => {
  assert.deepEqual(viewOf({}, 7), { altitude: "story", focus: new Set(), seq: 7, tab: null, foldHeartbeats: true });
  assert.equal(viewOf({}, 7, true).foldHeartbeats, false, "an anchor that is a heartbeat can be seen");
  const view = viewOf({ layer: "tls", focus: ["workstation/kubectl"] }, 7);
  const look = {
    altitude: /** @type {const} */ ("tls"),
    focus: new Set(["workstation/kubectl"]),
    participants: new Set(/** @type {string[]} */ ([])),
    text: " ",
    cursor: null,
    head: 7,
    selected: 7,
    inView: true,
  };
  assert.equal(hasWandered(view, look), false, "the live end is the same place while nothing has come");
  assert.equal(hasWandered(view, { ...look, head: 8 }), true);
});

test("the captured drawing is in the wire's order, with what has not come yet counted", () => {
  const held = { reply: anchor(REPLY), hello: anchor(HELLO) };
  const wire = captured(
    ["reply", "hello", "later"],
    held,
    (seq) => entries[seq - 1],
    (seconds) => `${seconds.toFixed(1)}`,
  );
  assert.deepEqual(
    wire.entries.map((entry) => entry.seq),
    [HELLO, REPLY],
  );
  assert.equal(wire.missing, 1);
  assert.match(wire.messages[1].note ?? "", /^#\d+ · \+/);
  assert.deepEqual(
    sequence([
      { from: "client", to: "server", label: "x" },
      { from: "server", to: null, label: "y" },
    ]),
    {
      lanes: ["client", "server"],
      steps: [
        { from: 0, to: 1, label: "x", note: "", missing: false },
        { from: 1, to: -1, label: "y", note: "", missing: false },
      ],
    },
  );
});

test("a lane's long name takes two lines", () => {
  assert.deepEqual(laneLines("kube-apiserver"), ["kube-apiserver"]);
  assert.deepEqual(laneLines("kube-controller-manager"), ["kube-controller-", "manager"]);
  assert.deepEqual(laneLines("kube-proxy (worker-2)"), ["kube-proxy", "(worker-2)"]);
});

test("hints wait a minute, and questions are asked at their time", () => {
  assert.equal(hintWait(0, 0), 60);
  assert.equal(hintWait(0, 59_001), 1);
  assert.equal(hintWait(0, 61_000), 0);
  assert.deepEqual(
    askedAt(
      [
        { question: "a", before: "start" },
        { question: "b", before: "checks" },
      ],
      "checks",
    ),
    ["b"],
  );
});

const noticed = (/** @type {any} */ lesson) => lesson.notices.list.value.map((/** @type {any} */ one) => `${one.kind} ${one.id}`.trim());
const EXERCISE = { ...DATA, kind: "exercise", lesson: "exercises/small", beats: [], ask: [{ question: "guess", before: "start" }] };
const JUDGED = { guess: { given: "b", right: false, truth: "a", seq: REPLY } };

test("a prediction judged beats after it was made is told where the reader is, until they go on", () => {
  const { lesson, say } = stage();
  say("hello");
  lesson.next();
  lesson.answer("guess", "b");
  say("post", { answers: { guess: { given: "b", right: null } } });
  lesson.next();
  assert.deepEqual(noticed(lesson), []);
  say("reply", { answers: JUDGED });
  assert.equal(lesson.showing.value, "reply");
  assert.deepEqual(noticed(lesson), ["verdict guess"]);
  say("reply", { answers: JUDGED, hints: 1 });
  assert.deepEqual(noticed(lesson), ["verdict guess"], "once");
  lesson.review("guess");
  assert.equal(lesson.showing.value, "post");
  assert.deepEqual(noticed(lesson), []);
});

test("a verdict in view is no news, and neither is what a page hears first", () => {
  const one = stage();
  one.say("hello");
  one.lesson.next();
  one.lesson.answer("guess", "b");
  one.say("post", { answers: JUDGED });
  assert.deepEqual(noticed(one.lesson), [], "it stands where it was asked");
  const two = stage();
  two.say("reply", { answers: JUDGED });
  assert.deepEqual(noticed(two.lesson), []);
});

test("what is judged and was no question of the lesson is told by whoever asked", () => {
  const { lesson, say } = stage({ ...EXERCISE, kind: "incident", ask: [] });
  say(null);
  say(null, { answers: { noticed: { given: true, right: null } } });
  say(null, { answers: { noticed: { given: true, right: false } } });
  assert.deepEqual(noticed(lesson), []);
});

test("a notice can be closed", () => {
  const { lesson, say } = stage();
  say("reply", { answers: { guess: { given: "b", right: null } } });
  say("reply", { answers: JUDGED });
  lesson.notices.dismiss(lesson.notices.list.value[0]);
  assert.deepEqual(noticed(lesson), []);
});

test("an exercise tells what it noticed, and once solved only that", () => {
  const { lesson, say } = stage(EXERCISE);
  const wrong = { debriefs: { drained: anchor(POST) } };
  say(null);
  say(null, wrong);
  say(null, wrong);
  assert.deepEqual(noticed(lesson), ["debrief drained"]);
  say(null, { ...wrong, solved: true });
  assert.deepEqual(noticed(lesson), ["solved"]);
  say(null, { debriefs: { ...wrong.debriefs, late: anchor(REPLY) }, solved: true });
  assert.deepEqual(noticed(lesson), ["solved"], "it does not warn any more");
});

test("an answer of an exercise that is judged at once stands where it was given; one judged later is told", () => {
  const { lesson, say } = stage(EXERCISE);
  say(null);
  say(null, { answers: JUDGED });
  assert.deepEqual(noticed(lesson), []);
  say(null, { answers: { guess: { given: "a", right: null } } });
  say(null, { answers: { guess: { given: "a", right: true } } });
  assert.deepEqual(noticed(lesson), ["verdict guess"]);
});

test("after the last beat the last questions are asked one by one, each with its feedback; then comes the score", () => {
  const CHECK = ["one", "two"].map((id) => ({ id, kind: "choice", options: ["a", "b"] }));
  const { lesson, sent, say } = stage({ ...DATA, check: ["one", "two"], questions: [...DATA.questions, ...CHECK] });
  say("reply");
  lesson.next();
  assert.deepEqual([lesson.finished.value, lesson.check.value, lesson.able.value], [true, "one", false]);
  lesson.answer("one", "a");
  assert.deepEqual(sent.at(-1), { type: "answer", question: "one", answer: "a" });
  say("reply", { answers: { one: { given: "a", right: true, truth: "a", seq: null } } });
  assert.deepEqual([lesson.check.value, lesson.able.value, noticed(lesson)], ["one", true, []], "its feedback is read first");
  lesson.next();
  assert.equal(lesson.check.value, "two");
  lesson.skip("two");
  assert.deepEqual([lesson.finished.value, lesson.check.value, lesson.able.value], [true, null, false]);
  lesson.previous();
  lesson.next();
  assert.equal(lesson.check.value, null, "what was answered or skipped is not asked again");
});

test("a beat's title is told neither before its question nor before it has happened", () => {
  const { lesson, say } = stage({ ...DATA, beats: [{ ...DATA.beats[1] }, DATA.beats[2]] });
  const told = () => lesson.data.beats.map(lesson.told);
  say(null);
  assert.deepEqual(told(), [false, false]);
  lesson.skip("guess");
  assert.deepEqual(told(), [false, false]);
  say("post");
  assert.deepEqual(told(), [true, false]);
  say("post", { anchors: ANCHORS });
  assert.deepEqual(told(), [true, false], "it has happened, and the reader is not there");
});

test("what else was right is the truth without what was chosen, of one answer or several", () => {
  assert.deepEqual(othersRight({ given: "a", right: true, truth: ["a", "b"] }), ["b"]);
  assert.deepEqual(othersRight({ given: "c", right: false, truth: "a" }), ["a"]);
  assert.deepEqual(othersRight({ given: ["a", "c"], right: false, truth: ["a", "b"] }), ["b"]);
  assert.deepEqual(othersRight({ given: "a", right: true, truth: "a" }), []);
  assert.deepEqual(othersRight({ given: "a", right: false }), [], "an exercise may be tried again");
});

test("a lesson's questions come in the order in which they are asked: of its beats, of an exercise, at the end", () => {
  assert.deepEqual(askedIn({ ...DATA, check: ["last"] }), ["guess", "last"]);
  assert.deepEqual(askedIn(EXERCISE), ["guess"]);
});
