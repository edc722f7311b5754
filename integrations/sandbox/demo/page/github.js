// The GitHub panel: repositories, alerts, alert pages, actions, roles.
import { $, ago, clock, h, newId } from "./dom.js";
import { emit, on, onGitHub, state } from "./live.js";
import { whenReleased } from "./press.js";

export const REASONS = { revoked: "Revoked", false_positive: "False positive", used_in_tests: "Used in tests", wont_fix: "Won't fix", pattern_edited: "Pattern edited", pattern_deleted: "Pattern deleted" };
const VALIDITY = { active: "Active", inactive: "Inactive", unknown: "Unknown" };
const open = { alert: null, filter: "open" };
const rows = new Map(); // alert id -> {element, json}

export function startGitHub() {
  on("whole", () => (drawTools(), drawList(), drawAlert()));
  on("github", () => (drawTools(), drawPeople()));
  on("alerts", (ids) => (ids.forEach(drawRow), drawCounts(), ids.includes(open.alert) && drawAlert()));
  on("github-link", followLink);
  on("whole", drawPeople);
  for (const tab of document.querySelectorAll("[data-filter]")) tab.addEventListener("click", () => {
    open.filter = tab.dataset.filter;
    drawList();
  });
  on("github-filter", (filter) => {
    open.filter = filter;
    showAlert(null);
    drawList();
  });
  $("#leak-form").addEventListener("submit", leak);
  $("#alert-back").addEventListener("click", () => showAlert(null));
  $("#redeliver").addEventListener("click", () => act("redeliver", {}, $("#redeliver")));
  setInterval(() => whenReleased(() => open.alert && drawAlert()), 30000);
}

/** The login that acts in the panel: the person's, or the owner's for people without an account. */
const actor = () => state.people.get(state.me)?.login ?? "olivia-chen";

async function act(action, fields, button) {
  if (button?.getAttribute("aria-busy") === "true") return {};
  button?.setAttribute("aria-busy", "true");
  const answer = await onGitHub(action, { login: actor(), ...fields });
  button?.removeAttribute("aria-busy");
  showProblem(answer.problem ?? "");
  return answer;
}

function showProblem(problem) {
  const line = $("#github-problem");
  line.textContent = problem;
  line.hidden = !problem;
}

// Leaking

function drawTools() {
  const { repositories, leak_kinds: kinds, failed_deliveries: failed } = state.github;
  fill($("#leak-repository"), repositories.map((each) => [String(each.id), `${each.name} (${each.visibility})`]));
  fill($("#leak-kind"), Object.entries(kinds));
  $("#failed").hidden = !failed;
  $("#failed-words").textContent = `${failed} ${failed === 1 ? "webhook" : "webhooks"} got no answer.`;
}

function fill(select, options) {
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, text]) => h("option", { value }, text)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

async function leak(event) {
  event.preventDefault();
  const form = event.target;
  const answer = await act("leak", {
    repository: Number(form.repository.value), kind: form.kind.value, count: Number(form.count.value),
    bypassed: form.bypassed.checked, publicly_leaked: form.publicly_leaked.checked,
  }, $("#leak-button"));
  if (answer.alerts) emit("leaked", answer.alerts);
}

// Alerts

const shownAlerts = () => [...state.alerts.values()].filter((alert) => alert.state === (open.filter === "open" ? "open" : "resolved"));

function drawList() {
  for (const tab of document.querySelectorAll("[data-filter]")) tab.setAttribute("aria-pressed", String(tab.dataset.filter === open.filter));
  rows.clear();
  const sorted = shownAlerts().sort((one, other) => other.created_at - one.created_at);
  $("#alert-list").replaceChildren(...sorted.map(makeRow));
  drawCounts();
}

function drawCounts() {
  const all = [...state.alerts.values()];
  const count = all.filter((alert) => alert.state === "open").length;
  $("#count-open").textContent = count;
  $("#count-closed").textContent = all.length - count;
  $("#alert-none").hidden = rows.size > 0;
}

