// Client-side search, and copy buttons for code. Without this script everything else works.

const field = document.getElementById("search");
const found = document.getElementById("found");
const MOST = 8;
let index;

field.closest("search").hidden = false;

async function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return found.replaceChildren();
  index ??= fetch("/docs/search.json").then((response) => response.json());
  const results = (await index).map((entry) => [score(entry, words), entry]).filter(([points]) => points > 0);
  results.sort(([a], [b]) => b - a);
  found.replaceChildren(results.length === 0 ? line(`Nothing about “${field.value}”.`) : list(results.slice(0, MOST)));
}

/**
 * Scores a section of a page: a match in its heading counts most. Returns 0 if a word is missing.
 */
function score({ page, part, text }, words) {
  const [title, heading, body] = [page, part, text].map((value) => value.toLowerCase());
  let points = 0;
  for (const word of words) {
    const here = 8 * heading.includes(word) + 4 * title.includes(word) + body.includes(word);
    if (here === 0) return 0;
    points += here;
  }
  return points;
}

function list(results) {
  const list = document.createElement("ul");
  for (const [, { url, page, part }] of results) {
    const link = document.createElement("a");
    link.href = url;
    link.textContent = part ? `${page}: ${part}` : page;
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
  }
  return list;
}

function line(text) {
  const line = document.createElement("p");
  line.className = "hint";
  line.textContent = text;
  return line;
}

field.addEventListener("input", search);
addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, textarea")) {
    event.preventDefault();
    field.focus();
  }
  if (event.key === "Escape" && event.target === field) {
    field.value = "";
    search();
  }
});

for (const box of document.querySelectorAll(".code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(box.querySelector("code").textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(box.querySelector("code"));
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => (button.textContent = "Copy"), 3_000);
  });
  box.prepend(button);
}

document.documentElement.dataset.ready = "";
