// New markup for a part of the page, without taking anything from whoever is using it: focus, scroll, text that is
// being written, what is open.

const FIELDS = new Set(["INPUT", "TEXTAREA", "SELECT"]);

/** Whether somebody has changed this field since the server wrote it. */
export function dirty(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") {
    return [...field.options].some((option) => option.selected !== option.defaultSelected);
  }
  return field.type !== "hidden" && field.value !== field.defaultValue;
}

/** Whether a form has something in it that would be lost. */
export function unsaved(form) {
  return [...form.elements].some((field) => FIELDS.has(field.tagName) && dirty(field));
}

function stays(old) {
  if (old.nodeType !== Node.ELEMENT_NODE) return false;
  // A form that is being filled in keeps its hidden fields too: they say which version it was made from.
  if (old.tagName === "FORM" && old.hasAttribute("data-keep")) return unsaved(old) || old.contains(document.activeElement);
  return FIELDS.has(old.tagName) && (dirty(old) || (old === document.activeElement && old.tagName !== "INPUT"));
}

const callbacks = {
  beforeNodeMorphed: (old) => !stays(old),
  beforeNodeRemoved: (old) => !(old.nodeType === Node.ELEMENT_NODE && old.matches?.("form[data-keep]") && unsaved(old)),
  // What a person has opened stays open.
  beforeAttributeUpdated: (name, node) => !(name === "open" && (node.tagName === "DETAILS" || node.tagName === "DIALOG")),
};

/** Make `element` look like `wanted`, an element or markup with the same root. */
export function morph(element, wanted) {
  const told = new CustomEvent("locus:before-morph", { bubbles: true, detail: {} });
  element.dispatchEvent(told);
  window.Idiomorph.morph(element, wanted, { morphStyle: "outerHTML", ignoreActiveValue: true, restoreFocus: true, callbacks });
  const now = document.getElementById(element.id) ?? element;
  window.htmx.process(now);
  now.dispatchEvent(new CustomEvent("locus:after-morph", { bubbles: true, detail: told.detail }));
  return now;
}

// hx-swap="morph" for forms.
window.addEventListener("DOMContentLoaded", () => {
  window.htmx?.defineExtension("morph", {
    isInlineSwap: (style) => style === "morph",
    handleSwap: (style, target, fragment) => {
      if (style !== "morph") return false;
      const wanted = fragment.firstElementChild ?? fragment;
      return [morph(target, wanted)];
    },
  });
});
