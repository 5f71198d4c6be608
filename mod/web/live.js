// Keeps the page fresh: fetches the same document again and takes over what changed, node by node, so that whoever reads,
// selects or hears it is not disturbed. Everything in it was escaped where it was made; nothing here makes markup.
"use strict";

const INTERVAL_MS = 2000;
const PATIENCE_MS = 5000;

const connection = document.getElementById("connection");

function clock(moment) {
  return moment.toLocaleTimeString(undefined, { hour12: false });
}

/** Times in the reader's own zone. Spans come new with each document. */
function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-as=clock]")) {
    const moment = new Date(time.dateTime);
    time.textContent = clock(moment);
    time.title = moment.toLocaleString();
  }
}

function takeOver(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh.cloneNode(true));
    return;
  }
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const olds = [...old.childNodes];
  const freshs = [...fresh.childNodes];
  freshs.forEach((node, index) => {
    if (index < olds.length) takeOver(olds[index], node);
    else old.append(node.cloneNode(true));
  });
  for (const node of olds.slice(freshs.length)) node.remove();
}

async function refresh() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(location.pathname, { signal });
    if (!response.ok) throw new Error(`the agent answered ${response.status}`);
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    localTimes(fresh);
    for (const node of fresh.querySelectorAll("noscript")) node.remove();
    for (const id of ["connection", "summary", "facts", "problems", "members", "map", "events"]) {
      const [old, next] = [document.getElementById(id), fresh.getElementById(id)];
      if (old !== null && next !== null) takeOver(old, next);
    }
    if (document.title !== fresh.title) document.title = fresh.title;
    document.body.classList.remove("stale");
  } catch {
    if (document.body.classList.contains("stale")) return;
    document.body.classList.add("stale");
    // Said once: it does not change until the agent answers again, and then the role is gone.
    connection.setAttribute("role", "alert");
    connection.textContent = `No answer from the agent since ${clock(new Date())}; asking again`;
  }
}

let timer;

/** A page that nobody sees costs the agent nothing; one that comes into sight is fresh at once. */
async function live() {
  clearTimeout(timer);
  if (document.visibilityState !== "visible") return;
  await refresh();
  clearTimeout(timer);
  timer = setTimeout(live, INTERVAL_MS);
}

for (const node of connection.querySelectorAll("noscript")) node.remove();
localTimes(document);
document.addEventListener("visibilitychange", live);
timer = setTimeout(live, INTERVAL_MS);
