/* "/" focuses the page's first search field, as on unfold's lists. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const field = document.querySelector("#content [role=search] input:not([type=hidden])");
  if (!field) return;
  event.preventDefault(); // Otherwise, the field would contain the slash.
  field.focus();
});
