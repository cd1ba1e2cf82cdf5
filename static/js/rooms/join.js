/** The form that joins: the code is grouped while it is typed. Without this script it works as well. */
import { whileTyping } from "./code.js";

const field = /** @type {HTMLInputElement | null} */ (document.getElementById("code"));
if (field) {
  const length = Number(field.dataset.length);
  field.addEventListener("input", () => {
    const atEnd = field.selectionStart === field.value.length;
    if (atEnd) field.value = whileTyping(field.value, length);
  });
  field.addEventListener("blur", () => {
    field.value = whileTyping(field.value, length);
  });
}
