import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, createConsole } from "../../static/js/console.js";

function stage() {
  /** @type {any[]} */
  const sent = [];
  let online = true;
  let ids = 0;
  const shell = createConsole({
    send: (frame) => online && sent.push(frame) > 0,
    newId: () => `c${++ids}`,
    isOwn: (id) => id.startsWith("c-"),
  });
  return {
    sent,
    shell,
    offline: (/** @type {boolean} */ off) => {
      online = !off;
    },
  };
}

const textOf = (/** @type {any} */ command) => command.chunks.value.map((/** @type {any} */ chunk) => chunk.text).join("");

test("what is typed while a command runs waits its turn", () => {
  const { sent, shell } = stage();
  shell.run("kubectl get pods");
  shell.run("kubectl get nodes");
  assert.deepEqual(
    sent.map((frame) => frame.line),
    ["kubectl get pods"],
  );
  shell.hear({ type: "done", id: "c1", n: 1, code: 0 });
  assert.deepEqual(
    sent.map((frame) => frame.line),
    ["kubectl get pods", "kubectl get nodes"],
  );
});

test("a line that began jobs lets the next one run once it is over, and goes on until it is stopped", () => {
  const { sent, shell } = stage();
  shell.run("kubectl get pods -w &\nkubectl get nodes && kubectl get pods\nkubectl get leases");
  assert.deepEqual(sent, [{ type: "command", id: "c1", line: "kubectl get pods -w &", keyboard: true }]);
  shell.hear({ type: "background", id: "c1", n: 1, prompt: "worker-1:~$" });
  assert.deepEqual([sent.at(-1)?.line, shell.prompt.value], ["kubectl get nodes && kubectl get pods", "worker-1:~$"]);
  shell.hear({ type: "output", id: "c1", n: 2, stream: "stdout", text: "web\n" });
  assert.equal(textOf(shell.commands.value[0]), "web\n");
  assert.equal(shell.running.value?.id, "c2");
  shell.stop("c1");
  assert.deepEqual(sent.at(-1), { type: "interrupt", id: "c1" });
  assert.deepEqual(shell.waiting.value, ["kubectl get leases"], "the others are left alone");
  shell.hear({ type: "done", id: "c1", n: 3, code: 143, prompt: "worker-1:~$" });
  assert.equal(shell.running.value?.id, "c2");
});

test("a command knows the size of its terminal, once that is known, and hears of it when it changes", () => {
  const { sent, shell } = stage();
  shell.resize(0, 0);
  shell.run("ls");
  assert.deepEqual(sent.at(-1), { type: "command", id: "c1", line: "ls", keyboard: true });
  shell.resize(80.9, 24);
  shell.resize(80, 24);
  assert.deepEqual(sent.slice(1), [{ type: "resize", id: "c1", columns: 80, rows: 24 }]);
  shell.hear({ type: "done", id: "c1", n: 1, code: 0 });
  shell.resize(5000, 30);
  assert.equal(sent.length, 2, "nothing runs");
  shell.run("ls");
  assert.deepEqual(sent.at(-1), { type: "command", id: "c2", line: "ls", keyboard: true, columns: 1000, rows: 30 });
});

test("several pasted lines run one after another, without comments and empty lines", () => {
  const { sent, shell } = stage();
  shell.run("kubectl get pods\n\n# then\nkubectl get nodes\n");
  shell.hear({ type: "done", id: "c1", n: 1, code: 1 });
  assert.deepEqual(
    sent.map((frame) => frame.line),
    ["kubectl get pods", "kubectl get nodes"],
  );
  assert.equal(shell.commands.value[0].code.value, 1);
});

test("an output frame that is said twice is printed once", () => {
  const { shell } = stage();
  shell.run("kubectl get pods -w");
  shell.hear({ type: "output", id: "c1", n: 1, stream: "stdout", text: "a\n" });
  shell.hear({ type: "output", id: "c1", n: 1, stream: "stdout", text: "a\n" });
  assert.deepEqual(shell.heard(), { c1: 1 });
  shell.hear({ type: "output", id: "c1", n: 2, stream: "stdout", text: "b\n" });
  assert.equal(textOf(shell.commands.value[0]), "a\nb\n");
});

test("output whose line was not heard is passed over", () => {
  const { shell } = stage();
  shell.run("kubectl get pods");
  shell.hear({ type: "output", id: "other", n: 1, stream: "stdout", text: "x" });
  assert.equal(textOf(shell.commands.value[0]), "");
});

