/* Reloads the region of a page that shows the progress of an operation, until the operation ends. */
document.addEventListener("DOMContentLoaded", () => {
  const refresh = async () => {
    const region = document.querySelector("#operation[data-live]");
    if (!region) return;
    try {
      const response = await fetch(window.location.href);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const next = page.getElementById("operation");
      if (next) region.replaceWith(next);
    } finally {
      setTimeout(refresh, 2000); // Also after a network error: the next attempt may succeed.
    }
  };
  setTimeout(refresh, 1000);
});
