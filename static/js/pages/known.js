/** Loaded before the page is painted: whether this browser has notes. Then `#go-on` is shown once, by way.js, with the lesson to go on with. */
try {
  if (localStorage.getItem("glassplane:progress")) document.documentElement.dataset.known = "";
} catch {
  // No storage: everybody is new.
}
