/** The links to a run that its owner has made: asked for, made and taken back. */
import { signal } from "@preact/signals-core";

/** @typedef {{token: string, url: string, files: boolean, createdAt: string}} Share */

const csrf = () => /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=csrfmiddlewaretoken]"))?.value ?? "";

/** @param {{url: string, offline: () => string, ask?: typeof fetch, token?: () => string}} parts  `url`: where this run's links are; `offline`: said where nobody answers */
export function createShares({ url, offline, ask = (...request) => fetch(...request), token = csrf }) {
  /** The links, null while they are not known. */
  const list = signal(/** @type {Share[] | null} */ (null));
  const problem = signal("");

  /** @param {string} path @param {RequestInit} request @param {(answer: any) => void} then */
  async function speak(path, request, then) {
    try {
      const answer = await ask(path, { ...request, headers: { Accept: "application/json", "X-CSRFToken": token() } });
      const body = answer.status === 204 ? null : await answer.json();
      problem.value = answer.ok ? "" : body.message;
      if (answer.ok) then(body);
    } catch {
      problem.value = offline();
    }
  }

  return {
    list,
    problem,
    load: () =>
      speak(url, {}, ({ shares }) => {
        list.value = shares;
      }),
    /** @param {boolean} files may it be taken along as files? */
    make: (files) =>
      speak(url, { method: "POST", body: new URLSearchParams(files ? { files: "on" } : {}) }, (made) => {
        list.value = [made, ...(list.peek() ?? [])];
      }),
    /** @param {string} name of the link */
    revoke: (name) =>
      speak(`/shared/${name}/revoke/`, { method: "POST" }, () => {
        list.value = (list.peek() ?? []).filter((share) => share.token !== name);
      }),
  };
}
