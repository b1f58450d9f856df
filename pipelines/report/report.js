"use strict";
// The table: rows are the server's own, moved about, never rebuilt. All text goes through textContent.
const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("rows-data").textContent);
const tbody = document.querySelector("#gaps tbody");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const STEP = 60;
const FILTERS = ["status", "owner", "product", "language", "topic", "theme"];
const TEXT_KEYS = new Set(["title", "kind", "status", "ownerName"]);
const fresh = () => ({ sort: "rank", dir: "asc", kinds: new Set(), q: "", gap: "", status: "", owner: "", product: "", language: "", topic: "", theme: "" });
let state = fresh();
let matches = [];
// Rows first to shown of the matches stand in the table: laying out thousands takes seconds.
let first = 0;
let shown = STEP;

const gaps = data.rows.map((keys, at) => ({ ...keys, at }));
const gapById = new Map(gaps.map((gap) => [gap.id, gap]));
const later = byId("more-rows");
const elements = tbody ? [...tbody.rows, ...(later ? later.content.querySelectorAll("tr") : [])] : [];

function element(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  const { text, auto, attributes, ...rest } = options;
  if (text !== undefined) made.textContent = text;
  if (auto) made.dir = "auto";
  Object.assign(made, rest);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...children.filter(Boolean));
  return made;
}

function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter(Boolean));
  return made;
}

function say(words) {
  const toast = byId("toast");
  toast.textContent = words;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.textContent = ""; }, 2600);
}

// ---- state and the address ----

function readAddress() {
  const hash = location.hash.slice(1);
  if (hash && !hash.includes("=")) return false;
  const asked = new URLSearchParams(hash);
  const next = fresh();
  for (const name of [...FILTERS, "q", "gap"]) next[name] = asked.get(name) || "";
  next.kinds = new Set((asked.get("kind") || "").split(",").filter(Boolean));
  const sort = asked.get("sort") || "rank";
  next.sort = gaps.length && sort in gaps[0] ? sort : "rank";
  next.dir = asked.get("dir") === "desc" ? "desc" : "asc";
  state = next;
  return true;
}

function address() {
  const params = new URLSearchParams();
  if (state.kinds.size) params.set("kind", [...state.kinds].sort().join(","));
  for (const name of FILTERS) if (state[name]) params.set(name, state[name]);
  if (state.q) params.set("q", state.q);
  if (state.sort !== "rank" || state.dir !== "asc") { params.set("sort", state.sort); params.set("dir", state.dir); }
  if (state.gap) params.set("gap", state.gap);
  return "#" + params.toString();
}

function keepAddress(push = false) {
  const next = address();
  if (next === location.hash || (next === "#" && !location.hash)) return;
  // A page opened from a mail or a share may be refused a history of its own; it then works without one.
  try {
    history[push ? "pushState" : "replaceState"](null, "", next === "#" ? location.pathname + location.search : next);
  } catch (refused) {
    if (push) location.hash = next;
  }
}

// ---- filter and sort ----

function passes(gap) {
  // What is too small to act on is listed below the table; here only a search or a topic brings it up.
  if (gap.small && !state.q && !state.topic) return false;
  if (state.kinds.size && !state.kinds.has(gap.kind)) return false;
  if (state.status && gap.status !== state.status) return false;
  if (state.owner && (gap.owner || "-") !== state.owner) return false;
  if (state.product && !gap.product.includes(state.product)) return false;
  if (state.language && !gap.language.includes(state.language)) return false;
  if (state.theme && gap.theme !== state.theme) return false;
  if (state.topic && gap.topic !== state.topic) return false;
  return state.q.toLowerCase().split(/\s+/).every((word) => gap.find.includes(word));
}

function compare(one, other) {
  const a = one[state.sort], b = other[state.sort];
  // What is not known comes last, whichever way the rest is sorted.
  if (a === null || b === null) return (a === null) - (b === null) || one.at - other.at;
  const order = typeof a === "string" ? a.localeCompare(b) : a - b;
  return (state.dir === "desc" ? -order : order) || one.at - other.at;
}

function showRows() {
  if (!tbody) return;
  tbody.replaceChildren(...matches.slice(first, shown).map((gap) => elements[gap.at]));
  byId("before").hidden = first === 0;
  byId("more").hidden = shown >= matches.length;
  byId("more").textContent = `Show more (${(matches.length - shown).toLocaleString("en")} left)`;
}

function filtered() {
  return state.kinds.size > 0 || state.q !== "" || FILTERS.some((name) => state[name]);
}

