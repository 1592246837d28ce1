"use strict";
(() => {
  // Served from a sensor that runs: the headline follows it, and the rest when somebody asks for it.
  const PAUSE = 30000, FIELDS = ["search", "level", "protocol"];
  const $ = id => document.getElementById(id);
  const bar = $("live"), heads = () => [...$("table").tHead.querySelectorAll("[data-sort]")];
  const order = button => button.parentElement.getAttribute("aria-sort");

  const restore = ({ fields, sort, down, top }) => {
    for (const id of FIELDS) {
      $(id).value = fields[id];
      $(id).dispatchEvent(new Event(id === "search" ? "input" : "change"));
    }
    const button = heads().find(one => one.dataset.sort === sort);
    for (let click = 0; click < 2 && button && order(button) !== down; click++) button.click();
    scrollTo(0, top);
  };
  const reload = () => {
    const button = heads().find(one => order(one) !== "none");
    history.replaceState({
      fields: Object.fromEntries(FIELDS.map(id => [id, $(id).value])),
      sort: button.dataset.sort, down: order(button), top: scrollY,
    }, "");
    location.reload();
  };
  const say = (text, offer) => {
    bar.hidden = !text;
    bar.firstElementChild.textContent = text;
    bar.lastElementChild.hidden = !offer;
  };

  let source = null, later = 0;
  const listen = () => {
    clearTimeout(later);
    source?.close();
    const heard = source = new EventSource("events");
    heard.addEventListener("news", event => {
      const news = JSON.parse(event.data);
      for (const [level, count] of Object.entries(news.levels))
        document.querySelector(`.tile.${level} b`).textContent = count;
      document.querySelector("#overview h1").replaceChildren(...news.headline.flatMap((part, at) => {
        const span = document.createElement("span");
        span.textContent = part + (at + 1 < news.headline.length ? "," : "");
        return [span, " "];
      }));
      const changed = news.state !== bar.dataset.state;
      say(changed ? bar.dataset.changed : "", changed);
    });
    heard.addEventListener("error", () => {
      say(bar.dataset.lost, false);
      if (heard.readyState === EventSource.CLOSED) later = setTimeout(listen, PAUSE);
    });
  };
  // A browser keeps few connections to a server: windows that nobody sees leave theirs to others.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(later);
    if (document.hidden) source?.close();
    else listen();
  });
  bar.lastElementChild.addEventListener("click", reload);
  if (history.state?.fields) {
    restore(history.state);
    history.replaceState(null, "");
  }
  if (!document.hidden) listen();
})();
