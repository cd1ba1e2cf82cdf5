/**
 * The tree of the runs that began with one, from the list in which the server gives them, the oldest first. Pure.
 *
 *     a            the original
 *     ├ b          branch 1, left it at 4.2 s
 *     │ └ d        branch 3
 *     └ c          branch 2
 */

/** @typedef {{id: string, url: string, name: string, parent: string | null, at: number | null, seq: number | null,
 *   same: boolean | null, outside: boolean, state: string, me: boolean}} Run  `at` is null of the original */
/** `number`: the how manieth branch it is. @typedef {Run & {number: number, branches: Node[]}} Node */

/** The runs that have left none that is there. @param {Run[]} runs @returns {Node[]} */
export function treeOf(runs) {
  const branches = runs.filter(({ at }) => at !== null);
  const nodes = new Map(runs.map((run) => [run.id, /** @type {Node} */ ({ ...run, number: branches.indexOf(run) + 1, branches: [] })]));
  /** @type {Node[]} */
  const roots = [];
  for (const node of nodes.values()) (nodes.get(node.parent ?? "")?.branches ?? roots).push(node);
  return roots;
}

/** Where a run stands beside the one that the reader is in; the original is the first of the two. @param {string} here @param {Pick<Node, "id" | "number">} node */
export const besideOf = (here, { id, number }) => `/clusters/${number ? here : id}/beside/${number ? id : here}/`;
