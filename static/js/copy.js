// A button that copies the text field before it. Without the clipboard (http, old browsers) the field can be selected.
"use strict";
for (const button of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  const field = button.parentElement.querySelector("textarea, input");
  const copied = button.parentElement.querySelector("[data-copied]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    await navigator.clipboard.writeText(field.value);
    copied.hidden = false;
    setTimeout(() => { copied.hidden = true; }, 3000);
  });
}
