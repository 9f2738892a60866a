"use strict";
// Keeps the page fresh: the server says that there is a newer status, and the page fetches itself again and takes over what differs. Without
// this script the page works whole.
(function () {
  const root = document.documentElement;
  const live = document.getElementById("live");
  // How far this machine's clock is from the server's.
  let skew = Date.now() - Date.parse(root.dataset.now);
  let shown = root.dataset.revision;
  let wanted = shown;
  let busy = false;

  // A note that a look was asked for is for one view, not for a reload.
  const here = new URL(location.href);
  if (here.searchParams.has("asked")) {
    here.searchParams.delete("asked");
    history.replaceState(null, "", here);
  }

  // morph makes a node like another, touching only what differs, so that focus, scrolling, selections and what was typed or opened stay.
  function morph(old, now) {
    if (old.nodeType !== now.nodeType || old.nodeName !== now.nodeName) {
      old.replaceWith(document.importNode(now, true));
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== now.nodeValue) old.nodeValue = now.nodeValue;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!now.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of now.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    morphChildren(old, now);
  }

  function morphChildren(old, now) {
    const named = new Map();
    for (const child of old.children) if (child.id) named.set(child.id, child);
    let at = old.firstChild;
    for (const want of [...now.childNodes]) {
      const known = want.id ? named.get(want.id) : null;
      if (known) {
        if (known === at) at = at.nextSibling;
        else old.insertBefore(known, at);
        morph(known, want);
      } else if (at && !at.id && !want.id && at.nodeName === want.nodeName) {
        const next = at.nextSibling;
        morph(at, want);
        at = next;
      } else {
        old.insertBefore(document.importNode(want, true), at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  async function refresh() {
    if (busy || document.hidden || wanted === shown) return;
    busy = true;
    const target = wanted;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.redirected) {
        location.reload(); // signed out
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok || !page.documentElement.dataset.revision) {
        say("not updating: reload the page", true);
        wanted = shown;
        return;
      }
      const focused = document.activeElement && document.activeElement.id;
      for (const now of page.querySelectorAll("[data-morph]")) {
        const old = document.getElementById(now.id);
        if (old) morph(old, now);
      }
      if (focused && document.activeElement === document.body) {
        const again = document.getElementById(focused);
        if (again) again.focus({ preventScroll: true });
      }
      document.title = page.title;
      shown = page.documentElement.dataset.revision;
      skew = Date.now() - Date.parse(page.documentElement.dataset.now);
      if (wanted === target) wanted = shown;
      say("live", false);
    } catch {
      wanted = shown; // the next event says more
      say("not updating: no connection", true);
    } finally {
      busy = false;
    }
    refresh();
  }

  function say(text, bad) {
    live.hidden = false;
    live.textContent = text;
    live.classList.toggle("bad", bad);
  }

  function span(seconds) {
    if (seconds < 60) return Math.floor(seconds) + " s";
    if (seconds < 3600) return Math.floor(seconds / 60) + " min";
    if (seconds < 48 * 3600) return Math.floor(seconds / 3600) + " h";
    return Math.floor(seconds / 86400) + " d";
  }

  function tick() {
    const now = Date.now() - skew;
    for (const time of document.querySelectorAll("time:not([data-exact])")) {
      const ahead = (Date.parse(time.dateTime) - now) / 1000;
      const text = Math.abs(ahead) < 5 ? "just now" : ahead < 0 ? span(-ahead) + " ago" : "in " + span(ahead);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  function listen() {
    const events = new EventSource("/events");
    events.onopen = () => say("live", false);
    events.onmessage = (event) => {
      wanted = event.data;
      refresh();
    };
    events.onerror = () => {
      if (events.readyState !== EventSource.CLOSED) {
        say("not updating: no connection", true); // the browser tries again by itself
        return;
      }
      // The answer was no: signed out, too many pages, or a proxy without us behind it. Fetching the page tells which.
      wanted = "unknown";
      refresh();
      setTimeout(listen, 10000);
    };
  }

  listen();
  document.addEventListener("visibilitychange", refresh);
  setInterval(tick, 10000);
})();
