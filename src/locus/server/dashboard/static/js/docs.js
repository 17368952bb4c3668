// Docs: the editor's two tabs, and docs that are dragged into another group.

import { refresh } from "./live.js";
import { post } from "./send.js";

const write = document.getElementById("tab-write");
const preview = document.getElementById("tab-preview");
const editor = document.getElementById("editor");
const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

async function show(tab) {
  const wants = tab === preview;
  for (const [one, pane] of [
    [write, document.getElementById("write")],
    [preview, document.getElementById("preview-pane")],
  ]) {
    const on = one === tab;
    one.setAttribute("aria-selected", String(on));
    one.tabIndex = on ? 0 : -1;
    pane.hidden = !on;
  }
  if (!wants) return;
  const place = document.getElementById("preview");
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(editor.dataset.preview, {
      method: "POST",
      headers: { "HX-Request": "true", "X-CSRF-Token": token() },
      body: new URLSearchParams({ text: document.getElementById("doc-text").value }),
      credentials: "same-origin",
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("preview");
    place.replaceChildren(...document.adoptNode(found).childNodes);
    if (!place.textContent.trim()) place.textContent = "Nothing to show yet.";
  } catch {
    place.textContent = "The preview cannot be had now. Your text is still there.";
  }
  place.removeAttribute("aria-busy");
}

if (editor) {
  for (const tab of [write, preview]) {
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = tab === write ? preview : write;
      show(other);
      other.focus();
    });
  }
  // Sending is no leaving: nobody needs to be asked.
  editor.addEventListener("submit", () => editor.removeAttribute("data-guards"));
}

function sortable() {
  for (const list of document.querySelectorAll(".shelf-docs[data-regroups]")) {
    if (!window.Sortable || list.dataset.sortable) continue;
    list.dataset.sortable = "yes";
    window.Sortable.create(list, {
      group: "docs",
      sort: false,
      delay: 120,
      delayOnTouchOnly: true,
      onStart: () => (document.body.dataset.dragging = ""),
      onEnd: async ({ item, to, from }) => {
        delete document.body.dataset.dragging;
        if (to === from) return;
        try {
          const group = to.closest("[data-group]").dataset.group;
          await post(`${document.getElementById("shelf").dataset.docs}/${item.dataset.doc}/group`, { group });
        } finally {
          refresh("shelf");
        }
      },
    });
  }
}

document.addEventListener("locus:after-morph", sortable);
window.addEventListener("DOMContentLoaded", sortable);
sortable();