function update() {
  if (!tbody) return;
  matches = gaps.filter(passes).sort(compare);
  first = 0;
  shown = STEP;
  showRows();
  const small = gaps.filter((gap) => gap.small).length, few = state.q || state.topic ? 0 : small;
  const all = (gaps.length - few).toLocaleString("en"), unit = gaps.length - few === 1 ? "gap" : "gaps";
  const counted = filtered() ? `${matches.length.toLocaleString("en")} of ${all} ${unit}` : `${all} ${unit}`;
  byId("count").textContent = few ? `${counted}, and ${small.toLocaleString("en")} too small to act on` : counted;
  byId("none").hidden = matches.length > 0;
  document.querySelector(".tablebox").hidden = matches.length === 0;
  byId("clear").hidden = !filtered();
  if (byId("q").value.trim() !== state.q) byId("q").value = state.q;
  for (const chip of document.querySelectorAll("[data-kind]")) chip.setAttribute("aria-pressed", state.kinds.has(chip.dataset.kind));
  for (const choice of document.querySelectorAll("[data-filter]")) choice.value = state[choice.dataset.filter];
  byId("topic-chip").hidden = !state.topic;
  byId("topic-chip").textContent = `Topic: ${data.topics[state.topic] || state.topic} ×`;
  const sort = byId("sort"), order = `${state.sort}:${state.dir}`;
  sort.value = [...sort.options].some((option) => option.value === order) ? order : "custom";
  for (const head of document.querySelectorAll("th[data-sort]")) {
    if (head.dataset.sort === state.sort) head.setAttribute("aria-sort", state.dir === "asc" ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
}

function change(next, push = false) {
  Object.assign(state, next);
  update();
  keepAddress(push);
  if (state.gap) placeInList();
}

// ---- controls ----

function listen() {
  byId("tools").hidden = false;
  byId("tools").addEventListener("submit", (event) => event.preventDefault());
  let typing;
  byId("q").addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => change({ q: event.target.value.trim() }), 90);
  });
  for (const chip of document.querySelectorAll("[data-kind]")) chip.addEventListener("click", () => {
    const kinds = new Set(state.kinds);
    if (!kinds.delete(chip.dataset.kind)) kinds.add(chip.dataset.kind);
    change({ kinds });
  });
  for (const choice of document.querySelectorAll("[data-filter]")) choice.addEventListener("change", () => change({ [choice.dataset.filter]: choice.value }));
  byId("sort").addEventListener("change", (event) => {
    const [sort, dir] = event.target.value.split(":");
    change({ sort, dir });
  });
  for (const button of document.querySelectorAll("button[data-sort]")) button.addEventListener("click", () => {
    const sort = button.dataset.sort;
    const natural = TEXT_KEYS.has(sort) || sort === "rank" ? "asc" : "desc";
    change({ sort, dir: state.sort === sort ? (state.dir === "asc" ? "desc" : "asc") : natural });
  });
  byId("topic-chip").addEventListener("click", () => change({ topic: "" }));
  byId("clear").addEventListener("click", () => {
    const { sort, dir, gap } = state;
    change({ ...fresh(), sort, dir, gap });
    byId("q").focus();
  });
  byId("more-tools").addEventListener("click", (event) => {
    const wide = byId("tools").classList.toggle("wide");
    event.currentTarget.setAttribute("aria-expanded", wide);
  });
  byId("more").addEventListener("click", () => { shown += STEP; showRows(); });
  byId("before").addEventListener("click", () => { first = Math.max(0, first - STEP); showRows(); });
  new IntersectionObserver((seen) => {
    if (seen.some((entry) => entry.isIntersecting) && shown < matches.length) { shown += STEP; showRows(); }
  }, { rootMargin: "600px" }).observe(byId("more"));
  tbody.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row || event.metaKey || event.ctrlKey || event.shiftKey || String(getSelection())) return;
    event.preventDefault();
    openGap(row.dataset.id, true);
  });
  // A printed list is whole, as far as anybody would read it on paper.
  addEventListener("beforeprint", () => { first = 0; shown = Math.max(shown, 120); showRows(); });
}

// ---- the map ----

function listenToMap() {
  const tip = byId("tip");
  for (const map of document.querySelectorAll(".map")) {
    const marks = [...map.querySelectorAll("a[data-topic]")];
    marks.forEach((mark, at) => {
      // One stop of the tab key for the map; the arrows move inside it.
      mark.setAttribute("tabindex", at ? "-1" : "0");
      const show = () => {
        tip.replaceChildren(element("b", { text: mark.dataset.label, auto: true }), mark.dataset.note);
        tip.hidden = false;
        const box = mark.getBoundingClientRect(), size = tip.getBoundingClientRect();
        tip.style.left = `${Math.max(8, Math.min(innerWidth - size.width - 8, box.x + box.width / 2 - size.width / 2))}px`;
        tip.style.top = `${box.y - size.height - 8 > 0 ? box.y - size.height - 8 : box.bottom + 8}px`;
      };
      const hide = () => { tip.hidden = true; };
      mark.addEventListener("pointerenter", show);
      mark.addEventListener("pointerleave", hide);
      mark.addEventListener("focus", show);
      mark.addEventListener("blur", hide);
      mark.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        const next = marks[(at + step + marks.length) % marks.length];
        mark.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      });
    });
  }
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
}
