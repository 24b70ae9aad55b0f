// Says before Generate that the chosen photos look along one axis only, as they are chosen and labelled.
"use strict";
{
  const AXES = { front: "depth", back: "depth", left: "width", right: "width", top: "height", bottom: "height" };

  function tell() {
    const notice = document.getElementById("one-axis");
    if (!notice) return;
    const chosen = [...document.querySelectorAll("input[name=use]:checked")];
    const axes = new Set(chosen.map((box) => AXES[document.getElementById(`side-${box.value}`)?.value]));
    const [axis] = axes;
    const isGuess = chosen.length > 1 && axes.size === 1 && axis !== undefined;
    if (isGuess) notice.querySelector("span").textContent = notice.dataset[axis];
    notice.hidden = !isGuess;
  }

  document.addEventListener("change", tell);
  document.addEventListener("htmx:afterSettle", tell);
  tell();
}
