/**
 * Loaded before the page is painted: whether this browser has notes. Then what is said to newcomers is not shown, and the
 * way in waits for way.js, which knows the lesson to go on with; for two seconds at most.
 */
try {
  const { dataset } = document.documentElement;
  if (localStorage.getItem("glassplane:progress")) {
    dataset.known = "";
    setTimeout(() => dataset.known === "" && delete dataset.known, 2000);
  }
} catch {
  // No storage: everybody is new.
}
