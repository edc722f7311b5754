// People: their avatars, and the menu that switches the person.
import { $, h } from "./dom.js";
import { icon, logo } from "./icons.js";
import { connect, on, state } from "./live.js";
import { openMenu } from "./menu.js";

const HUES = { U0SAM: 205, U0OLIVIA: 160, U0ANA: 18, U0DANA: 275, U0RAVI: 45, U0NOOR: 330, U0JONAS: 125, U0GRACE: 95, U0THEO: 235 };

/** The avatar of a person, of the bot (its id, or "bot"), or of Slack itself. */
export function face(id, size = "") {
  const person = state.people.get(id);
  if (id === "bot" || person?.kind === "bot") return h("span", { class: `face bot ${size}`, "aria-hidden": "true" }, logo());
  if (!person) return h("span", { class: `face slackbot ${size}`, "aria-hidden": "true" }, "S");
  const initials = person.name.split(" ").map((word) => word[0]).join("");
  const square = h("span", { class: `face ${size}`, "aria-hidden": "true" }, initials);
  square.style.setProperty("--hue", HUES[id] ?? 200);
  return square;
}

export const personInAddress = () => new URLSearchParams(location.search).get("as") ?? "U0SAM";

export function startPeople() {
  const button = $("#switcher");
  button.addEventListener("click", () =>
    openMenu(button, {
      role: "listbox",
      label: "Switch person",
      className: "people-menu",
      items: [...state.people.values()].filter((person) => person.kind !== "bot").map((person) => ({
        value: person.id,
        lead: face(person.id, "small"),
        label: h("span", {}, person.name, h("span", { class: "part" }, `${person.part}${person.linked ? `, ${person.login}` : ""}`)),
        description: person.may,
        selected: person.id === state.me,
      })),
      pick: become,
    }),
  );
  on("whole", show);
}

/** Become another person, in this window only. */
export function become(id) {
  const address = new URL(location.href);
  address.searchParams.set("as", id);
  history.replaceState(null, "", address);
  connect(id);
}

function show() {
  const person = state.people.get(state.me);
  $("#switcher").replaceChildren(
    face(person.id, "small"),
    h("span", { class: "switcher-words" }, h("span", { class: "switcher-name" }, person.name), h("span", { class: "switcher-part" }, person.part)),
    icon("down"),
  );
  $("#switcher").setAttribute("aria-label", `You are ${person.name}, ${person.part}. Switch person`);
  document.title = `Stanch demo: ${person.name}`;
}
