"use strict";
// The keyboard, dialogs, and the choice of several gaps. Every page works without this script, by links and forms.
document.documentElement.classList.add("js");
const byId = (id) => document.getElementById(id);
const dialog = byId("dialog"), help = byId("help"), act = byId("act"), gap = byId("gap");
const DIRECT = new Set(["accept", "draft", "verify", "reopen", "undo"]);
const MOVES = new Set(["j", "k", "ArrowDown", "ArrowUp"]);
const ACTION_OF_KEY = { a: "accept", d: "dismiss", s: "snooze", o: "assign", g: "merge", n: "note", r: "reopen", w: "draft", p: "publish", e: "rename", i: "reclassify" };

function say(words) {
  const toast = byId("toast");
  toast.textContent = words;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.textContent = ""; }, 3000);
}

// ---- the list: one row is the current one, some are picked ----

const rows = () => [...document.querySelectorAll("#gaps tbody tr")];
const current = () => document.querySelector("#gaps tr.at");
const picked = () => rows().filter((row) => row.querySelector("input:checked"));
const can = (row, action) => row.dataset.can.split(" ").includes(action);

function goTo(row, focus = true) {
  if (!row) return;
  for (const other of rows()) other.classList.toggle("at", other === row);
  if (focus) {
    row.querySelector(".c-title a").focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest", behavior: "instant" });
  }
}

function move(by) {
  if (gap) {
    const link = byId(by > 0 ? "next-gap" : "prev-gap");
    if (link) link.click();
    else say(by > 0 ? "This is the last one." : "This is the first one.");
    return;
  }
  const all = rows(), at = all.indexOf(current());
  if (!all.length) return;
  if (at === all.length - 1 && by > 0) document.querySelector(".pages [rel=next]")?.click();
  else if (at === 0 && by < 0) document.querySelector(".pages [rel=prev]")?.click();
  else goTo(all[at < 0 ? 0 : at + by]);
}

function listed() {
  const boxes = byId("bulk");
  if (!boxes) return;
  const count = picked().length;
  boxes.querySelector(".acts").hidden = count === 0;
  byId("picked").textContent = count ? `${count} selected` : "Select all";
  byId("all").checked = count > 0 && count === rows().filter((row) => !row.querySelector("input").disabled).length;
  for (const row of rows()) row.classList.toggle("picked", row.querySelector("input").checked);
  for (const button of boxes.querySelectorAll("[data-verb]")) button.hidden = !picked().some((row) => can(row, button.dataset.verb));
}

// Where the list goes on after a decision: at the first row below those that were decided.
function listAfter(chosen) {
  const all = rows(), last = all.indexOf(chosen.at(-1));
  const next = all.slice(last + 1).find((row) => !chosen.includes(row)) || all.slice(0, last).reverse().find((row) => !chosen.includes(row));
  return location.pathname + location.search + (next ? "#" + next.id : "");
}

// ---- deciding ----

function send(action, gaps, back) {
  act.elements.verb.value = action;
  act.elements.back.value = back;
  const place = act.querySelector("span");
  place.replaceChildren(...gaps.map((value) => Object.assign(document.createElement("input"), { type: "hidden", name: "gap", value })));
  act.requestSubmit();  // a submit that is listened to: a second one before the page has changed is held back
}

function openForm(href) {
  htmx.ajax("GET", href, { target: "#dialog-body", swap: "innerHTML" }).then(() => {
    if (!dialog.open) dialog.showModal();
    const first = ["[autofocus]", "input:checked", "input:not([type=hidden]), select, textarea"].map((kind) => dialog.querySelector(kind));
    (first.find(Boolean) || dialog).focus();
  });
}

function decide(action) {
  if (gap) {
    const button = document.querySelector(`.decision-panel [data-key][data-key="${Object.keys(ACTION_OF_KEY).find((key) => ACTION_OF_KEY[key] === action)}"]`);
    if (button) button.click();
    else say("This is not possible here.");
    return;
  }
  const chosen = picked().length ? picked() : current() ? [current()] : [];
  if (!chosen.length) { say("Choose a gap first: j and k move, x selects."); return; }
  const able = chosen.filter((row) => can(row, action));
  if (!able.length) { say("This is not possible for this gap."); return; }
  const back = ["assign", "note", "rename", "reclassify"].includes(action) ? location.pathname + location.search + "#" + able[0].id : listAfter(able);
  if (DIRECT.has(action)) send(action, able.map((row) => `${row.dataset.id}:${row.dataset.after}`), back);
  else openForm(`/decide/${action}?` + new URLSearchParams([...able.map((row) => ["gap", row.dataset.id]), ["back", back]]));
}

// A list of choices that arrives keeps what was picked meanwhile, also where the words do not find it.
function keepPicked(list) {
  const old = list.querySelector("input:checked");
  if (!old) return;
  const label = old.closest("label"), focused = document.activeElement === old;
  list.addEventListener("htmx:afterSwap", () => {
    const same = [...list.querySelectorAll("input")].find((input) => input.value === old.value);
    if (!same) list.prepend(label);
    (same || old).checked = true;
    if (focused) (same || old).focus();
  }, { once: true });
}

