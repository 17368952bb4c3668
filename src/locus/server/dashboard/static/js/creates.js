// Create a task from anywhere: the key c, or whatever has data-creates.

import { ask } from "./asks.js";
import { shortcut } from "./shortcuts.js";

const frame = document.getElementById("frame");

function create() {
  if (frame?.dataset.mayEdit !== "yes") return false;
  ask(`${frame.dataset.workspace}/tasks/new`);
  return true;
}

shortcut("c", create);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-creates]")) create();
});
