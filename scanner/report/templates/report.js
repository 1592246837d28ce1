"use strict";
(() => {
  // Everything off the network is set as text: no markup is ever made of it.
  const PAGE = 50, PRINTED = 1000;
  const data = JSON.parse(document.getElementById("data").textContent);
  const { words, texts, reasons, ways, levels } = data;
  const SEVERITY = Object.keys(levels);
  const $ = id => document.getElementById(id);
  const number = new Intl.NumberFormat(data.locale);
  const collator = new Intl.Collator(data.lang, { numeric: true, sensitivity: "base" });
  const moment = new Intl.DateTimeFormat(data.locale, { dateStyle: "medium", timeStyle: "short" });
  const date = new Intl.DateTimeFormat(data.locale, { dateStyle: "medium" });
  const whole = new Intl.DateTimeFormat(data.locale, { dateStyle: "long", timeZone: "UTC" });

  const KEYS = ["host", "addresses", "mac", "names", "kind", "vendor", "router", "level", "deadline", "reasons",
    "advice", "usage", "behind", "carries", "first", "last", "sessions", "offers", "asset", "mailboxes"];
  const say = numbers => numbers.map(one => texts[one]);
  const devices = data.devices.map((row, at) => {
    const one = Object.fromEntries(KEYS.map((key, place) => [key, row[place]]));
    for (const key of ["host", "mac", "kind", "vendor"]) one[key] = texts[one[key]];
    for (const key of ["addresses", "names", "advice", "behind", "carries", "asset", "mailboxes"]) one[key] = say(one[key]);
    one.title = one.names[0] || one.addresses[0] || one.host;
    one.used = one.usage.map(use => ways[use[0]]);
    one.order = at;
    return one;
  });
  const byHost = new Map(devices.map(one => [one.host, one]));

  const fill = (word, fields) => {
    let text = words[word];
    if (typeof text !== "string")
      text = text[new Intl.PluralRules(data.lang).select(fields.n) === "one" ? "one" : "other"];
    return text.replace(/\{(\w+)\}/g, (_, name) =>
      typeof fields[name] === "number" ? number.format(fields[name]) : fields[name]);
  };
  const time = second => moment.format(second * 1000);
  const day = text => whole.format(new Date(text + "T00:00:00Z"));

  const el = (tag, attributes, ...inside) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    made.append(...inside.flat(Infinity).filter(one => one !== null && one !== ""));
    return made;
  };
  const badge = level => el("span", { class: "badge " + level }, levels[level]);
  const link = host => {
    const known = byHost.get(host);
    return el("a", { href: "#device=" + encodeURIComponent(host) }, el("bdi", {}, known ? known.title : host));
  };
  const source = text => /^https?:\/\//.test(text)
    ? el("a", { href: text, rel: "noreferrer noopener" }, text.split("/")[2]) : text;

  // The list: what is searched, sorted and shown of it.
  const view = { text: "", level: "", protocol: "", sort: "verdict", down: false, page: 0, size: PAGE };
  const login = one => [...new Set(one.used.map(way => `${way[0]} ${way[3]}`))];
  const why = one => [...new Set(one.reasons.map(at => reasons[at][1]))];
  const SORTS = {
    verdict: (a, b) => SEVERITY.indexOf(b.level) - SEVERITY.indexOf(a.level)
      || (a.deadline || "9").localeCompare(b.deadline || "9") || a.order - b.order,
    device: (a, b) => collator.compare(a.title, b.title),
    kind: (a, b) => collator.compare(a.kind, b.kind),
    login: (a, b) => collator.compare(login(a)[0] || "", login(b)[0] || ""),
    why: (a, b) => collator.compare(why(a)[0] || "", why(b)[0] || ""),
    last_heard: (a, b) => b.last - a.last,
  };
  const haystack = one => one.found ??= [one.host, one.mac, one.kind, one.vendor, ...one.addresses, ...one.names,
    ...why(one), ...one.advice, ...one.asset, ...one.mailboxes, ...one.used.map(way => way.join(" "))]
    .join("\n").toLowerCase();
  let listed = [];

  const select = () => {
    const wanted = view.text.toLowerCase().split(/\s+/).filter(Boolean);
    listed = devices.filter(one => (!view.level || one.level === view.level)
      && (!view.protocol || one.used.some(way => way[0] === view.protocol))
      && wanted.every(word => haystack(one).includes(word)));
    listed.sort(SORTS[view.sort]);
    if (view.down) listed.reverse();
    view.page = 0;
    show();
  };

  const row = one => el("tr", {},
    el("td", {}, badge(one.level), one.deadline ? el("small", { class: "nowrap" }, one.deadline) : ""),
    el("th", { scope: "row" }, link(one.host), el("small", {}, one.addresses.slice(0, 2).join(" "))),
    el("td", {}, one.kind),
    el("td", {}, login(one).slice(0, 3).map(text => el("div", {}, text))),
    el("td", {}, why(one)[0] || words.unheard),
    el("td", { class: "nowrap" }, date.format(one.last * 1000)));

  const show = () => {
    const from = view.page * view.size, shown = listed.slice(from, from + view.size);
    $("rows").replaceChildren(...shown.map(row));
    const status = !listed.length ? words.none
      : fill("shown", { n: listed.length, from: from + 1, to: from + shown.length });
    const cut = view.size === PRINTED && listed.length > PRINTED;
    $("count").textContent = cut ? fill("printed", { n: PRINTED, all: listed.length }) : status;
    $("previous").disabled = !view.page;
    $("next").disabled = from + view.size >= listed.length;
    for (const button of $("table").querySelectorAll("[data-sort]")) {
      const sorted = button.dataset.sort === view.sort;
      button.parentElement.setAttribute("aria-sort", !sorted ? "none" : view.down ? "descending" : "ascending");
    }
  };

  // A device's own page.
  const list = (word, items) => items.length ? [el("dt", {}, words[word]), el("dd", {}, items)] : [];
  const comma = items => items.flatMap((one, at) => at ? [", ", one] : [one]);
  const facts = one => el("dl", {},
    list("address", one.addresses.concat(one.mac || []).join(", ")),
    list("names", one.names.join(", ")),
    list("vendor", one.vendor),
    list("owner", one.asset[0] || ""), list("place", one.asset[1] || ""), list("note", one.asset[2] || ""),
    list("mailboxes", one.mailboxes.join(", ")),
    list("behind", comma(one.behind.map(link))), list("carries", comma(one.carries.map(link))),
    list("first", time(one.first)), list("last", time(one.last)));

  const reason = at => {
    const [level, text, deadline, from, basis, confidence] = reasons[at];
    return el("li", {}, badge(level), " ", text, deadline ? el("small", {}, fill(deadline <= data.asOf ? "since" : "deadline", { day: day(deadline) })) : "",
      el("small", {}, fill("rests", { basis: words[basis], confidence }), from ? [". ", words.source, ": ", source(from)] : ""));
  };
  const usage = ([at, first, last, agree, odd, untold]) => {
    const [protocol, where, tls, by, outcome, basis, confidence] = ways[at];
    const counts = [["agree", agree], ["odd", odd], ["untold", untold]].filter(one => one[1])
      .map(([word, n]) => fill(word, { n })).join(", ");
    return el("li", {}, `${protocol} → ${where}${tls ? ", " + tls : ""}: `, el("b", {}, by),
      outcome ? ` (${words[outcome]})` : "",
      el("small", {}, fill("span", { first: time(first), last: time(last) }), "; ", counts, "; ",
        fill("rests", { basis: words[basis], confidence })));
  };
  // A step of the evidence is what the device said, or what the server answered.
  const SERVER = /^(greeting|offered|TLSv|SSLv)/, NOTE = /^(the server answers|sizes |served |\d+ mails)/;
  const turn = text => {
    const hidden = text.startsWith("inside TLS: ");
    const [said, ...answer] = text.replace("inside TLS: ", "").split(", answered by ");
    const from = NOTE.test(said) ? "note" : SERVER.test(said) ? "server" : "client";
    const bubble = (who, what) => el("li", { class: who + (hidden ? " hidden-in-tls" : "") },
      who === "note" ? "" : el("span", { class: "who" }, words[who], hidden ? ", " + words.inside : ""), el("span", { lang: "en" }, what));
    return [bubble(from, said), answer.length ? bubble("server", answer.join(", answered by ")) : ""];
  };
  const session = ([at, where, steps]) => el("article", {},
    el("h3", {}, fill("to", { day: time(at), server: texts[where] })),
    el("ol", { class: "dialogue" }, say(steps).flatMap(turn)));
  const offer = ([heads, found]) => el("li", { lang: "en" }, say(heads).map((text, at) => el(at ? "small" : "div", {}, text)),
    found.map(say).map(([text, reason]) => [
      el("div", { class: "finding", lang: data.lang }, text), el("small", {}, reason)]));
  const part = (word, tag, items) => items.length
    ? [el("h2", {}, words[word]), tag ? el(tag, { class: "plain" }, items) : items] : [];

  const detail = one => [
    el("h1", { tabindex: "-1" }, el("bdi", {}, one.title)),
    el("p", { class: "lead" }, badge(one.level), one.deadline ? " " + day(one.deadline) : "",
      one.kind ? " · " + one.kind : "", one.router ? " · " + words.router : ""),
    part("advice", "", one.advice.map(text => el("p", {}, text))),
    facts(one),
    part("why", "ul", one.reasons.map(reason)),
    one.usage.length ? part("usage", "ul", one.usage.map(usage)) : el("p", {}, words.unheard),
    part("offers", "ul", one.offers.map(offer)),
    part("evidence", "", one.sessions.map(session)),
  ].flat(Infinity);

  const title = document.title;
  const route = () => {
    const asked = location.hash.match(/^#device=(.*)$/);
    let one = null;
    try { one = asked && byHost.get(decodeURIComponent(asked[1])); } catch { /* not one of ours */ }
    const returns = !one && !$("device").hidden;
    $("device").hidden = !one;
    $("overview").hidden = Boolean(one);
    $("detail").replaceChildren(...(one ? detail(one) : []));
    document.title = one ? `${one.title} – ${title}` : title;
    if (one) { scrollTo(0, 0); $("detail").querySelector("h1").focus({ preventScroll: true }); }
    else if (returns) { $("devices").scrollIntoView(); $("devices").focus({ preventScroll: true }); }
  };

  const turnPage = by => { view.page += by; show(); $("devices").scrollIntoView(); };
  $("search").addEventListener("input", event => { view.text = event.target.value; select(); });
  $("level").addEventListener("change", event => { view.level = event.target.value; select(); });
  $("protocol").addEventListener("change", event => { view.protocol = event.target.value; select(); });
  $("filters").addEventListener("submit", event => event.preventDefault());
  $("filters").addEventListener("reset", () => { Object.assign(view, { text: "", level: "", protocol: "" }); select(); });
  $("previous").addEventListener("click", () => turnPage(-1));
  $("next").addEventListener("click", () => turnPage(1));
  $("table").tHead.addEventListener("click", event => {
    const key = event.target.dataset.sort;
    if (!key) return;
    view.down = view.sort === key && !view.down;
    view.sort = key;
    select();
  });
  for (const tile of document.querySelectorAll("[data-level]")) tile.addEventListener("click", () => {
    $("level").value = view.level = tile.dataset.level;
    select();
    $("devices").scrollIntoView();
    $("devices").focus({ preventScroll: true });
  });
  addEventListener("beforeprint", () => { view.size = PRINTED; view.page = 0; show(); });
  addEventListener("afterprint", () => { view.size = PAGE; show(); });
  addEventListener("hashchange", route);
  $("list").hidden = false;
  select();
  route();
})();
