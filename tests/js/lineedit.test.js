import assert from "node:assert/strict";
import { test } from "node:test";
import { completed, editLine, searchPast } from "../../static/js/lineedit.js";

test("Ctrl with a, e, u, k and w does to a line what readline does", () => {
  const line = { value: "kubectl get  pods", at: 13 };
  assert.deepEqual(editLine("a", line), { value: line.value, at: 0 });
  assert.deepEqual(editLine("e", line), { value: line.value, at: 17 });
  assert.deepEqual(editLine("u", line), { value: "pods", at: 0 });
  assert.deepEqual(editLine("k", line), { value: "kubectl get  ", at: 13 });
  assert.deepEqual(editLine("w", line), { value: "kubectl pods", at: 8 });
  assert.equal(editLine("x", line), null);
});

test("Alt with b, f and d goes by words, and a place between two is found", () => {
  const line = { value: "kubectl get --all pods", at: 11 };
  assert.deepEqual(editLine("Alt-b", line), { value: line.value, at: 8 });
  assert.deepEqual(editLine("Alt-f", line), { value: line.value, at: 17 });
  assert.deepEqual(editLine("Alt-d", line), { value: "kubectl get pods", at: 11 });
  assert.deepEqual(editLine("Alt-f", { value: "a ", at: 2 }), { value: "a ", at: 2 });
});

test("a search of the past finds the newest line first, each once", () => {
  const past = ["kubectl get nodes", "kubectl get pods", "ls", "kubectl get nodes"];
  assert.equal(searchPast(past, "get", 0), "kubectl get nodes");
  assert.equal(searchPast(past, "get", 1), "kubectl get pods");
  assert.equal(searchPast(past, "get", 9), "kubectl get pods");
  assert.equal(searchPast(past, "nothing", 0), "");
  assert.equal(searchPast(past, "", 0), "");
});

test("a line is completed as far as the words agree", () => {
  assert.equal(completed("kube", 0, ["kubectl"]), "kubectl ");
  assert.equal(completed("kube", 0, ["kubeadm", "kubectl"]), "kube");
  assert.equal(completed("cat we", 4, ["web-1.yaml", "web-2.yaml"]), "cat web-");
  assert.equal(completed("cat /et", 4, ["/etc/"]), "cat /etc/");
  assert.equal(completed("cat x", 4, []), "cat x");
});
