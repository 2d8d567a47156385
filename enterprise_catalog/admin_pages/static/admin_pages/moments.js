/* Times in the browser's time zone, in tooltips; and relative times that stay correct while a page is open. */
(() => {
  const UNITS = [
    ["year", 31536000],
    ["month", 2592000],
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ]; // As in rendering.py.
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

  const showExact = ({ target }) => {
    const time = target.closest("time[datetime]");
    if (!time || time.dataset.utc) return;
    time.dataset.utc = time.title;
    time.title = `${exact.format(new Date(time.dateTime))}\n${time.title}`;
  };

  const showRelative = () => {
    const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });
    for (const time of document.querySelectorAll("time.ec-moment")) {
      const seconds = Math.trunc((new Date(time.dateTime) - Date.now()) / 1000);
      const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
      const text = relative.format(Math.trunc(seconds / size), unit);
      if (time.textContent !== text) time.textContent = text;
    }
  };

  document.addEventListener("pointerover", showExact);
  setInterval(showRelative, 30000);
})();
