// "Does it fit my vehicle?": shows the rows that hold every typed word; a year counts as typed if it lies within a row's years.
"use strict";
for (const box of document.querySelectorAll("[data-fitment]")) {
  const input = box.querySelector("input");
  const status = box.querySelector("[role=status]");
  const rows = [...box.parentElement.querySelectorAll("tbody tr")];
  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const texts = rows.map((row) => folded([...row.cells].map((cell) => cell.textContent).join(" ")));

  const holds = (row, text, word) => {
    const isYear = /^(19|20)\d\d$/.test(word) && (row.dataset.from || row.dataset.to);
    return text.includes(word) || (isYear && word >= (row.dataset.from || "0") && word <= (row.dataset.to || "9999"));
  };
  const filter = () => {
    const words = folded(input.value).split(/\s+/).filter(Boolean);
    rows.forEach((row, at) => { row.hidden = !words.every((word) => holds(row, texts[at], word)); });
    const shown = rows.filter((row) => !row.hidden).length;
    const sentence = shown ? status.dataset.some.replace("{shown}", shown).replace("{all}", rows.length) : status.dataset.none;
    status.textContent = words.length ? sentence : "";
  };
  box.hidden = false;
  input.addEventListener("input", filter);
  filter();
}
