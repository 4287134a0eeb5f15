"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, place) => {
    const cell = row.cells[place];
    return cell.dataset.sort ?? cell.textContent.trim();
  };
  const sort = (place) => {
    const head = heads[place];
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row) => [value(row, place), row]);
    const numbers = rows.every(([text]) => text === "" || text === "–" || !Number.isNaN(Number(text)));
    const number = (text) => (text === "" || text === "–" ? -Infinity : Number(text));
    const texts = new Intl.Collator(undefined, { numeric: true });
    rows.sort(([a], [b]) => (numbers ? number(a) - number(b) || 0 : texts.compare(a, b)));
    if (down) rows.reverse();
    const body = table.tBodies[0];
    body.remove();
    for (const [, row] of rows) body.append(row);
    table.append(body);
  };
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(place));
    head.append(button);
  });
}
