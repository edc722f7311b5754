// The panels for faults, the bot's process and the audit log.
import { $, clock, h } from "./dom.js";
import { on, post, state } from "./live.js";

export function startMachine() {
  on("whole", () => (drawSwitches(), drawBot()));
  on("switches", drawSwitches);
  on("bot", drawBot);
  on("panel-shown", (name) => name === "audit" && readAudit());
  let soon = null;
  for (const topic of ["messages", "alerts"]) on(topic, () => {
    if ($("#audit").hidden) return;
    clearTimeout(soon);
    soon = setTimeout(readAudit, 1500);
  });
  for (const button of document.querySelectorAll("[data-bot]")) button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    await post(`/bot/${button.dataset.bot}`);
    button.removeAttribute("aria-busy");
  });
  $("#audit-again").addEventListener("click", readAudit);
  $("#two-people").addEventListener("change", (event) => post("/two-people", { on: event.target.checked }));
}

function drawSwitches() {
  const row = (fault) => {
    const box = h("input", { type: "checkbox", role: "switch", checked: fault.on, id: fault.id, on: { change: () => post("/switch", { id: fault.id, on: box.checked }) } });
    return h("label", { class: "switch-row" }, h("span", { class: "switch-words" }, h("b", {}, fault.name), h("span", {}, fault.meaning)), h("span", { class: "switch-place" }, box, h("span", { class: "switch", "aria-hidden": "true" })));
  };
  for (const side of ["github", "slack"]) {
    const list = $(`#switches-${side}`);
    const focused = list.contains(document.activeElement) ? document.activeElement.id : null;
    list.replaceChildren(...state.switches.filter((fault) => fault.side === side).map(row));
    if (focused) document.getElementById(focused)?.focus();
  }
  const count = state.switches.filter((fault) => fault.on).length;
  $("#fault-count").textContent = count || "";
  $("#fault-count").hidden = !count;
}

const BOT_WORDS = {
  up: ["Stanch is running", "It runs in its own process. Kill it at any time: nothing is lost."],
  starting: ["Stanch is starting…", "It creates its database, imports identities, and starts to serve."],
  down: ["Stanch is down", "Cards don't change until it runs again. Nothing that happens until then is lost."],
};

function drawBot() {
  const { state: word, starts, last_log_line: last } = state.bot;
  const [title, words] = BOT_WORDS[word];
  const box = $("#bot-state");
  $("#two-people").checked = state.bot.two_people;
  box.dataset.state = word;
  $("#bot-title").textContent = title;
  $("#bot-words").textContent = word === "up" && starts > 1 ? `Started ${starts} times. Every card is as it was.` : words;
  $("#bot-kill").hidden = word !== "up";
  $("#bot-start").hidden = word !== "down";
  const banner = $("#bot-banner");
  banner.hidden = word === "up";
  banner.dataset.state = word;
  $("#bot-banner-words").textContent = word === "starting" ? "Stanch is starting, which takes a few seconds. What you click now is done then." : `Stanch is down: cards don't change. ${last && starts === 0 ? last : ""}`;
  $("#bot-banner-start").hidden = word !== "down";
}

let reading = false;

/** Show the audit log, newest first; the bot's own command exports it. */
async function readAudit() {
  if (reading) return;
  reading = true;
  $("#audit").setAttribute("aria-busy", "true");
  $("#audit-reading").hidden = false;
  const answer = await fetch("/audit").then((response) => response.json()).catch(() => ({ problem: "The demo's server does not answer." }));
  reading = false;
  $("#audit").removeAttribute("aria-busy");
  $("#audit-reading").hidden = true;
  $("#audit-problem").textContent = answer.problem ?? "";
  if (!answer.rows) return;
  $("#audit-none").hidden = answer.rows.length > 0;
  $("#audit-list").replaceChildren(...answer.rows.slice(-200).reverse().map(auditRow));
}

function auditRow(row) {
  const who = state.people.get(row.slack_user)?.name ?? row.slack_user ?? "Stanch";
  const what = row.repository ? `${row.repository}${row.alert_number ? ` #${row.alert_number}` : ""}` : "";
  return h("li", { class: "audit-row" },
    h("span", { class: `outcome ${row.outcome}` }, row.outcome),
    h("span", { class: "audit-words" },
      h("span", {}, h("b", {}, who), row.github_login ? ` (${row.github_login})` : "", " ", h("code", {}, row.action), what && ` on ${what}`),
      row.reason && h("span", { class: "audit-reason" }, row.reason),
      h("span", { class: "audit-hash", title: "Each row's hash covers the one before" }, `${row.seq} · ${clock(Date.parse(row.at) / 1000)} · ${row.hash.slice(0, 12)}…`)));
}
