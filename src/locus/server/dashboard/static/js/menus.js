// Menus are popovers: here they get their place beside the button, and arrows move within them.

document.addEventListener(
  "toggle",
  (event) => {
    const menu = event.target;
    if (!menu.matches?.(".menu[popover]") || event.newState !== "open") return;
    const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
    if (button) place(menu, button.getBoundingClientRect());
    menu.querySelector("a, button, input")?.focus();
  },
  true,
);

function place(menu, anchor) {
  const gap = 4;
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = anchor.left + width > innerWidth - 8 ? anchor.right - width : anchor.left; // its other edge at the button's
  const below = anchor.bottom + gap;
  const top = below + height > innerHeight - 8 ? Math.max(8, anchor.top - gap - height) : below;
  menu.style.left = `${Math.max(8, left)}px`;
  menu.style.top = `${top}px`;
}

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".menu[popover]");
  if (!menu || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  const items = [...menu.querySelectorAll("a, button, input")];
  const step = event.key === "ArrowDown" ? 1 : -1;
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length]?.focus();
  event.preventDefault();
});

// A choice closes its menu.
document.addEventListener("click", (event) => {
  const item = event.target.closest(".menu-item");
  if (item && !item.matches("label")) item.closest("[popover]")?.hidePopover();
});
