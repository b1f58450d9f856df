"use strict";
// The meeting: its clock and its keys. Every key presses a link or a button that is on the page.
const clock = byId("clock");

const shown = (seconds) => {
  const hours = Math.floor(seconds / 3600), two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60) % 60, rest = two(Math.floor(seconds) % 60);
  return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
};

// ---- the clock: the server's count when the page was made, and what has gone by since ----

if (clock) {
  const made = performance.now(), before = Number(clock.dataset.seconds), planned = Number(clock.dataset.planned);
  const left = Number(clock.dataset.left), key = `meeting ${clock.dataset.gap}`;
  const earlier = Number(sessionStorage.getItem(key)) || 0;  // seconds that this gap was looked at before
  const spent = () => (performance.now() - made) / 1000;
  const pace = left > 0 ? Math.max(0, planned - before) / left : 0;
  let told = before >= planned;
  const tick = () => {
    const total = before + spent();
    clock.querySelector("b").textContent = shown(total);
    byId("gap-clock").textContent = shown(earlier + spent()) + (pace >= 1 ? ` of about ${shown(pace)}` : "");
    if (!told && total >= planned) { told = true; announce(`The ${Math.round(planned / 60)} minutes are over. The meeting goes on until you end it.`); }
  };
  if (clock.dataset.runs === "yes") { tick(); setInterval(tick, 1000); }
  addEventListener("pagehide", () => sessionStorage.setItem(key, String(Math.round(earlier + spent()))));
}

function announce(words) {
  const place = byId("meeting-said");
  if (place) place.textContent = words;
}

// ---- keys ----

const KEYS = new Set(["a", "d", "s", "o", "g", "c", "v", "n", "p", "y", "f", "e", "i", "k", "j", "t", "ArrowRight", "ArrowLeft"]);
const ALIAS = { ArrowRight: "n", j: "n", ArrowLeft: "p", k: "p" };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || dialog?.open || help?.open) return;
  if (event.target.closest?.("input, select, textarea")) return;
  if (byId("minutes")) { minutesKey(event); return; }
  if (!KEYS.has(event.key) || !gap) return;
  event.preventDefault();  // so that the board's own keys, which mean other things, are left alone
  if (event.repeat) return;
  const name = ALIAS[event.key] || event.key;
  const target = [...document.querySelectorAll(`[data-key="${name}"]`)].find((one) => !one.hidden);
  if (target) target.click();
  else say(name === "p" ? "This is the first one." : "This is not possible for this gap.");
}, true);

function minutesKey(event) {
  const name = { b: "back", c: "copy", s: "save", e: "end" }[event.key];
  const target = name && document.querySelector(`[data-to="${name}"]`);
  if (!target || event.repeat) return;
  event.preventDefault();
  target.click();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-key='?']")) { help.showModal(); return; }
  if (event.target.closest("[data-to=copy]")) copyMinutes();
});

async function copyMinutes() {
  const markdown = byId("markdown");
  try {
    await navigator.clipboard.writeText(markdown.value);
  } catch {  // without https, or where the browser asks and is refused
    markdown.closest("details").open = true;
    markdown.select();
    document.execCommand("copy");
  }
  say("The minutes are on the clipboard, as Markdown.");
}

// ---- where one is: said aloud, and where the keyboard goes on ----

if (gap) {
  const title = byId("gap-title"), done = document.querySelector("#toast-done span");
  title.focus({ preventScroll: true });
  if (done) setTimeout(() => byId("toast-done").classList.add("read"), 8000);  // out of the way; the key u still works
  if (done) setTimeout(() => announce(`${done.textContent} Now: ${title.textContent}`), 100);
}