test("Ctrl-C interrupts what runs and forgets what waits", () => {
  const { sent, shell } = stage();
  shell.run("kubectl get pods -w\nkubectl get nodes");
  shell.interrupt();
  assert.deepEqual(sent.at(-1), { type: "interrupt", id: "c1" });
  shell.hear({ type: "done", id: "c1", n: 1, code: 130 });
  assert.equal(shell.running.value, null);
  assert.equal(sent.length, 2);
});

test("a line typed without a connection is sent when it is back", () => {
  const { sent, shell, offline } = stage();
  offline(true);
  shell.run("kubectl get pods");
  assert.equal(sent.length, 0);
  offline(false);
  shell.resume();
  assert.equal(sent[0].line, "kubectl get pods");
});

test("a command of which nothing was heard before the connection was lost is sent again, one that has begun is not", () => {
  const { sent, shell, offline } = stage();
  shell.run("kubectl get pods -w &");
  shell.hear({ type: "typed", id: "c1", line: "kubectl get pods -w &", by: "page" });
  shell.hear({ type: "background", id: "c1", n: 1, prompt: "workstation:~$" });
  shell.run("kubectl delete pod web");
  const lost = sent.at(-1);
  offline(true);
  shell.run("kubectl get pods");
  offline(false);
  shell.reconnect();
  assert.deepEqual(sent.slice(2), [lost], "and what was typed behind it waits for it still");
  shell.resume();
  assert.equal(sent.length, 3, "once for each connection");
  shell.hear({ type: "typed", id: "c2", line: "kubectl delete pod web", by: "page" });
  shell.reconnect();
  assert.equal(sent.length, 3);
  shell.hear({ type: "done", id: "c2", n: 1, code: 0 });
  assert.equal(sent.at(-1).line, "kubectl get pods");
});

test("a command that is sent again waits until the cluster is there, and is told when its output is gone", () => {
  const { sent, shell, offline } = stage();
  shell.run("kubectl get pods");
  offline(true);
  shell.reconnect();
  offline(false);
  shell.resume();
  assert.deepEqual([sent.length, sent[1]], [2, sent[0]]);
  shell.refuse("c1", "This command was run already; what it printed is not kept any more.");
  shell.reconnect();
  assert.deepEqual([sent.length, shell.running.value], [2, null]);
});

test("a command that came when nobody ran the cluster is sent again once it is back, and ends with it", () => {
  const { sent, shell } = stage();
  shell.run("kubectl get pods");
  assert.equal(shell.postpone("c1"), true);
  assert.equal(shell.running.value?.id, "c1");
  shell.resume();
  assert.deepEqual([sent.length, sent[1]], [2, sent[0]]);
  assert.equal(shell.postpone("c1"), true);
  shell.cut();
  shell.resume();
  assert.deepEqual([sent.length, shell.postpone("c1")], [2, false]);
  shell.run("sleep 9");
  shell.hear({ type: "typed", id: "c2", line: "sleep 9", by: "page" });
  assert.equal(shell.postpone("c2"), false, "it runs, or did");
});

test("endless output keeps its end and forgets its beginning", () => {
  const { shell } = stage();
  shell.run("yes");
  for (let n = 1; n <= 300; n += 1)
    shell.hear({ type: "output", id: "c1", n, stream: n % 2 ? "stdout" : "stderr", text: `${n}`.padEnd(1000, ".") });
  const text = textOf(shell.commands.value[0]);
  assert.equal(text.length, 200_000);
  assert.ok(text.includes("300..."));
  assert.ok(!text.includes("\n"));
});

test("a command the server would not take says so, and the next one runs", () => {
  const { sent, shell } = stage();
  shell.run(`kubectl get pods ${"x".repeat(60_000)}`);
  shell.run("kubectl get nodes");
  shell.refuse("c1", "This message is too long.");
  assert.equal(shell.commands.value[0].code.value, "refused");
  assert.equal(textOf(shell.commands.value[0]), "This message is too long.");
  assert.equal(sent.at(-1).line, "kubectl get nodes");
  shell.hear({ type: "output", id: "c2", n: 1, stream: "stdout", text: "NAME" });
  shell.refuse("c2", "The cluster is busy and gave no answer in time.");
  assert.equal(shell.commands.value[1].code.value, null, "what has begun is not ended by a refused Ctrl-C");
});

