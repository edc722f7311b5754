// Starts the page's parts; also panels, phone frame and theme.
import { $, $$ } from "./dom.js";
import { icon, logo } from "./icons.js";
import { connect, emit, on, state } from "./live.js";
import { startClicks } from "./clicks.js";
import { startComposer } from "./composer.js";
import { startGitHub } from "./github.js";
import { startMachine } from "./machine.js";
import { startMessages } from "./messages.js";
import { startModal } from "./modal.js";
import { personInAddress, startPeople } from "./people.js";
import { startOver } from "./start_over.js";
import { startToasts } from "./toasts.js";
import { startTour } from "./tour.js";

for (const place of $$("[data-icon]")) place.prepend(icon(place.dataset.icon));
for (const place of $$("[data-logo]")) place.prepend(logo());

startClicks();
startPeople();
startMessages();
startModal();
startComposer();
startToasts();
startGitHub();
startMachine();
startTour();
startOver();
startPanels();
startTheme();
startFrame();
on("connected", (connected) => ($("#offline").hidden = connected));
connect(personInAddress());

function startPanels() {
  const show = (name) => {
    document.body.dataset.panel = name;
    for (const tab of $$("#bottom-tabs [data-panel]")) tab.setAttribute("aria-selected", String(tab.dataset.panel === name));
    if (name === "slack") return emit("panel-shown", name);
    for (const panel of $$(".panel-page")) panel.hidden = panel.id !== name;
    for (const tab of $$("#panel-tabs [data-panel]")) tab.setAttribute("aria-selected", String(tab.dataset.panel === name));
    emit("panel-shown", name);
  };
  for (const tab of $$("button[data-panel]")) tab.addEventListener("click", () => show(tab.dataset.panel));
  for (const list of $$("[role=tablist]")) list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = $$("[role=tab]", list);
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
  on("panel", show);
  on("github-link", () => show("github"));
  show("github");
  document.body.dataset.panel = "slack";
  for (const tab of $$("#bottom-tabs [data-panel]")) tab.setAttribute("aria-selected", String(tab.dataset.panel === "slack"));
}

function startTheme() {
  const button = $("#theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = localStorage.getItem("theme") ?? (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    button.replaceChildren(icon(theme === "dark" ? "sun" : "moon"));
    button.setAttribute("aria-label", theme === "dark" ? "Use light colours" : "Use dark colours");
  };
  button.addEventListener("click", () => {
    localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply();
  });
  dark.addEventListener("change", apply);
  apply();
}

function startFrame() {
  const button = $("#frame");
  const apply = () => {
    const phone = localStorage.getItem("frame") === "phone";
    document.body.classList.toggle("phone-frame", phone);
    button.replaceChildren(icon(phone ? "desktop" : "phone"));
    button.setAttribute("aria-label", phone ? "Show Slack at desktop width" : "Show Slack at phone width");
    button.setAttribute("aria-pressed", String(phone));
  };
  button.addEventListener("click", () => {
    localStorage.setItem("frame", document.body.classList.contains("phone-frame") ? "desktop" : "phone");
    apply();
  });
  apply();
}

// For tests and for the browser's console.
window.stanchDemo = { state };
