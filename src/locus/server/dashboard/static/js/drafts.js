// Text that is not saved survives a reload: fields with data-draft="<name>" are kept in this browser until they are sent.

import { taken } from "./send.js";

const PREFIX = "locus-draft:";
const OLD = 14 * 86400 * 1000; // ms

const key = (field) => PREFIX + field.dataset.draft;

function keep(field) {
  if (field.value === field.defaultValue) localStorage.removeItem(key(field));
  else localStorage.setItem(key(field), JSON.stringify({ at: Date.now(), text: field.value, from: field.defaultValue }));
}

/** Forget the drafts of a form that has been sent. */
export function forget(form) {
  for (const field of form.querySelectorAll("[data-draft]")) localStorage.removeItem(key(field));
}

function restore(root) {
  for (const field of root.querySelectorAll?.("[data-draft]") ?? []) {
    const kept = localStorage.getItem(key(field));
    if (kept === null || field.value !== field.defaultValue) continue;
    const { text } = JSON.parse(kept);
    if (text === field.defaultValue) {
      localStorage.removeItem(key(field));
      continue;
    }
    field.value = text;
    field.dispatchEvent(new CustomEvent("locus:restored", { bubbles: true }));
  }
}

document.addEventListener("input", (event) => {
  if (event.target.dataset?.draft) keep(event.target);
});
document.addEventListener("locus:after-morph", (event) => restore(event.target));
document.addEventListener("htmx:load", (event) => restore(event.target));
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt.closest?.("form");
  if (form && taken(event)) forget(form);
});
document.addEventListener("submit", (event) => {
  // A form without htmx leaves the page; when it is refused, the browser still has its text.
  if (event.target.method === "post" && !event.target.matches("[hx-post]")) forget(event.target);
});

for (let index = localStorage.length - 1; index >= 0; index -= 1) {
  const name = localStorage.key(index);
  if (name.startsWith(PREFIX) && Date.now() - JSON.parse(localStorage.getItem(name)).at > OLD) localStorage.removeItem(name);
}
restore(document);
