// Dialogs: data-opens="<id>" opens one, data-closes closes the one it is in, a click beside it closes it too.

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    event.preventDefault();
    open(opener.dataset.opens);
    return;
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
  else if (event.target instanceof HTMLDialogElement && outside(event)) event.target.close();
});

function outside(event) {
  const box = event.target.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  return (x || y) && (x < box.left || x > box.right || y < box.top || y > box.bottom);
}

/** Open the dialog with this id. */
export function open(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.querySelector("[data-first], input:not([type=hidden]), textarea, select")?.focus();
}

/** Whether a dialog is open. */
export const anyOpen = () => document.querySelector("dialog[open]") !== null;

// A dialog that came with an answer opens itself, and goes when it is closed.
document.addEventListener("htmx:load", (event) => {
  const dialog = event.target.matches?.("dialog[data-asks]") ? event.target : event.target.querySelector?.("dialog[data-asks]");
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.querySelector("[data-first]")?.focus();
  dialog.addEventListener("close", () => dialog.remove());
});
// What a form in a dialog asked for is done.
document.addEventListener("locus:done", (event) => event.target.closest?.("dialog")?.close());

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (!copy) return;
  const { toast } = await import("./toasts.js");
  try {
    const { copy: text, copyLink: isLink } = copy.dataset;
    await navigator.clipboard.writeText(isLink === undefined ? text : new URL(text, location.href).href);
    toast({ text: "Copied.", tone: "said" });
  } catch {
    toast({ text: "The browser does not allow copying here. Select the text and copy it yourself.", tone: "refused" });
  }
});