test("while a program reads, what is typed goes to it and not to the shell, until it has come to the end", () => {
  const { sent, shell } = stage();
  shell.run("cat; sleep 3");
  assert.deepEqual(sent.at(-1), { type: "command", id: "c1", line: "cat; sleep 3", keyboard: true });
  assert.equal(shell.type("too early"), false);
  shell.hear({ type: "reads", id: "c1", n: 1, reads: true });
  shell.type("a");
  assert.deepEqual(sent.at(-1), { type: "keys", id: "c1", text: "a\n" });
  shell.type("b", { enter: false });
  assert.deepEqual(sent.at(-1), { type: "keys", id: "c1", text: "b" });
  shell.end();
  assert.deepEqual(sent.at(-1), { type: "keys", id: "c1", end: true });
  assert.deepEqual(shell.pastKeys.value, ["a", "b"]);
  assert.deepEqual(shell.past.value, ["cat; sleep 3"], "what a program was told is no command");
  shell.hear({ type: "reads", id: "c1", n: 2, reads: false });
  assert.equal(shell.reading.value, null);
});

test("a text that a program asks to have edited is given back once, or left", () => {
  const { sent, shell, offline } = stage();
  shell.run("edit web.yaml");
  shell.hear({ type: "editing", id: "c1", n: 1, name: "web.yaml", text: "a\n" });
  assert.deepEqual(shell.editing.value?.edits.value, { name: "web.yaml", text: "a\n", problem: "", n: 1 });
  offline(true);
  shell.edited("b\n");
  assert.ok(shell.editing.value, "nothing that was edited is lost with the connection");
  offline(false);
  shell.edited("b\n");
  assert.deepEqual(sent.at(-1), { type: "edited", id: "c1", text: "b\n" });
  assert.equal(shell.editing.value, null);
  shell.hear({ type: "editing", id: "c1", n: 2, name: "web.yaml", text: "b\n", problem: "No space left on device" });
  shell.edited(null);
  assert.deepEqual(sent.at(-1), { type: "edited", id: "c1", text: null });
  shell.hear({ type: "editing", id: "c1", n: 3, name: "web.yaml", text: "b\n" });
  shell.hear({ type: "done", id: "c1", n: 4, code: 130 });
  assert.equal(shell.editing.value, null, "Ctrl-C closes it");
});

test("what was typed on this page before it was reloaded is its own still: it is typed to, and interrupted", () => {
  const { sent, shell } = stage();
  const frames = [
    { type: "typed", id: "other", line: "cat", by: "page" },
    { type: "reads", id: "other", n: 1, reads: true },
    { type: "typed", id: "c-before", line: "cat", by: "page" },
    { type: "reads", id: "c-before", n: 1, reads: true },
  ];
  shell.hear({ type: "terminals", frames });
  assert.equal(shell.reading.value?.id, "c-before");
  shell.type("a");
  assert.deepEqual(sent.at(-1), { type: "keys", id: "c-before", text: "a\n" });
  shell.interrupt();
  assert.deepEqual(sent.at(-1), { type: "interrupt", id: "c-before" });
});

test("what the lesson types is shown, and keeps nobody waiting", () => {
  const { sent, shell } = stage();
  shell.hear({ type: "typed", id: "lesson-1", line: "kubectl get pods -w", by: "lesson" });
  shell.run("kubectl get nodes");
  assert.deepEqual(
    sent.map((frame) => frame.line),
    ["kubectl get nodes"],
  );
  shell.hear({ type: "output", id: "lesson-1", n: 1, stream: "stdout", text: "web\n" });
  shell.hear({ type: "done", id: "lesson-1", n: 2, code: 0 });
  const [theirs, ours] = shell.commands.value;
  assert.deepEqual([theirs.by, theirs.line, textOf(theirs), theirs.code.value], ["lesson", "kubectl get pods -w", "web\n", 0]);
  assert.equal(shell.running.value?.id, ours.id);
  assert.equal(shell.past.value.length, 1, "the arrow keys recall what was typed here");
});

test("a page that was reloaded is told what was typed before, and what it knows only once", () => {
  const { shell } = stage();
  shell.run("kubectl get nodes");
  const frames = [
    { type: "typed", id: "old", line: "kubectl get pods -w", by: "page" },
    { type: "output", id: "old", n: 1, stream: "stdout", text: "web\n" },
    { type: "typed", id: "c1", line: "kubectl get nodes", by: "page" },
    { type: "output", id: "c1", n: 1, stream: "stdout", text: "worker-1\n" },
  ];
  shell.hear({ type: "terminals", frames });
  shell.hear({ type: "terminals", frames });
  assert.deepEqual(
    shell.commands.value.map((one) => [one.id, one.by, textOf(one)]),
    [
      ["c1", "here", "worker-1\n"],
      ["old", "page", "web\n"],
    ],
  );
  assert.deepEqual(shell.heard(), { c1: 1, old: 1 });
});

