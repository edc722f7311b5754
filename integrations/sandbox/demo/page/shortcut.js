// The menu of a message, with the app's shortcut.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { gesture, state } from "./live.js";
import { openMenu } from "./menu.js";
import { followOwn, showFromSlack } from "./messages.js";

/** The button that opens the menu; null where Slack has no shortcut: private messages, people of other companies. */
export function moreButton(message) {
  if (message.private || state.people.get(state.me)?.kind === "outsider") return null;
  const button = h("button", {
    type: "button", class: "icon-button message-more", "aria-label": "More message actions", "aria-haspopup": "menu", "aria-expanded": "false",
    on: { click: () => openMenu(button, { label: "More message actions", items: [{ label: "The alert behind this", description: "Stanch" }], pick: () => send(message) }) },
  }, icon("dots"));
  return button;
}

async function send({ channel, ts, thread }) {
  if (!thread) followOwn({ command: true });
  const { error, problem, impossible } = await gesture("shortcut", { channel, ts });
  if (impossible) showFromSlack("This message is gone.");
  else if (error || problem) showFromSlack(problem ?? `Stanch didn't answer (${error}). Try again.`);
}
