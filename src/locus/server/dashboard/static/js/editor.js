// Editors of Markdown: a form that is opened with data-edits, with a preview that the server renders; and fields that
// save themselves when one leaves them.

import { forget } from "./drafts.js";
import { refresh } from "./live.js";
import { post, taken } from "./send.js";

function show(form) {
  form.hidden = false;
  const text = document.getElementById("description-text");
  if (text) text.hidden = true;
  form.querySelector("textarea").focus();
}

function hide(form) {
  form.hidden = true;
  const text = document.getElementById("description-text");
  if (text) text.hidden = false;
  tab(form, "write");
}

async function tab(form, name) {
  const [field, box] = [form.querySelector("textarea"), form.querySelector("[data-editor-preview]")];
  if (!box) return;
  for (const one of form.querySelectorAll("[data-editor-tab]")) one.setAttribute("aria-selected", one.dataset.editorTab === name);
  const previews = name === "preview";
  if (previews) {
    const url = form.querySelector("[data-preview-url]").dataset.previewUrl;
    const answer = await post(url, { value: field.value });
    if (!answer.ok) return;
    // The server has made it safe; the policy of the page would let nothing in it run anyway.
    box.innerHTML = (await answer.text()).trim() || "<p>Nothing to show yet.</p>";
  }
  field.hidden = previews;
  box.hidden = !previews;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-edits]");
  if (opener) show(document.getElementById(opener.dataset.edits));
  const chosen = event.target.closest("[data-editor-tab]");
  if (chosen) tab(chosen.closest("form"), chosen.dataset.editorTab);
  const cancel = event.target.closest("[data-cancels-editor]");
  if (cancel) {
    const form = cancel.closest("form");
    form.reset();
    forget(form);
    hide(form);
    refresh();
  }
  const discards = event.target.closest("[data-discards]");
  if (discards) discard(discards.dataset.discards, discards.dataset.discardsForm);
});

function discard(name, formId) {
  localStorage.removeItem(`locus-draft:${name}`);
  const form = formId && document.getElementById(formId);
  const field = document.querySelector(`[data-draft="${CSS.escape(name)}"]`);
  const own = form || field?.closest("form");
  if (!own) return;
  own.reset();
  if (own.hasAttribute("data-editor") && own.id !== "comment-form") hide(own);
  refresh();
}

// What was being written opens again.
document.addEventListener("locus:restored", (event) => {
  const form = event.target.closest("form[data-editor]");
  if (form?.hidden) {
    form.hidden = false;
    const text = document.getElementById("description-text");
    if (text) text.hidden = true;
  }
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (!(form instanceof HTMLFormElement) || !taken(event)) return;
  // What was saved is now what the form was made from; the server's rendering follows.
  for (const field of form.querySelectorAll("textarea, input:not([type=hidden]):not([type=checkbox])")) {
    if (!form.hasAttribute("data-resets")) field.defaultValue = field.value;
  }
  for (const option of form.querySelectorAll("option")) option.defaultSelected = option.selected;
  for (const box of form.querySelectorAll("[type=checkbox]")) box.defaultChecked = box.checked;
  if (form.id === "description-form") hide(form);
  refresh();
});

// A title is one line, and is saved when one leaves it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches?.("[data-one-line]")) return;
  event.preventDefault();
  event.target.blur();
});
document.addEventListener("focusout", (event) => {
  const field = event.target;
  if (!field.matches?.("[data-saves-on-blur]") || field.value === field.defaultValue) return;
  if (field.value.trim()) field.form.requestSubmit();
  else field.value = field.defaultValue;
});