test("what was cleared away is not said again", () => {
  const { shell } = stage();
  shell.run("kubectl get nodes");
  shell.hear({ type: "done", id: "c1", n: 1, code: 0 });
  shell.clear();
  assert.deepEqual(shell.heard(), { c1: 1 });
  shell.hear({ type: "typed", id: "c1", line: "kubectl get nodes", by: "page" });
  assert.deepEqual(shell.commands.value, []);
});

test("what runs in the background goes on printing, and what is long gone is not shown again, however much is typed", () => {
  const { shell } = stage();
  shell.hear({ type: "typed", id: "watch", line: "kubectl get pods -w", by: "page" });
  for (let i = 0; i < 90; i += 1) {
    shell.hear({ type: "typed", id: `t${i}`, line: "kubectl get nodes", by: "page" });
    shell.hear({ type: "done", id: `t${i}`, n: 1, code: 0 });
  }
  shell.hear({ type: "output", id: "watch", n: 1, stream: "stdout", text: "web\n" });
  assert.equal(textOf(shell.commands.value[0]), "web\n");
  shell.hear({ type: "typed", id: "t0", line: "kubectl get nodes", by: "page" });
  assert.equal(shell.commands.value.length, 91);
  const heard = shell.heard();
  assert.deepEqual([Object.keys(heard).length, heard.watch, heard.t89, "t0" in heard], [64, 1, 1, false]);
});

test("the next line stands behind where the last one has led, and each line keeps its own prompt", () => {
  const { shell } = stage();
  assert.equal(shell.prompt.value, "workstation:~$");
  shell.run("ssh worker-1");
  shell.hear({ type: "done", id: "c1", n: 1, code: 0, prompt: "worker-1:~$" });
  shell.run("hostname");
  shell.hear({ type: "typed", id: "lesson-1", line: "kubectl get nodes", by: "lesson", prompt: "" });
  shell.hear({ type: "done", id: "lesson-1", n: 1, code: 0, prompt: "" });
  shell.hear({ type: "typed", id: "k9", line: "pwd", by: "page", prompt: "worker-1:/etc$" });
  assert.deepEqual(
    shell.commands.value.map((command) => command.prompt),
    ["workstation:~$", "worker-1:~$", "workstation:~$", "worker-1:/etc$"],
  );
  assert.equal(shell.prompt.value, "worker-1:~$");
});

test("what goes on in the next line is pasted as one command", () => {
  const document = "kubectl apply -f - <<EOF\nkind: Pod\n  # a comment of the document\nEOF";
  assert.deepEqual(commandsOf(`${document}\n`), [document]);
  assert.deepEqual(commandsOf("for i in 1 2; do\n  echo $i\ndone"), ["for i in 1 2; do\n  echo $i\ndone"]);
  assert.deepEqual(commandsOf("kubectl get pods \\\n  -o wide"), ["kubectl get pods \\\n  -o wide"]);
  assert.deepEqual(commandsOf("kubectl get pods |\ngrep web"), ["kubectl get pods |\ngrep web"]);
  assert.deepEqual(commandsOf("# a\nkubectl get pods\n\nls"), ["kubectl get pods", "ls"]);
  assert.deepEqual(commandsOf("cat <<EOF"), ["cat <<EOF"], "the shell says what is missing");
});

test("what was said knows after which entry, so that the past can be shown as it was", () => {
  const { shell } = stage();
  shell.run("kubectl get pods -w");
  shell.hear({ type: "typed", id: "c1", line: "kubectl get pods -w", by: "page", after: 100 });
  shell.hear({ type: "output", id: "c1", n: 1, stream: "stdout", text: "a\n", after: 110 });
  shell.hear({ type: "output", id: "c1", n: 2, stream: "stdout", text: "b\n", after: 110 });
  shell.hear({ type: "output", id: "c1", n: 3, stream: "stdout", text: "c\n", after: 120 });
  shell.hear({ type: "done", id: "c1", n: 4, code: 130, after: 130 });
  const [command] = shell.commands.value;
  assert.deepEqual([command.began, command.ended], [100, 130]);
  assert.deepEqual(
    command.chunks.value.map(({ text, after }) => [text, after]),
    [
      ["a\nb\n", 110],
      ["c\n", 120],
    ],
  );
});
