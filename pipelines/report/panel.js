// One gap in the side panel (on a phone: on the whole screen), its keys, and the start of it all.
const panel = byId("panel");
const narrow = matchMedia("(max-width: 999px)");
let lines;
let cameFrom = null;

// Only the gap that is opened is read: thousands of them would take seconds.
function page(gap) {
  lines ??= byId("pages-data").textContent.split("\n");
  return JSON.parse(lines[gap.at]);
}

function part(title, ...children) {
  const inside = children.filter(Boolean);
  return inside.length ? element("section", {}, element("h3", { text: title }), ...inside) : null;
}

function list(tag, className, entries, make) {
  return entries.length ? element(tag, { className }, ...entries.map(make)) : null;
}

// Agents' answers, each a list of its own as in the draft: numbered only where agents give its steps in an order.
function answersApart(steps) {
  const ways = [...new Set(steps.map((step) => step.way))];
  return ways.flatMap((way, at) => {
    const own = steps.filter((step) => step.way === way);
    return [
      ways.length > 1 ? paragraph(`Answer ${at + 1}`, "note") : null,
      list(own.every((step) => step.ordered) ? "ol" : "ul", "", own, (step) => element("li", { text: step.text, auto: true }, stepSource(step))),
    ];
  });
}

function paragraph(words, className = "") {
  return words ? element("p", { text: words, auto: true, className }) : null;
}

// A conversation's id, which leads to where it is read if the run says where.
function conversation(id) {
  return data.conversation_url ? element("a", { text: id, href: data.conversation_url.replaceAll("{id}", () => encodeURIComponent(id)), target: "_blank", rel: "noopener noreferrer" }) : id;
}

function quoted(entry) {
  return element("li", {}, element("blockquote", { text: entry.text, auto: true }), entry.id ? element("small", {}, conversation(entry.id)) : null);
}

function stepSource(step) {
  const some = step.ids.flatMap((id, at) => [at ? ", " : ": ", conversation(id)]);
  return step.count ? element("small", {}, ` ${step.count} conversations${step.worked ? `, ${step.worked} ended well` : ""}`, ...some, some.length && step.count > step.ids.length ? " …" : "") : null;
}

function equation(sum) {
  const box = (value, words, className = "") => element("span", { className }, element("b", { text: value }), words);
  const sign = (mark) => element("i", { text: mark });
  const factors = sum.factors.flatMap((factor, at) => [box(factor.value, factor.words), sign(at < sum.factors.length - 1 ? "×" : "=")]);
  return [element("div", { className: "sum" }, ...factors, box(sum.score, sum.words, "result")), paragraph(sum.place, "note")];
}

