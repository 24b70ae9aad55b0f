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
