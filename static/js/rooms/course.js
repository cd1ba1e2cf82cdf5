/**
 * Which page somebody in a room belongs on. Pure.
 *
 * A learner has a cluster of their own (`ownUrl`) and, while the instructor leads and they follow, sees the
 * instructor's (`watchUrl`). Where all watch the instructor's cluster anyway, nobody has to go anywhere. After a reset
 * or an undo the same address leads to the successor, so the page is loaded again.
 */

/** @typedef {{room: import("./live.js").Room, me: import("./live.js").Me, watching: boolean, cluster: string, ownUrl: string, watchUrl: string}} Standing */

/** The address to go to, or null to stay. @param {Standing} standing @returns {string | null} */
export function courseOf({ room, me, watching, cluster, ownUrl, watchUrl }) {
  const instructors = room.cluster !== null && cluster === room.cluster;
  if (me.role === "instructor") return room.cluster && !instructors ? watchUrl : null;
  if (room.mode === "shared") return room.cluster && !instructors ? ownUrl : null;
  const follows = room.leading && me.follows && room.cluster !== null;
  if (follows) return instructors ? null : watchUrl;
  if (watching || instructors) return ownUrl;
  return me.cluster && me.cluster !== cluster ? ownUrl : null;
}

/** Whether this page shows the instructor's place now. @param {import("./live.js").Room | null} room @param {import("./live.js").Me | null} me @param {string} cluster */
export function mirrors(room, me, cluster) {
  return Boolean(room?.leading && me?.role === "member" && me.follows && room.cluster === cluster);
}
