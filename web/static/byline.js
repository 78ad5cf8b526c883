// Everything works without this file. It adds suggestions to the search box, copy buttons, and
// another look at a page that waits for an answer.
"use strict";

const box = document.querySelector("input[list]");
const list = box && document.getElementById(box.getAttribute("list"));
let asked = "";

async function suggest() {
  const q = box.value.trim();
  if (q === asked || q.length < 2 || /[/:@]/.test(q)) return;
  asked = q;
  const answer = await fetch("/v1/suggest?q=" + encodeURIComponent(q.slice(0, 200)));
  if (!answer.ok || q !== asked) return;
  const names = [...new Set((await answer.json()).items.map((item) => item.text))];
  list.replaceChildren(...names.map((name) => Object.assign(document.createElement("option"), { value: name })));
}

if (list) {
  let waiting;
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => suggest().catch(() => {}), 200);
  });
}

for (const line of document.querySelectorAll("[data-copy]")) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
  button.setAttribute("aria-label", "Copy " + line.dataset.copy);
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  said.className = "small soft";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(line.textContent.trim());
      said.textContent = " Copied.";
    } catch {
      getSelection().selectAllChildren(line);
      said.textContent = " Selected; copy it with your keyboard.";
    }
  });
  line.before(button, said);
}

const again = document.querySelector("[data-again]");
if (again) setTimeout(() => location.replace(again.href), 1500);
