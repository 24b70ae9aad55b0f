// What every staff page shares: questions before what cannot be undone, failures in words, local times.
"use strict";
{
  const dialog = document.getElementById("confirm");
  const toast = document.getElementById("toast");
  const yes = dialog.querySelector("[value=yes]");

  // hx-confirm asks in our own dialog; data-yes names the button.
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

  // A refusal that comes as plain text belongs in no fragment: say it, and leave the page as it is.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    const kind = xhr.getResponseHeader("Content-Type") || "";
    if (xhr.status < 400 || !kind.startsWith("text/plain")) return;
    event.detail.shouldSwap = false;
    say(xhr.responseText);
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    if (event.detail.requestConfig.verb === "get") return; // the next look makes up for it
    const kind = xhr.getResponseHeader("Content-Type") || "";
    if (!kind.startsWith("text/plain")) say(toast.dataset.failed);
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (event.detail.requestConfig.verb !== "get") say(toast.dataset.offline);
    });
  }

  let hiding;
  function say(sentence) {
    toast.textContent = sentence;
    toast.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => { toast.hidden = true; }, 9000);
  }
  toast.addEventListener("click", () => { toast.hidden = true; });

  // The server writes UTC; here is where the reader is.
  const local = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  function showLocalTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
      time.title = time.textContent;
      time.textContent = local.format(new Date(time.dateTime));
    }
  }
  showLocalTimes(document);
  document.addEventListener("htmx:load", (event) => showLocalTimes(event.target.parentElement || document));

  // A message about a form that was refused gets the focus, so that it is read and is one Tab from its field.
  document.getElementById("problem")?.focus();
}