function chart(gap) {
  const weeks = gap.weekly;
  if (weeks.length < 2) return null;
  const wide = Math.max(280, Math.min(552, panel.clientWidth - 48)), high = 150, base = high - 22, head = 16;
  const most = Math.max(1, ...weeks.map((week) => week[1]));
  const step = wide / weeks.length, bar = Math.max(1, step - (step > 6 ? 2 : 0.5));
  const place = (day) => (Date.parse(day) - Date.parse(weeks[0][0])) / 6048e5 * step;
  const tall = (value) => value / most * (base - head);
  const shortDay = (day) => new Date(day + "T00:00Z").toLocaleDateString("en-GB", { day: "numeric", month: "short", year: weeks.length > 40 ? "2-digit" : undefined, timeZone: "UTC" });
  const failed = weeks.reduce((sum, week) => sum + week[2], 0), all = weeks.reduce((sum, week) => sum + week[1], 0);
  const picture = drawn("svg", { class: "time", viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": `Conversations about it a week over ${weeks.length} weeks: ${Math.round(all)} in all, about ${Math.round(failed)} failed. ${gap.change ? gap.change.words : ""}` });
  const start = Math.max(0, Math.min(wide, place(data.window)));
  if (data.window) picture.append(drawn("rect", { class: "now", x: start, y: head - 8, width: Math.max(0, wide - start), height: base - head + 8 }));
  if (gap.change) {
    const low = Math.max(0, place(gap.change.low)), end = Math.min(wide, place(gap.change.high) + step);
    picture.append(drawn("rect", { class: "span", x: low, y: head - 8, width: Math.max(step, end - low), height: base - head + 8 }));
  }
  weeks.forEach(([, seen, bad], at) => {
    const x = at * step + (step - bar) / 2;
    picture.append(drawn("rect", { class: "all", x, y: base - tall(seen), width: bar, height: tall(seen) }), drawn("rect", { class: "bad", x, y: base - tall(bad), width: bar, height: tall(bad) }));
  });
  picture.append(drawn("line", { class: "axis", x1: 0, x2: wide, y1: base, y2: base }));
  if (gap.change) picture.append(drawn("line", { class: "turn", x1: place(gap.change.week), x2: place(gap.change.week), y1: head - 8, y2: base }));
  const label = (words, x, y, anchor) => { const made = drawn("text", { x, y, "text-anchor": anchor }); made.textContent = words; picture.append(made); };
  label(`at most ${Math.round(most).toLocaleString("en")} in one week`, 0, head - 6, "start");
  label(shortDay(weeks[0][0]), 0, high - 6, "start");
  label(shortDay(weeks[Math.floor(weeks.length / 2)][0]), wide / 2, high - 6, "middle");
  label(shortDay(weeks.at(-1)[0]), wide, high - 6, "end");
  const key = (name, words) => element("span", {}, element("i", { className: name }), words);
  return [picture, element("p", { className: "key" }, key("all", "about it"), key("bad", "failed"), data.window ? key("now", "this window") : null), paragraph(gap.change ? gap.change.words : "", "note")];
}

function passages(gap) {
  return gap.passages.map((entry) => element("div", { className: "pair" },
    entry.passage ? element("div", {}, element("small", { text: `In ${entry.article_id || "the article"}` }), element("span", { text: entry.passage, auto: true })) : null,
    entry.evidence.length ? element("div", {}, element("small", { text: "Against it" }), ...entry.evidence.map((words) => element("p", { text: words, auto: true }))) : null));
}

function nearest(gap) {
  return list("ul", "near", gap.nearest, (entry) => element("li", {}, element("span", { text: entry.title, auto: true }),
    drawn("svg", { viewBox: "0 0 84 6", "aria-hidden": "true" }, drawn("rect", { class: "track", y: 2, width: 84, height: 2 }), drawn("rect", { class: "fill", y: 1, width: entry.near * 84, height: 4, rx: 2 })),
    element("b", { text: entry.shown }), element("small", { text: entry.id })));
}

function conversations(gap) {
  if (!gap.ids.length) return null;
  const copy = element("button", { type: "button", className: "copy", text: "Copy all" });
  copy.addEventListener("click", () => copyText(gap.ids.join("\n"), `${gap.ids.length} ids copied`));
  const ids = element("div", { className: "ids", tabIndex: 0 });
  gap.ids.forEach((id, at) => ids.append(at ? " " : "", conversation(id)));
  return element("details", {}, element("summary", { text: `Ids of the ${gap.ids.length.toLocaleString("en")} conversations` }), ids, copy);
}

function copyText(words, done) {
  const refused = () => say("This browser did not let the page copy; select the text instead.");
  if (navigator.clipboard) navigator.clipboard.writeText(words).then(() => say(done), refused);
  else refused();
}

function ownerAndDraft(gap) {
  const link = gap.draft.link ? element("a", { className: "open", href: gap.draft.link, text: gap.kind === "missing" ? "Open the draft" : "Open the brief" }) : null;
  return [element("p", {}, element("b", { text: gap.owner.name, auto: true, className: gap.owner.known ? "" : "worse" })), paragraph(gap.owner.reason, "note"), link, link ? element("p", { className: "note", text: gap.draft.path }) : null];
}

function fill(gap) {
  const article = gap.article.id ? [paragraph(gap.article.title), paragraph([gap.article.id !== gap.article.title ? `${gap.article.id}.` : "", gap.article.accuracy].join(" ").trim(), "note")] : [];
  const title = element("h2", { id: "panel-title", text: gap.title, auto: true, tabIndex: -1 });
  const topic = gap.topic.label ? element("a", { href: "#topic=" + encodeURIComponent(gap.topic.id), text: gap.topic.label, auto: true }) : null;
  byId("body").replaceChildren(...[
    element("div", { className: "tags" }, element("span", { className: `badge k-${gap.tone}`, text: gap.kindLabel, title: gap.kindMeans }), gap.sure ? element("span", { text: gap.sure }) : null, element("span", { text: data.statuses[gap.status] || gap.status })),
    title,
    element("div", { className: "tags" }, topic, ...gap.places.map((words) => element("span", { text: words, auto: true }))),
    paragraph(gap.story, "story"),
    part("May be the same work", list("ul", "why", gap.similar, (other) => element("li", {}, element("a", { href: "#gap=" + encodeURIComponent(other.id), text: other.title, auto: true }), other.why ? `: ${other.why}` : ""))),
    element("dl", { className: "stats" }, ...gap.figures.map((figure) => element("div", {}, element("dt", { text: figure.label }), element("dd", { text: figure.value }), element("small", { text: figure.note })))),
    paragraph(data.sets, "note"),
    part("Why this kind", paragraph(gap.kindMeans, "note"), list("ul", "why", gap.reasons, (words) => element("li", { text: words, auto: true }))),
    part("Why this rank", ...equation(gap.equation)),
    part("Over time", ...(chart(gap) || [])),
    part("Owner", ...ownerAndDraft(gap)),
    part("Article to change", ...article),
    part("Passages to change", ...passages(gap)),
    part("What customers say", list("ul", "said-list", gap.quotes, quoted)),
    part("What agents answered", ...answersApart(gap.steps), list("ul", "said-list", gap.answers, quoted)),
    part("Customers' words that the article lacks", list("ul", "words", gap.words, (word) => element("li", { text: word, auto: true }))),
    part("Nearest articles", nearest(gap)),
    part("History", ...gap.history.map((words) => paragraph(words))),
    part("Conversations", conversations(gap)),
  ].filter(Boolean));
  byId("body").scrollTop = 0;
  return title;
}

// ---- open, close, move ----

function placeInList() {
  const at = matches.findIndex((gap) => gap.id === state.gap);
  byId("where").textContent = at < 0 ? (gapById.get(state.gap)?.small && !filtered() ? "Too small to act on" : "Not in the filtered list") : `${(at + 1).toLocaleString("en")} of ${matches.length.toLocaleString("en")}`;
  byId("prev").disabled = at === 0 || !matches.length;
  byId("next").disabled = at === matches.length - 1;
  for (const row of document.querySelectorAll("#gaps tr.on")) row.classList.remove("on");
  if (at >= shown + STEP || (at >= 0 && at < first)) {
    first = Math.floor(at / STEP) * STEP;
    shown = first + STEP;
    showRows();
  } else if (at >= shown) {
    shown += STEP;
    showRows();
  }
  const gap = gapById.get(state.gap);
  if (gap) elements[gap.at].classList.add("on");
  return at;
}

function layer() {
  const whole = narrow.matches && !panel.hidden;
  panel.setAttribute("aria-modal", String(whole));
  byId("page").inert = whole;
}

function openGap(id, push) {
  const gap = gapById.get(id);
  if (!gap) {
    say(`This run has no gap ${id}.`);
    change({ gap: "" });
    return;
  }
  if (panel.hidden) cameFrom = document.activeElement;
  const pushes = push && panel.hidden;
  state.gap = id;
  panel.hidden = false;
  document.body.classList.add("aside");
  layer();
  const title = fill(page(gap));
  placeInList();
  keepAddress(pushes);
  title.focus({ preventScroll: true });
  const row = elements[gap.at];
  if (row.isConnected && !narrow.matches) row.scrollIntoView({ block: "nearest", behavior: "instant" });
}

function closeGap() {
  if (panel.hidden) return;
  const gap = gapById.get(state.gap);
  state.gap = "";
  panel.hidden = true;
  document.body.classList.remove("aside");
  layer();
  for (const row of document.querySelectorAll("#gaps tr.on")) row.classList.remove("on");
  keepAddress();
  const row = gap && elements[gap.at].isConnected ? elements[gap.at].querySelector("a") : null;
  (row || cameFrom || document.body).focus({ preventScroll: true });
  if (row) row.closest("tr").scrollIntoView({ block: "nearest", behavior: "instant" });
}

function move(by) {
  if (!panel.hidden) {
    const next = matches[placeInList() + by];
    if (next) openGap(next.id, false);
    return;
  }
  const links = [...tbody.querySelectorAll(".c-title a")];
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? 0 : at + by];
  if (next) { next.focus({ preventScroll: true }); next.closest("tr").scrollIntoView({ block: "nearest", behavior: "instant" }); }
}

function keys(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const inField = event.target.closest?.("input, select, textarea");
  if (event.key === "Escape") {
    if (!panel.hidden) closeGap();
    else if (inField) inField.blur();
    return;
  }
  if (inField) return;
  const inTable = document.activeElement?.closest?.("#gaps tbody");
  if (event.key === "j" || (event.key === "ArrowRight" && !panel.hidden) || (event.key === "ArrowDown" && inTable)) move(1);
  else if (event.key === "k" || (event.key === "ArrowLeft" && !panel.hidden) || (event.key === "ArrowUp" && inTable)) move(-1);
  else if (event.key === "/") { byId("backlog").scrollIntoView({ behavior: "instant" }); byId("q").focus(); }
  else return;
  event.preventDefault();
}

function followAddress() {
  const before = JSON.stringify([...state.kinds, ...FILTERS.map((name) => state[name]), state.q]);
  if (!readAddress()) return;
  update();
  if (state.gap) openGap(state.gap, false);
  else if (!panel.hidden) closeGap();
  const after = JSON.stringify([...state.kinds, ...FILTERS.map((name) => state[name]), state.q]);
  if (before !== after && !state.gap && filtered()) byId("backlog").scrollIntoView({ behavior: still.matches ? "instant" : "smooth" });
}

listenToMap();
if (tbody) {
  listen();
  byId("close").addEventListener("click", closeGap);
  byId("prev").addEventListener("click", () => move(-1));
  byId("next").addEventListener("click", () => move(1));
  byId("copy-link").addEventListener("click", () => copyText(location.href, "Link copied"));
  narrow.addEventListener("change", layer);
  addEventListener("keydown", keys);
  addEventListener("hashchange", followAddress);
  if (readAddress()) {
    update();
    if (state.gap) openGap(state.gap, false);
    else if (filtered()) byId("backlog").scrollIntoView({ behavior: "instant" });
  } else update();
}
