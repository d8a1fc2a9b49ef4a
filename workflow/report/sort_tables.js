"use strict";
// Long tables are sorted by the name of a column: upwards, downwards, and as they were. Rows are moved, no text is read as HTML.
(() => {
  const NEXT = { ascending: "descending", descending: null };
  const POWERS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b"; // 0 to 9 and minus, raised

  const numberOf = (text) => { // NaN for n/a; of an estimate with its interval or behind what it is of, the estimate
    const plain = text.trim().replaceAll("\u2212", "-").replaceAll(",", "");
    const found = plain.match(new RegExp(`^(?:P\\(.*\\) |(?!P\\()[^:]*: )??[<+]?(-?\\d+(?:\\.\\d+)?)(?:\u00b710([${POWERS}]+))?`));
    if (!found) return NaN;
    const power = [...(found[2] || POWERS[0])].map((letter) => "0123456789-"[POWERS.indexOf(letter)]).join("");
    return Number(found[1]) * 10 ** Number(power);
  };

  const compare = (numbers, down) => {
    const sign = down ? -1 : 1;
    if (!numbers) return (a, b) => sign * a.text.localeCompare(b.text, undefined, { numeric: true });
    return (a, b) => Number.isNaN(a.number) - Number.isNaN(b.number) || sign * (a.number - b.number) || 0; // unknown ones last
  };

  const sort = (table, heading, rows) => {
    const order = heading.hasAttribute("aria-sort") ? NEXT[heading.getAttribute("aria-sort")] : "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    let sorted = rows;
    if (order) {
      heading.setAttribute("aria-sort", order);
      const read = (row) => ({ row, text: row.cells[heading.cellIndex].textContent });
      const cells = rows.map(read).map((cell) => ({ ...cell, number: numberOf(cell.text) }));
      sorted = cells.sort(compare(heading.classList.contains("number"), order === "descending")).map((cell) => cell.row);
    }
    table.tBodies[0].append(...sorted);
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const rows = [...table.tBodies[0].rows]; // as they were
    for (const heading of table.tHead.querySelectorAll("th")) {
      const button = document.createElement("button");
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sort(table, heading, rows));
      heading.append(button);
    }
  }
})();
