// Filters, sorts and compares the rows of the list. Without it the list is still whole.
"use strict";
const runs = JSON.parse(document.getElementById("runs").textContent);
const body = document.querySelector("table.runs tbody");
const rows = [...body.rows];
const form = document.querySelector(".filters");
const compared = document.querySelector(".compare");
const found = document.querySelector(".found");
for (const hidden of document.querySelectorAll(".filters, .choose [hidden]")) hidden.hidden = false;

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// --- filters; what is chosen stays in the address, to be sent to somebody
function filter() {
  const asked = [...form.querySelectorAll("[data-filter]")].filter((input) => input.value);
  let n = 0;
  for (const row of rows) {
    row.hidden = !asked.every((input) => input.dataset.filter === "words"
      ? input.value.toLowerCase().split(/\s+/).every((word) => row.textContent.toLowerCase().includes(word))
      : row.dataset[input.dataset.filter] === input.value);
    n += !row.hidden;
  }
  found.textContent = n === rows.length ? "" : `${n} of ${rows.length}`;
  const query = new URLSearchParams(asked.map((input) => [input.dataset.filter, input.value])).toString();
  try { history.replaceState(null, "", query ? `#${query}` : location.pathname); } catch (error) { /* file: in some browsers */ }
}
for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
  const input = form.querySelector(`[data-filter="${CSS.escape(name)}"]`);
  if (input) input.value = value;
}
form.addEventListener("input", filter);
form.addEventListener("reset", () => setTimeout(filter));
form.addEventListener("submit", (event) => event.preventDefault());
filter();

// --- sorting
for (const head of document.querySelectorAll("th[data-key]")) {
  head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of document.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = `sort${head.dataset.key[0].toUpperCase()}${head.dataset.key.slice(1)}`;
    const number = ["uar", "gain"].includes(head.dataset.key);
    const value = (row) => row.dataset[key] ?? "";
    rows.sort((a, b) => {
      if ((value(a) === "") !== (value(b) === "")) return value(a) === "" ? 1 : -1;  // unknown last
      const order = number ? value(a) - value(b) : value(a).localeCompare(value(b), "en", { numeric: true });
      return down ? -order : order;
    });
    body.append(...rows);
  });
}

// --- comparison
function table(heads, lines, kind = "") {
  const made = element("table", undefined, { class: kind });
  const top = made.createTHead().insertRow();
  top.append(element("th", ""), ...heads.map((head) => head.cloneNode(true)));
  const inner = made.createTBody();
  for (const [name, cells] of lines) {
    const row = inner.insertRow();
    row.append(element("th", name, { scope: "row" }));
    for (const cell of cells) row.append(element("td", cell));
  }
  const scroll = element("div", undefined, { class: "scroll" });
  scroll.append(made);
  return scroll;
}
function compare() {
  const chosen = [...body.querySelectorAll(".choose input:checked")].map((box) => runs[box.value]);
  compared.hidden = chosen.length === 0;
  compared.replaceChildren();
  if (chosen.length < 2) {
    if (chosen.length) compared.append(element("p", "Tick another run to compare it with this one."));
    return;
  }
  const heads = chosen.map((run) => {
    const head = element("th");
    head.append(run.report ? element("a", run.title, { href: run.report }) : run.title, element("br"), run.pair);
    return head;
  });
  const names = [...new Set(chosen.flatMap((run) => Object.keys(run.parameters)))];
  const parameters = names.map((name) => [name.replaceAll("_", " "), chosen.map((run) => run.parameters[name] ?? "")])
    .filter(([, cells]) => !cells.every((cell) => cell === cells[0]));
  const lines = (kind) => [...new Map(chosen.flatMap((run) => run[kind].map(([name, title]) => [name, title])))]
    .map(([name, title]) => [title, chosen.map((run) => {
      const own = run[kind].find(([other]) => other === name);
      return own ? own.slice(2).join(", ") : "";
    })])
    .filter(([, cells]) => cells.some(Boolean));
  compared.append(element("h2", `${chosen.length} runs side by side`));
  compared.append(element("h3", "What differs between them"));
  compared.append(parameters.length ? table(heads, parameters, "wide") : element("p", "No parameter, and not the code."));
  compared.append(element("h3", compared.dataset.uar ?? "UAR"));
  compared.append(table(heads, lines("methods")));
  const gains = lines("gains");
  if (gains.length) compared.append(element("h3", "Gain over the control, and verdict"), table(heads, gains));
  const clear = element("button", "Untick all", { type: "button" });
  clear.addEventListener("click", () => {
    for (const box of body.querySelectorAll(".choose input:checked")) box.checked = false;
    compare();
  });
  compared.append(clear);
}
body.addEventListener("change", compare);
