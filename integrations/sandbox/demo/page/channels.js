// The list of channels, with unread counts.
import { $, h } from "./dom.js";
import { icon } from "./icons.js";
import { messagesOf, state } from "./live.js";
import { here, openChannel } from "./messages.js";
import { face } from "./people.js";

const readKey = (channel) => `read:${state.me}:${channel}`;
const lastRead = (channel) => localStorage.getItem(readKey(channel)) ?? "0";
/** Whether a message is shown in the channel itself, not only in a thread. */
export const isTop = (message) => !message.thread || message.broadcast;

function unread(channel) {
  const read = lastRead(channel.id);
  return messagesOf(channel.id).filter((message) => message.ts > read && message.user !== state.me && isTop(message)).length;
}

/** Mark the open channel as read to its end. */
export function markRead() {
  const last = messagesOf(here.channel).at(-1);
  if (last && document.visibilityState === "visible" && isShown()) localStorage.setItem(readKey(here.channel), last.ts);
}

const isShown = () => $(".slack").dataset.view !== "list" || $(".slack").clientWidth > 600;

/** Draw the list; the focused channel keeps the focus. */
export function drawChannels() {
  const list = $("#channels");
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.channel : null;
  const entry = (channel) => {
    const count = channel.id === here.channel && isShown() ? 0 : unread(channel);
    return h("button", {
      type: "button", class: `channel${channel.id === here.channel ? " active" : ""}${count ? " unread" : ""}`, data: { channel: channel.id },
      "aria-current": channel.id === here.channel ? "page" : null, on: { click: () => openChannel(channel.id) },
    },
      channel.direct ? face("bot", "tiny") : icon(channel.shared ? "shared" : "hash"),
      h("span", { class: "channel-name" }, channel.name),
      count > 0 && h("span", { class: "badge" }, count > 99 ? "99+" : String(count), h("span", { class: "only-read" }, " unread")),
    );
  };
  const group = (title, channels) => (channels.length ? [h("h2", {}, title), ...channels.map(entry)] : []);
  list.replaceChildren(
    ...group("Channels", state.channels.filter((channel) => !channel.direct)),
    ...group("Direct messages", state.channels.filter((channel) => channel.direct)),
  );
  if (focused) $(`[data-channel="${focused}"]`, list)?.focus();
}
