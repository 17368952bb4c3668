// Sentences that say what has just happened, with a way back where there is one.

import { post } from "./send.js";

const SHOWN = 6000; // ms; longer while the pointer or the focus is on it
const KEPT = 1500; // ms in which a page that follows shows it again
const STORE = "locus-toast";

const GLYPHS = {
  done: '<circle cx="7" cy="7" r="6.5" fill="currentColor"/><path d="m4.2 7.2 2 2 3.7-4.2" fill="none" stroke="var(--n1)" stroke-width="1.6"/>',
  refused: '<circle cx="7" cy="7" r="6.5" fill="currentColor"/><path d="M7 3.6v4M7 10.2v.1" fill="none" stroke="var(--n1)" stroke-width="1.7" stroke-linecap="round"/>',
  said: '<circle cx="7" cy="7" r="5.75" fill="none" stroke="currentColor" stroke-width="1.5"/>',
};
const TONES = { done: "done", refused: "blocked", said: "idle" };

const place = document.getElementById("toasts");

/** Show a toast: { text, tone?, undo?: { action, fields } }. */
export function toast({ text, tone = "done", undo }) {
  const shown = document.createElement("div");
  shown.className = "toast";
  shown.innerHTML = `<svg class="glyph tone-${TONES[tone] ?? "idle"}" viewBox="0 0 14 14" aria-hidden="true">${GLYPHS[tone] ?? GLYPHS.said}</svg>`;
  const said = document.createElement("span");
  said.className = "grows";
  said.textContent = text;
  shown.append(said);
  if (undo) shown.append(button("Undo", () => (post(undo.action, undo.fields), close())));
  shown.append(button("Close", () => close()));
  place.append(shown);
  // In the top layer, above an open dialog; shown anew so that it is above the newest one.
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
  let timer = setTimeout(close, SHOWN);
  const wait = () => clearTimeout(timer);
  const go = () => (timer = setTimeout(close, SHOWN));
  shown.addEventListener("pointerenter", wait);
  shown.addEventListener("pointerleave", go);
  shown.addEventListener("focusin", wait);
  shown.addEventListener("focusout", go);
  while (place.children.length > 4) place.firstElementChild.remove();

  function close() {
    shown.remove();
    if (!place.children.length && place.matches(":popover-open")) place.hidePopover();
  }
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button little bare";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

document.body.addEventListener("locus:toast", (event) => {
  const { text, tone, undo } = event.detail;
  toast({ text, tone, undo });
  sessionStorage.setItem(STORE, JSON.stringify({ at: Date.now(), toast: { text, tone, undo } }));
  setTimeout(() => sessionStorage.removeItem(STORE), KEPT);
});

// Said on the page before, which has gone to this one.
const before = sessionStorage.getItem(STORE);
if (before) {
  sessionStorage.removeItem(STORE);
  const { at, toast: detail } = JSON.parse(before);
  if (Date.now() - at < KEPT + 3000) toast(detail);
}

document.addEventListener("htmx:sendError", () => toast({ text: "The server does not answer. Nothing was changed.", tone: "refused" }));