function undo() {
  const last = byId("undo-done");
  if (last) { last.requestSubmit(); return; }
  if (gap) { document.querySelector('.decision-panel [data-key="u"]')?.click(); return; }
  const row = current();
  if (row && can(row, "undo")) send("undo", [`${row.dataset.id}:${row.dataset.after}`], location.pathname + location.search + "#" + row.id);
  else say("There is nothing to undo here.");
}

// ---- listening ----

function keys(event) {
  if (dialog?.open && event.key === "Enter" && (event.ctrlKey || event.metaKey)) { dialog.querySelector("form[method=post]")?.requestSubmit(); return; }
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.repeat && !MOVES.has(event.key)) return;  // a key held down moves on, and decides once
  const field = event.target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea");
  if (dialog?.open) {
    const choice = !field && /^[1-9]$/.test(event.key) && dialog.querySelectorAll(".options input[type=radio]")[event.key - 1];
    if (choice) { choice.checked = true; choice.focus(); event.preventDefault(); }
    const turned = !field && !choice && dialog.querySelector(`[data-turn="${event.key}"]`);
    if (turned) { turned.click(); event.preventDefault(); }
    return;
  }
  if (help?.open) return;
  if (event.key === "Escape") {
    if (field) field.blur();
    else if (byId("to-list")) byId("to-list").click();
    return;
  }
  if (field) return;
  const inList = document.activeElement?.closest?.("#gaps tbody");
  if (event.key === "j" || (event.key === "ArrowDown" && inList)) move(1);
  else if (event.key === "k" || (event.key === "ArrowUp" && inList)) move(-1);
  else if (event.key === "Enter" && current() && !event.target.closest("a, button, input, summary")) current().querySelector("a").click();
  else if (event.key === "x" && current()) { current().querySelector("input").click(); }
  else if (event.key === "u") undo();
  else if (event.key === "/" && byId("q")) byId("q").focus();
  else if (event.key === "?" && help) help.showModal();
  else if (event.key === "m") location.assign("/meeting");
  else if (ACTION_OF_KEY[event.key] && (gap || byId("gaps"))) decide(ACTION_OF_KEY[event.key]);
  else return;
  event.preventDefault();
}

document.addEventListener("keydown", keys);
document.addEventListener("click", (event) => {
  const opens = event.target.closest("a[data-form]");
  if (opens && dialog && !event.ctrlKey && !event.metaKey) { event.preventDefault(); openForm(opens.href); return; }
  if (event.target.closest("#dialog [data-close]")) { event.preventDefault(); dialog.close(); return; }
  if (event.target === dialog) { dialog.close(); return; }
  if (event.target.closest("#show-help")) { help.showModal(); return; }
  if (event.target.closest("#more-filters")) {
    const wide = byId("filters").classList.toggle("wide");
    byId("more-filters").setAttribute("aria-expanded", String(wide));
    return;
  }
  const action = event.target.closest("#bulk [data-verb]");
  if (action) { decide(action.dataset.verb); return; }
  const row = event.target.closest("#gaps tbody tr");
  if (row && !event.target.closest("a, input, .c-check")) { row.querySelector(".c-title a").click(); return; }
  if (row && event.target.closest(".c-check") && !event.target.closest("input")) row.querySelector("input:not(:disabled)")?.click();
});
document.addEventListener("change", (event) => {
  if (event.target.id === "all") for (const row of rows()) { const box = row.querySelector("input"); box.checked = event.target.checked && !box.disabled; }
  if (event.target.closest("#gaps, #bulk")) listed();
});
document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.("#gaps tbody tr");
  if (row) goTo(row, false);
});
// A decision is sent once, however often the button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.target.hasAttribute("hx-post")) return;
  if (event.target.dataset.sent) event.preventDefault();
  else event.target.dataset.sent = "yes";
});
document.addEventListener("htmx:afterSettle", listed);
// A form that the server sends back with what is wrong is shown like any other answer.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400) { event.detail.shouldSwap = true; event.detail.isError = false; }
  else if (event.detail.target.id === "merge-choices") keepPicked(event.detail.target);
});
addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });

if (byId("filters") && byId("more-filters")?.getAttribute("aria-expanded") === "true") byId("filters").classList.add("wide");
listed();
// On a phone these scroll sideways: the current one is brought into view.
for (const link of document.querySelectorAll(".top nav [aria-current], #tabs [aria-current]")) link.parentElement.scrollLeft = link.offsetLeft - link.parentElement.offsetLeft - 16;
const asked = new URL(location.href);
const named = asked.hash.startsWith("#row-") && byId(decodeURIComponent(asked.hash.slice(1)));
if (named) goTo(named);
if (asked.searchParams.has("done") || named) {
  asked.searchParams.delete("done");
  history.replaceState(null, "", asked.pathname + asked.search);
}
