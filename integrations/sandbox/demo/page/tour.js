// The guided tour: eight steps through one alert. The visitor does each step or skips it.
import { $, $$ } from "./dom.js";
import { emit, messagesOf, on, state } from "./live.js";
import { here, openChannel } from "./messages.js";
import { become } from "./people.js";

const PAYMENTS = "C0PAYMENTS";
const DONE_KEY = "tour:dismissed";
const tour = { step: -1, alert: null };

const card = () => tour.alert && messagesOf(PAYMENTS).concat(messagesOf("C0ALERTS")).find(hasAlert);
const hasAlert = (message) => JSON.stringify(message.blocks).includes(`"alert:${tour.alert}:`) && !message.private && !message.thread;
const alert = () => state.alerts.get(tour.alert);
const onCard = (action) => () => {
  const found = card();
  return found && $(`#message-list [data-ts="${found.ts}"] [data-action="${action}"]`);
};

const STEPS = [
  { title: "A token leaks", words: "Dana pushes a commit to octo/payments, a private repository. It holds a GitHub token that works. Leak it.", target: () => $("#leak-button"), panel: "github", done: () => tour.alert !== null },
  { title: "The card arrives", words: "GitHub sent Stanch a webhook, and Stanch posted a card. The card shows what leaked, where, and what GitHub says about it.", target: () => card() && $(`#message-list [data-ts="${card().ts}"]`), panel: "slack", done: () => false, ready: () => !!card() },
  { title: "Say that you are on it", words: "Press “I'm on it”. Everybody sees who handles this alert, on each of its cards.", target: onCard("take"), panel: "slack", done: () => /on it/i.test(card()?.text ?? "") && !/nobody/i.test(card()?.text ?? "") },
  { title: "Does it still work?", words: "Press “Check validity”. Stanch calls GitHub once with the token, and does not keep it.", target: onCard("check_validity"), panel: "slack", done: () => /still works|inactive|dead/i.test(card()?.text ?? "") },
  { title: "Report the leak", words: "Press “Report leak”. GitHub will revoke the token, and services that use it break. That can't be undone, so Stanch asks for consent first.", target: onCard("report_leak"), panel: "slack", done: () => !!alert()?.token?.dead_at },
  { title: "Close it with a reason", words: "Choose “Close as… Revoked”, add a comment if you like, and submit. Stanch closes the alert on GitHub too.", target: onCard("close_as"), panel: "slack", done: () => alert()?.state === "resolved" },
  { title: "See it on GitHub", words: "Open the closed alert: its page shows the reason, the comment and the person.", prepare: () => emit("github-filter", "closed"), target: () => $(`[data-alert="${tour.alert}"]`) ?? $("[data-filter=closed]"), panel: "github", done: () => $("#alert-page").hidden === false && tour.seen },
  { title: "See the audit log", words: "It lists what people did and tried, and what was refused. Each row's hash covers the row before it.", target: () => $("[data-panel=audit]"), panel: "audit", done: () => false, last: true },
];

export function startTour() {
  on("leaked", (alerts) => tour.step === 0 && ((tour.alert = alerts[0]), update()));
  on("messages", update);
  on("alerts", update);
  on("alert-page", (id) => ((tour.seen = id === tour.alert), update()));
  on("whole", () => (tour.step < 0 && !localStorage.getItem(DONE_KEY) ? begin() : update()));
  on("channel", update);
  $("#tour-button").addEventListener("click", () => begin());
  $("#tour-next").addEventListener("click", () => go(tour.step + 1));
  $("#tour-dismiss").addEventListener("click", () => end());
  $("#tour-show").addEventListener("click", () => showTarget());
}

function begin() {
  tour.alert = null;
  tour.seen = false;
  if (state.me && !["U0SAM", "U0OLIVIA", "U0ANA"].includes(state.me)) become("U0SAM");
  go(0);
}

/** Have the tour begin with the page, as at a first visit. */
export const forgetTour = () => localStorage.removeItem(DONE_KEY);

function end() {
  localStorage.setItem(DONE_KEY, "yes");
  tour.step = -1;
  $("#tour").hidden = true;
  highlight(null);
}

function go(step) {
  if (step >= STEPS.length) return end();
  tour.step = step;
  const { title, words, last } = STEPS[step];
  $("#tour").hidden = false;
  $("#tour-count").textContent = `${step + 1} of ${STEPS.length}`;
  $("#tour-title").textContent = title;
  $("#tour-words").textContent = words;
  $("#tour-next").textContent = last ? "Finish" : "Next";
  $("#tour-progress").style.setProperty("--done", (step + 1) / STEPS.length);
  showTarget();
}

/** Scroll the step's target into view. */
function showTarget() {
  const step = STEPS[tour.step];
  emit("panel", step.panel);
  step.prepare?.();
  if (step.panel === "slack") {
    const found = card();
    if (found && here.channel !== found.channel) openChannel(found.channel);
  }
  update(true);
}

let scheduled = false;

function update(scroll = false) {
  if (tour.step < 0) return;
  if (STEPS[tour.step].done()) return setTimeout(() => STEPS[tour.step]?.done() && go(tour.step + 1), 600);
  if (scheduled && scroll !== true) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    highlight(STEPS[tour.step]?.target() ?? null, scroll === true);
  });
}

function highlight(target, scroll) {
  for (const marked of $$(".tour-target")) if (marked !== target) marked.classList.remove("tour-target");
  target?.classList.add("tour-target");
  if (target && scroll) target.scrollIntoView({ block: "nearest" });
}