function drawRow(id) {
  const alert = state.alerts.get(id);
  const before = rows.get(id);
  const belongs = alert && (alert.state === "open") === (open.filter === "open");
  if (!belongs) {
    before?.element.remove();
    rows.delete(id);
  } else if (!before) $("#alert-list").prepend(makeRow(alert));
  else if (before.json !== JSON.stringify(alert)) {
    const focused = before.element.contains(document.activeElement);
    const old = before.element;
    old.replaceWith(makeRow(alert));
    if (focused) rows.get(id).element.querySelector("button").focus();
  }
}

function makeRow(alert) {
  const element = h("li", { class: "alert-row", data: { alert: alert.id } },
    h("button", { type: "button", on: { click: () => showAlert(alert.id) } },
      h("span", { class: `state-dot ${alert.state}`, role: "img", "aria-label": alert.state === "open" ? "open" : "closed" }),
      h("span", { class: "row-words" },
        h("span", { class: "row-title" }, alert.name, " ", h("span", { class: "row-number" }, `#${alert.number}`)),
        h("span", { class: "row-facts" }, `${alert.repository} · ${alert.resolution ? `closed as ${REASONS[alert.resolution]?.toLowerCase() ?? alert.resolution}` : ago(alert.created_at)}`)),
      validityMark(alert)));
  rows.set(alert.id, { element, json: JSON.stringify(alert) });
  return element;
}

const validityMark = (alert) => h("span", { class: `label ${alert.validity}` }, VALIDITY[alert.validity] ?? alert.validity);

/** Open an alert's page, or go back to the list. */
export function showAlert(id) {
  open.alert = id;
  showProblem("");
  emit("panel", "github");
  drawAlert();
  $("#github").scrollTop = 0;
  if (id) $("#alert-title")?.focus({ preventScroll: true });
  else $("#alert-list button")?.focus({ preventScroll: true });
  emit("alert-page", id);
}

function followLink(path) {
  const [, owner, name, , , number] = path.split("/");
  const found = [...state.alerts.values()].find((alert) => alert.repository === `${owner}/${name}` && String(alert.number) === number);
  showAlert(found?.id ?? null);
}

function drawAlert() {
  const alert = state.alerts.get(open.alert);
  $("#github-home").hidden = !!alert;
  $("#alert-page").hidden = !alert;
  if (!alert) return;
  const body = $("#alert-body");
  const focus = body.contains(document.activeElement) ? document.activeElement.id : null;
  if (focus && ["close-reason", "close-comment"].includes(focus)) return;
  const fact = (name, value) => value && [h("dt", {}, name), h("dd", {}, value)];
  const repository = state.github.repositories.find((each) => each.id === alert.repository_id);
  const dead = alert.token?.dead_at;
  body.replaceChildren(
    h("h2", { id: "alert-title", tabindex: "-1" }, alert.name, " ", h("span", { class: "row-number" }, `#${alert.number}`)),
    h("p", { class: "alert-state" },
      h("span", { class: `state-badge ${alert.state}` }, alert.state === "open" ? "Open" : "Closed"), validityMark(alert),
      alert.publicly_leaked && h("span", { class: "label active" }, "Public leak")),
    h("dl", { class: "facts" },
      fact("Repository", `${alert.repository} (${alert.visibility})`),
      fact("Secret", alert.token ? `••••••••••••, a ${alert.token.kind.replace("_", "-")} token of ${alert.token.owner}` : "••••••••••••"),
      alert.token && fact("Token now", dead ? (dead * 1000 > Date.now() ? "works for a few more seconds" : `revoked at ${clock(dead)}`) : "works"),
      fact("Found in", alert.places.map(placeWords)),
      fact("Push protection", alert.bypassed_by && `bypassed by ${alert.bypassed_by}: “${alert.bypass_comment}”`),
      fact("Assignee", assigneeMenu(alert)),
      fact("Closed as", alert.resolution && `${REASONS[alert.resolution] ?? alert.resolution}${alert.resolved_by ? ` by ${alert.resolved_by}` : ""}`),
      fact("Comment", alert.comment)),
    alert.state === "open" ? closeForm(alert) : h("div", { class: "alert-actions" }, h("button", { type: "button", class: "button", id: "reopen-alert", on: { click: (event) => act("reopen", { alert: alert.id }, event.currentTarget) } }, "Reopen alert")),
    h("div", { class: "alert-actions" },
      alert.token && !dead && h("button", { type: "button", class: "button danger", id: "revoke-token", on: { click: (event) => act("revoke", { alert: alert.id }, event.currentTarget) } }, "Revoke the token"),
      !alert.publicly_leaked && h("button", { type: "button", class: "button", id: "publish-leak", on: { click: (event) => act("publish", { alert: alert.id }, event.currentTarget) } }, "Mark as publicly leaked")),
    h("h3", {}, "Timeline"),
    h("ol", { class: "timeline" }, alert.timeline.map((entry) => h("li", {}, h("span", {}, timelineWords(entry)), h("time", {}, clock(entry.at))))),
    repository && repositoryForm(repository),
  );
  if (focus) document.getElementById(focus)?.focus();
}

