// Shared by all staff pages: confirm dialogs, error messages and local times.
"use strict";
{
  const dialog = document.getElementById("confirm");
  const toast = document.getElementById("toast");
  const yes = dialog.querySelector("[value=yes]");

  // hx-confirm uses our own dialog; data-yes is the label of the confirm button.
  document.addEventListener("htmx:confirm", (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    dialog.querySelector("h2").textContent = event.detail.question;
    yes.textContent = event.target.dataset.yes || yes.dataset.default;
    dialog.returnValue = "no";
    dialog.showModal();
    dialog.addEventListener("close", () => {
      if (dialog.returnValue === "yes") event.detail.issueRequest(true);
    }, { once: true });
  });

  // What a question is about stays as it is until it is answered.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (dialog.open && event.target.matches("[data-poll]")) event.preventDefault();
  });

  // A swap may take the focused element with it: the focus goes to the one that came in its place, else to the
  // nearest frame that is left. `data-refocus` names a frame's own place for it.
  const FOCUSABLE = "a[href], button:not(:disabled), input, select, textarea, summary, [tabindex]";
  let trail = [];
  document.addEventListener("htmx:beforeRequest", () => {
    trail = [];
    for (let one = document.activeElement; one && one !== document.body; one = one.parentElement) {
      if (one.id) trail.push(one.id);
    }
  });
  document.addEventListener("htmx:afterSettle", () => queueMicrotask(() => {
    if (document.activeElement !== document.body || !trail.length) return;
    const place = trail.map((id) => document.getElementById(id)).find((one) => one && !one.hidden);
    if (!place) return;
    const inside = place.matches(FOCUSABLE) ? place : place.querySelector("[data-refocus]") || place;
    if (!inside.matches(FOCUSABLE)) inside.tabIndex = -1;
    inside.focus({ preventScroll: true });
    trail = [];
  }));

  // Choosing many parts: all of a page at once, and how many they are.
  document.addEventListener("change", ({ target }) => {
    const list = target.closest("#part-list");
    if (!list) return;
    const boxes = [...list.querySelectorAll("[name=part]")];
    if (target.id === "bulk-page") for (const box of boxes) box.checked = target.checked;
    const chosen = boxes.filter((box) => box.checked).length;
    const count = list.querySelector("#bulk-count");
    if (count) count.textContent = `${chosen} ${count.dataset.words}`;
    const all = list.querySelector("#bulk-page");
    if (all) [all.checked, all.indeterminate] = [chosen === boxes.length, chosen > 0 && chosen < boxes.length];
  });

  // What a list was asked for stands in the address, so that it can be kept, sent, and come back to.
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.target.matches("[data-address]")) return;
    const given = [...new FormData(event.target)].filter(([, value]) => value.trim());
    const asked = new URLSearchParams(given).toString();
    event.target.dataset.address = location.pathname + (asked && `?${asked}`);
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    const { address } = event.detail.requestConfig.elt.dataset;
    if (address && event.detail.successful) history.replaceState(null, "", address);
  });

  // Buttons that lead to another control: press it, focus it, or open what is folded.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-press], [data-focus], [data-open]");
    if (!button) return;
    const { press, focus, open } = button.dataset;
    if (press) document.querySelector(press)?.click();
    if (focus) document.querySelector(focus)?.focus();
    if (open) document.querySelector(open)?.setAttribute("open", "");
  });
  const folded = location.hash.length > 1 && document.getElementById(location.hash.slice(1))?.closest("details");
  if (folded) folded.open = true;

  // What was typed and not saved is not left without a question.
  const unsaved = new Set();
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-unsaved]");
    if (form) unsaved.add(form);
  });
  document.addEventListener("submit", (event) => unsaved.delete(event.target));
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.getResponseHeader("HX-Redirect")) unsaved.clear(); // the part was deleted, say
  });
  addEventListener("beforeunload", (event) => { if (unsaved.size) event.preventDefault(); });

  // An error in plain text is shown as a toast; the page stays as it is.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    const kind = xhr.getResponseHeader("Content-Type") || "";
    if (xhr.status < 400 || !kind.startsWith("text/plain")) return;
    event.detail.shouldSwap = false;
    showToast(xhr.responseText);
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    if (event.detail.requestConfig.verb === "get") return; // the next poll fixes it
    const kind = xhr.getResponseHeader("Content-Type") || "";
    if (!kind.startsWith("text/plain")) showToast(toast.dataset.failed);
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (event.detail.requestConfig.verb !== "get") showToast(toast.dataset.offline);
    });
  }

  let hiding;
  function showToast(sentence) {
    toast.textContent = sentence;
    toast.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => { toast.hidden = true; }, 9000);
  }
  toast.addEventListener("click", () => { toast.hidden = true; });

  // The server sends UTC; show times in the reader's time zone.
  const local = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  function showLocalTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
      time.title = time.textContent;
      time.textContent = local.format(new Date(time.dateTime));
    }
  }
  showLocalTimes(document);
  document.addEventListener("htmx:load", (event) => showLocalTimes(event.target.parentElement || document));

  // Focus the message about an invalid form, so that it is read out and its field is one Tab away.
  document.getElementById("problem")?.focus();
}
