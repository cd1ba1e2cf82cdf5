/**
 * A run that stands in the page's own file (cluster_engine/export/html.py): what is elsewhere asked of a server.
 *
 *     #recording        what it is: {"first", "last", "cast", …}
 *     .words            the words of each language
 *     .terminals        what was typed and printed, where it is known, as a server tells it
 *     .entries          the entries, some hundreds in each element, oldest first
 *     .details          what entries open to, newest first; the oldest may have found no room
 *     #recording-end    {"opened": the first entry that opens}; where it is missing, the file was cut off
 */
import { signal } from "@preact/signals-core";
import { FileDetails } from "./filedetails.js";
import { FileSocket } from "./filesocket.js";
import { createSearch } from "./search.js";
import { unpacked, wholeFile } from "./packed.js";

/**
 * @typedef {{first: number, last: number, connection: number | null, began: string | null, leftOut: number, cast: import("../lanes.js").Cast | null}} About
 * @typedef {{about: About, opened: import("@preact/signals-core").Signal<number>, isCut: import("@preact/signals-core").Signal<boolean>}} Recording
 * @typedef {ReturnType<typeof openRecording>} Sources
 */

/** Is the page one that a run was put into? */
export const isRecording = () => document.getElementById("recording") !== null;

export function openRecording() {
  const about = /** @type {About} */ (JSON.parse(document.getElementById("recording")?.textContent ?? "{}"));
  /** The first entry whose bytes and bodies are here; 0 until the file's end has been read. */
  const opened = signal(0);
  const isCut = signal(false);
  void wholeFile().then(() => {
    const end = document.getElementById("recording-end");
    isCut.value = end === null;
    opened.value = end ? JSON.parse(end.textContent ?? "{}").opened : 0;
  });
  const details = FileDetails();
  /** @type {Map<string, Promise<import("../strings.js").Dictionary>>} */
  const words = new Map();
  /** @param {string} language */
  function wordsOf(language) {
    const known = words.get(language) ?? unpacked(/** @type {Element} */ (document.querySelector(`.words[lang="${language}"]`)));
    words.set(language, known);
    return known;
  }
  return {
    /** What the reader's bookmarks in it are kept under: pages from the disk share one store. */
    name: [about.began, about.first, about.last, about.connection].join(" "),
    about,
    opened,
    isCut,
    /** @param {import("./filesocket.js").Ears} ears */
    socket: (ears) => new FileSocket(about, ears),
    details,
    search: createSearch(about.last, details),
    /** All words of a language stand in one place of the file. @type {import("../strings.js").Source} */
    words: (part, language) => (part ? Promise.resolve({}) : wordsOf(language)),
  };
}
