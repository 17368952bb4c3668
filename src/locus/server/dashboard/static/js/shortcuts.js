// Keys that act anywhere, unless somebody is typing or a dialog is open.

import { anyOpen, open } from "./dialogs.js";

const WAIT = 900; // ms in which the second key of a pair must come
const actions = new Map();
let pending = "";
let timer;

/** Let `keys` ("c", or "g b" for one after the other) do something. The action may return false to let the key pass. */
export function shortcut(keys, action) {
  actions.set(keys, action);
}

const typing = (element) =>
  element.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key.length !== 1 || typing(event.target) || anyOpen()) return;
  const keys = pending ? `${pending} ${event.key}` : event.key;
  const action = actions.get(keys);
  clearTimeout(timer);
  pending = "";
  if (action) {
    if (action(event) !== false) event.preventDefault();
  } else if ([...actions.keys()].some((known) => known.startsWith(`${keys} `))) {
    pending = keys;
    timer = setTimeout(() => (pending = ""), WAIT);
  }
});

shortcut("?", () => open("shortcuts"));
shortcut("/", () => {
  const field = document.querySelector("[data-filter-text]");
  field?.focus();
  field?.select();
  return field !== null;
});
for (const link of document.querySelectorAll("[data-keys]")) {
  shortcut(link.dataset.keys, () => link.click());
}
