"use strict";
// Refreshes what is marked data-live on a staff page, by asking for the same page again. Without it a link does.
// Keeps focus, scroll and what is unfolded; pauses while the tab is hidden, a text is selected, or the reader says so.
(() => {
  const bar = document.getElementById("live-bar");
  if (!bar) return;
  const SECONDS = Number(bar.dataset.seconds), SECONDS_MAX = 300, ANSWER_MS = 15000, KEY = "kogge-live-paused";
  const FOCUSABLE = "a[href],button,input:not([type=hidden]),select,summary,[tabindex]";
  const button = bar.querySelector("button"), told = document.getElementById("live-told");
  let paused = remembered(), wait = SECONDS, asked = Date.now(), timer = 0, asking = false;

  function remembered() {
    try { return localStorage.getItem(KEY) === "yes"; } catch { return false; }
  }

  function show() {
    button.textContent = paused ? button.dataset.resume : button.dataset.pause;
    bar.hidden = false;
  }

  function plan() {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = setTimeout(refresh, Math.max(0, asked + wait * 1000 - Date.now()));
  }

  async function refresh() {
    if (asking) return;
    asking = true;
    asked = Date.now();
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const answer = await fetch(location.href, { cache: "no-store", redirect: "manual", signal });
      if (answer.type === "opaqueredirect") return end();  // the log-in is over
      if (!answer.ok) throw new Error(String(answer.status));
      take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      wait = SECONDS;
      say("");
    } catch {
      wait = Math.min(wait * 2, SECONDS_MAX);
      say(bar.dataset.silent);
    } finally {
      asking = false;
    }
    plan();
  }

  function end() {
    asking = false;
    paused = true;
    button.hidden = true;
    say(bar.dataset.over);
  }

  function say(text) {
    const place = document.getElementById("live-fault");
    if (place.textContent !== text) place.textContent = text;  // the same again would be read aloud again
  }

  function take(page) {
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(old.id);
      if (fresh && fresh.innerHTML !== old.innerHTML && !selected(old) && !edited(old)) swap(old, fresh);
    }
    if (!page.getElementById("live-bar")) paused = bar.hidden = true;  // nothing more will change by itself
    const news = page.getElementById("live-told");
    if (told && news && told.textContent !== news.textContent) told.textContent = news.textContent;
  }

  function selected(part) {
    const selection = getSelection();
    return !selection.isCollapsed && selection.containsNode(part, true);
  }

  function edited(part) {
    const touched = each => each.value !== each.defaultValue || each.checked !== each.defaultChecked;
    return [...part.querySelectorAll("input")].some(touched);
  }

  function swap(old, fresh) {
    const focus = focusIn(old);
    const scrolls = [...old.querySelectorAll(".scroll")].map(each => [each.scrollLeft, each.scrollTop]);
    const open = [...old.querySelectorAll("details")].map(each => each.open);
    old.replaceChildren(...fresh.childNodes);
    old.querySelectorAll(".scroll").forEach((each, index) => scrolls[index] && each.scrollTo(...scrolls[index]));
    old.querySelectorAll("details").forEach((each, index) => { if (index in open) each.open = open[index]; });
    if (focus) (focus(old) ?? old).focus({ preventScroll: true });
  }

  // How to find the element that has the focus again: by its id, by where it leads, else by its place.
  function focusIn(part) {
    const each = document.activeElement;
    if (!part.contains(each) || each === part) return null;
    if (each.id) return fresh => fresh.querySelector("#" + CSS.escape(each.id));
    const href = each.getAttribute("href");
    if (href) return fresh => fresh.querySelector(`a[href="${CSS.escape(href)}"]`);
    const place = [...part.querySelectorAll(FOCUSABLE)].indexOf(each);
    return fresh => fresh.querySelectorAll(FOCUSABLE)[place];
  }

  button.addEventListener("click", () => {
    paused = !paused;
    try { localStorage.setItem(KEY, paused ? "yes" : "no"); } catch { /* then for this page alone */ }
    show();
    paused ? plan() : refresh();
  });
  document.addEventListener("visibilitychange", plan);
  show();
  plan();
})();
