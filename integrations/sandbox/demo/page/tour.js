// The guided tour: shows one step after the other. The visitor does each one or skips it.
import { $, $$ } from "./dom.js";
import { emit, on, state } from "./live.js";
import { here, openChannel } from "./messages.js";
import { become } from "./people.js";
import { STEPS, card, lesson } from "./tour_steps.js";

const DONE_KEY = "tour:dismissed";
const MAY_DO_ALL = ["U0SAM", "U0OLIVIA", "U0ANA"];
const PAUSE_MS = 600;
let at = -1; // the number of the step; -1 without a tour
let switching = false; // whether the page is about to show another person's window

export function startTour() {
  on("leaked", (alerts) => at === 0 && ((lesson.alert = alerts[0]), update()));
  on("alert-page", (id) => ((lesson.seen = id !== null && id === lesson.alert), update()));
  on("whole", takeWhole);
  for (const topic of ["alerts", "views", "channel", "thread"]) on(topic, () => update());
  // New messages push the target out of view.
  on("messages", () => update(true));
  $("#tour-button").addEventListener("click", begin);
  $("#tour-next").addEventListener("click", () => go(at + 1));
  $("#tour-dismiss").addEventListener("click", end);
  $("#tour-show").addEventListener("click", showTarget);
}

function takeWhole() {
  if (at < 0 && !localStorage.getItem(DONE_KEY)) return begin();
  if (!switching) return update();
  switching = false;
  showTarget();
}

function begin() {
  lesson.alert = null;
  lesson.seen = false;
  lesson.worker = MAY_DO_ALL.includes(state.me) ? state.me : MAY_DO_ALL[0];
  go(0);
}

/** Have the tour begin with the page, as at a first visit. */
export const forgetTour = () => localStorage.removeItem(DONE_KEY);

function end() {
  localStorage.setItem(DONE_KEY, "yes");
  // Only the tour made the visitor this person.
  if (STEPS[at]?.person) become(lesson.worker);
  switching = false;
  at = -1;
  $("#tour").hidden = true;
  highlight(null);
}

function go(step) {
  if (step >= STEPS.length) {
    end();
    $("#tour-end").showModal();
    return;
  }
  at = step;
  const { title, words } = STEPS[at];
  $("#tour").hidden = false;
  $("#tour-count").textContent = `${at + 1} of ${STEPS.length}`;
  $("#tour-title").textContent = title;
  $("#tour-words").textContent = words;
  $("#tour-next").textContent = at === STEPS.length - 1 ? "Finish" : "Next";
  $("#tour-progress").style.setProperty("--done", (at + 1) / STEPS.length);
  const person = STEPS[at].person ?? lesson.worker;
  switching = person !== state.me;
  if (switching) become(person);
  else showTarget();
}

/** Show the step's panel and scroll its target into view. */
function showTarget() {
  const { panel, prepare, channel = () => card()?.channel } = STEPS[at];
  emit("panel", panel);
  prepare?.();
  const found = panel === "slack" && channel();
  if (found && here.channel !== found) openChannel(found);
  if (found) $(".slack").dataset.view = "channel";
  update(true);
}

let scheduled = false;

function update(scroll = false) {
  if (at < 0) return;
  const step = STEPS[at];
  if (step.done()) {
    // What the click did can be seen for a moment.
    setTimeout(() => STEPS[at] === step && go(at + 1), PAUSE_MS);
    return;
  }
  if (scheduled && !scroll) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    highlight(STEPS[at]?.target() ?? null, scroll);
  });
}

function highlight(target, scroll) {
  for (const marked of $$(".tour-target")) if (marked !== target) marked.classList.remove("tour-target");
  target?.classList.add("tour-target");
  if (target && scroll) target.scrollIntoView({ block: target.offsetHeight > 300 ? "nearest" : "center" });
}