const placeWords = ({ type, path, line, commit }) =>
  h("div", {}, path ? [h("code", {}, path), ` line ${line}, commit `, h("code", {}, commit.slice(0, 7))] : type.replaceAll("_", " "));

function assigneeMenu(alert) {
  const select = h("select", { id: "assignee", "aria-label": "Assignee", on: { change: () => act("assign", { alert: alert.id, assignee: select.value }, select) } },
    h("option", { value: "" }, "nobody"), state.github.people.map((person) => h("option", { value: person.login }, person.login)));
  select.value = alert.assigned_to ?? "";
  return select;
}

const timelineWords = ({ by, what, old, new: now }) =>
  old === null
    ? [h("b", {}, by), " found this secret"]
    : [h("b", {}, by ?? "GitHub"), ` changed ${what}: `, h("del", {}, old), " → ", h("ins", {}, now)];

function closeForm(alert) {
  const select = h("select", { id: "close-reason", name: "resolution", "aria-label": "Reason" }, ["revoked", "false_positive", "used_in_tests", "wont_fix"].map((reason) => h("option", { value: reason }, REASONS[reason])));
  const comment = h("input", { id: "close-comment", type: "text", maxlength: 280, placeholder: "Comment (optional)", "aria-label": "Comment" });
  return h("form", { class: "close-form", on: { submit: async (event) => {
    event.preventDefault();
    event.submitter?.focus();
    await act("close", { alert: alert.id, resolution: select.value, comment: comment.value }, event.submitter);
  } } }, h("span", { class: "form-title" }, `Close it here as ${actor()}`), h("div", { class: "form-row" }, select, comment, h("button", { type: "submit", class: "button", id: "close-alert" }, "Close alert")));
}

function repositoryForm(repository) {
  const id = newId("rename");
  const name = h("input", { id, type: "text", "aria-label": "Repository name" });
  name.value = repository.name.split("/")[1];
  return h("details", { class: "repository-form" }, h("summary", {}, `Settings of ${repository.name}`),
    h("form", { class: "form-row", on: { submit: (event) => (event.preventDefault(), act("rename", { repository: repository.id, name: name.value }, event.submitter)) } }, name, h("button", { type: "submit", class: "button" }, "Rename")),
    h("button", { type: "button", class: "button", on: { click: (event) => act("visibility", { repository: repository.id }, event.currentTarget) } }, repository.visibility === "public" ? "Make it private" : "Make it public"));
}

// People and roles

function drawPeople() {
  const list = $("#role-list");
  if (list.contains(document.activeElement) && document.activeElement.tagName === "SELECT") return;
  list.replaceChildren(...state.github.people.map((person) => {
    const select = h("select", { "aria-label": `Role of ${person.name}`, on: { change: () => act("role", { login: person.login, role: select.value }, select) } },
      Object.entries(state.github.roles).map(([role, words]) => h("option", { value: role }, words)));
    select.value = person.role;
    const revoke = person.authorized && h("div", { class: "authorized" }, h("span", {}, "Has authorized Stanch"),
      h("button", { type: "button", class: "button danger", "aria-label": `Revoke the authorization of ${person.name}`, data: { revoke: person.login }, on: { click: (event) => act("revoke-authorization", { of: person.login }, event.currentTarget) } }, "Revoke"));
    return h("li", { class: "role-row" }, h("span", { class: "role-name" }, h("b", {}, person.name), h("span", {}, person.login)), select, revoke);
  }));
}
