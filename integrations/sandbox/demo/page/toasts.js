// Push notifications: a message's top-level text, as a lock screen shows it.
import { $, $$, h } from "./dom.js";
import { names, on, state } from "./live.js";
import { here, openChannel } from "./messages.js";
import { isNarrow } from "./menu.js";
import { face } from "./people.js";

const SHOWN_MS = 6000;
const most = () => (isNarrow($("#toasts")) ? 1 : 2);
let waiting = 0;

/** As in Slack, the channel that is shown has no notifications. */
export function startToasts() {
  on("messages", ({ changed }) => {
    const fresh = changed.filter((message) => message.new && message.bot && !message.private && !message.thread && !(message.channel === here.channel && isShown()));
    for (const message of fresh.slice(0, most())) show(message);
    if (fresh.length > most()) more(fresh.length - most());
  });
  on("panel-shown", () => isShown() && $$(`[data-channel="${here.channel}"]`, $("#toasts")).forEach((toast) => toast.remove()));
  on("whole", () => $("#toasts").replaceChildren());
}

const isShown = () => $("#messages").checkVisibility({ visibilityProperty: true });

function show(message) {
  const list = $("#toasts");
  while (list.children.length >= most()) list.firstElementChild.remove();
  const channel = names.channel(message.channel);
  const toast = h("div", { class: "toast", role: "status", data: { channel: message.channel } },
    h("button", { type: "button", class: "toast-open", on: { click: () => {
      toast.remove();
      if (here.channel !== message.channel) openChannel(message.channel);
      document.querySelector(`#message-list [data-ts="${message.ts}"]`)?.scrollIntoView({ block: "nearest" });
    } } },
      face("bot", "small"),
      h("span", { class: "toast-words" },
        h("span", { class: "toast-head" }, h("b", {}, "Stanch"), h("span", {}, channel ? (channel.direct ? "direct message" : `#${channel.name}`) : ""), h("span", { class: "toast-now" }, "now")),
        h("span", { class: "toast-text" }, plain(message.text)))),
    h("button", { type: "button", class: "toast-close", "aria-label": "Dismiss notification", on: { click: () => toast.remove() } }, "×"),
  );
  list.append(toast);
  setTimeout(() => toast.remove(), SHOWN_MS);
}

function more(count) {
  waiting += count;
  $(".toast.more")?.remove();
  const line = h("div", { class: "toast more" }, `and ${waiting} more`);
  $("#toasts").append(line);
  setTimeout(() => (line.remove(), (waiting = 0)), SHOWN_MS);
}

/** A lock screen shows names for mentions, and no other markup. */
function plain(text) {
  return text
    .replace(/<@(\w+)>/g, (_, id) => `@${state.people.get(id)?.name ?? id}`)
    .replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&" })[name]);
}
