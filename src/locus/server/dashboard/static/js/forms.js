// Forms: Ctrl+Enter sends, data-sends-on-change sends at once, data-resets is empty again after it was sent.

import { taken } from "./send.js";
import { toast } from "./toasts.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest("form");
  if (form) {
    event.preventDefault();
    form.requestSubmit();
  }
});

// What the server says about a field stands below it, until somebody writes there again.
// What has no field of its own there is a toast.
document.addEventListener("locus:refused", (event) => {
  const form = event.target.closest?.("form");
  for (const { field: name, message, toast: whole } of event.detail.value ?? event.detail) {
    const field = form?.elements[name];
    const place = field instanceof HTMLElement && field.closest(".field");
    if (!place) {
      toast({ text: whole, tone: "refused" });
      continue;
    }
    clear(place);
    const said = document.createElement("p");
    said.className = "wrong";
    said.id = `${field.id}-refused`;
    said.textContent = message;
    place.append(said);
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", said.id);
    field.focus();
  }
});

function clear(place) {
  place.querySelector(".wrong")?.remove();
  place.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
}

document.addEventListener("input", (event) => {
  const place = event.target.closest?.(".field");
  if (place) clear(place);
});

// Enter in a field that was changed is a change first and a submit right after it: one of them is enough.
const justSent = new WeakSet();

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-sends-on-change]");
  if (!form) return;
  form.requestSubmit();
  justSent.add(form);
  setTimeout(() => justSent.delete(form));
});

document.addEventListener(
  "submit",
  (event) => {
    if (!justSent.has(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true,
);

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (form instanceof HTMLFormElement && form.hasAttribute("data-resets") && taken(event)) form.reset();
});

// Leaving a form that somebody has filled in loses nothing where its fields are drafts; elsewhere the browser asks.
window.addEventListener("beforeunload", (event) => {
  for (const form of document.querySelectorAll("form[data-guards]")) {
    const fields = [...form.elements].filter((field) => !field.dataset.draft && field.type !== "hidden");
    if (fields.some((field) => "defaultValue" in field && field.value !== field.defaultValue)) event.preventDefault();
  }
});

// A page with several forms for one thing: saving one of them leaves the others right, also those being filled in.
document.addEventListener("locus:version", (event) => {
  const { of: thing, from, to } = event.detail;
  for (const field of document.querySelectorAll(`[data-version-of="${thing}"]`)) {
    if (field.value === String(from)) field.value = String(to);
  }
});
