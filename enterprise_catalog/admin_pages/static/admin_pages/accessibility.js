/* What pages of unfold and Django lack for users of a keyboard or a screen reader. */
(() => {
  const NATIVE = "a[href], button, input, select, textarea, summary, label, [tabindex]";

  /* "/" focuses the page's first search field, as on unfold's lists. */
  const focusSearch = (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const field = document.querySelector("#content [role=search] input:not([type=hidden])");
    if (!field) return;
    event.preventDefault(); // Otherwise, the field would contain the slash.
    field.focus();
  };

  /* Unfold has menus and switches that only the pointer reaches: links without an address, and plain elements. */
  const makeButtons = () => {
    for (const element of document.querySelectorAll("[x-on\\:click]")) {
      if (element.matches(NATIVE) || !element.textContent.trim()) continue;
      element.tabIndex = 0;
      element.setAttribute("role", "button");
      element.addEventListener("keydown", (event) => {
        if (event.target !== element || !["Enter", " "].includes(event.key)) return;
        event.preventDefault(); // Otherwise, the space bar would scroll.
        element.click();
      });
    }
  };

  /* The labels of the filters of Django's SelectFilter2.js are elements that cannot have one. */
  const nameFilters = () => {
    for (const icon of document.querySelectorAll(".selector span[aria-label]")) icon.setAttribute("role", "img");
  };

  /* Select2 shows an element of its own instead of the labeled one. */
  const nameChoices = () => {
    for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
      const name = select.labels[0]?.textContent.trim() || select.getAttribute("aria-label");
      const shown = select.nextElementSibling?.querySelectorAll("[role=combobox], [role=textbox], [role=searchbox]");
      for (const element of name && shown ? shown : []) element.setAttribute("aria-label", name);
    }
  };

  document.addEventListener("keydown", focusSearch);
  document.addEventListener("DOMContentLoaded", makeButtons);
  // The scripts that create these elements wait for the same event.
  window.addEventListener("load", () => setTimeout(() => [nameFilters, nameChoices].forEach((name) => name())));
})();
