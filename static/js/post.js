/** Posting a form of this site: what the server's pages take, answered as JSON. */

/**
 * Post, and give the answer. An error whose message is for people where it is refused; any other where nothing came back.
 * @param {string} path @param {Record<string, string>} [form] @returns {Promise<any>}
 */
export async function post(path, form = {}) {
  const token = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=csrfmiddlewaretoken]"))?.value ?? "";
  const response = await fetch(path, {
    method: "POST",
    headers: { "X-CSRFToken": token, Accept: "application/json" },
    body: new URLSearchParams(form),
  });
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer.message);
  return answer;
}

export class Refusal extends Error {}
