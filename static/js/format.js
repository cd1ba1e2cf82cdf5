/** Times and sizes as people read them. Pure; numbers in the reader's language. */

/** Formatters are slow to make and quick to use. @type {Map<string, Intl.NumberFormat>} */
const formatters = new Map();

/** @param {string} language @param {Intl.NumberFormatOptions} options */
function numbers(language, options) {
  const key = `${language} ${JSON.stringify(options)}`;
  const known = formatters.get(key) ?? new Intl.NumberFormat(language, options);
  formatters.set(key, known);
  return (/** @type {number} */ n) => known.format(n);
}

/** Virtual time as m:ss.fffff, or h:mm:ss.fffff. @param {number} seconds @param {number} [digits] */
export function clock(seconds, digits = 5) {
  const scale = 10 ** digits;
  const ticks = Math.round(Math.max(0, seconds) * scale);
  const whole = Math.floor(ticks / scale);
  const fraction = digits ? `.${String(ticks % scale).padStart(digits, "0")}` : "";
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}${fraction}`;
}

/** A length of time in its natural unit: 250 µs, 1.2 ms, 4.1 s, 2 min 5 s. @param {number} seconds @param {string} [language] */
export function duration(seconds, language = "en") {
  const number = numbers(language, { maximumSignificantDigits: 3 });
  if (seconds < 0.0009995) return `${number(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${number(seconds * 1e3)} ms`;
  if (seconds < 60) return `${number(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  return `${Math.floor(whole / 3600)} h${Math.floor(whole / 60) % 60 ? ` ${Math.floor(whole / 60) % 60} min` : ""}`;
}

/** @param {number} bytes @param {string} [language] */
export function size(bytes, language = "en") {
  const number = numbers(language, { maximumFractionDigits: 1 });
  if (bytes < 1024) return `${number(bytes)} B`;
  if (bytes < 1024 * 1024) return `${number(bytes / 1024)} KiB`;
  return `${number(bytes / 1024 / 1024)} MiB`;
}

/** How much of b is the same as in a, from the left: what need not be read again. @param {string} a @param {string} b */
export function commonPrefix(a, b) {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n += 1;
  return n;
}
