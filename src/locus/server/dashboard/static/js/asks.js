// Questions that the server asks before it does something: dialogs that are fetched when they are needed.

/** Fetch a dialog and open it. */
export function ask(url) {
  return window.htmx.ajax("GET", url, { target: "#asks", swap: "innerHTML" });
}

document.body.addEventListener("locus:ask", (event) => ask(event.detail.url));
document.addEventListener("click", (event) => {
  const asker = event.target.closest("[data-asks-for]");
  if (asker) {
    event.preventDefault();
    ask(asker.dataset.asksFor);
  }
});
