/* Shows the chosen crontab in words, below its field. */
document.addEventListener("DOMContentLoaded", () => {
  const readable = JSON.parse(document.getElementById("readable-crontabs").textContent);
  const choice = document.getElementById("id_crontab");
  if (!choice) return; // Shown to users who may only view.
  const words = document.createElement("p");
  words.className = "text-subtle mt-2";
  choice.closest(".field-crontab, div").append(words);
  const show = () => {
    words.textContent = readable[choice.value] ? `In words: ${readable[choice.value]}` : "";
  };
  choice.addEventListener("change", show);
  show();
  // The same words, as they were when the page was opened.
  document.querySelector(".field-crontab_translation")?.classList.add("hidden");
});
