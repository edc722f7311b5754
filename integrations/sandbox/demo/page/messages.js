// The open channel's messages and threads; only changed messages are redrawn.
import { $, add, ago, announce, clock, h } from "./dom.js";
import { drawBlocks } from "./blocks.js";
import { drawChannels, isTop, markRead } from "./channels.js";
import { actOn } from "./clicks.js";
import { icon } from "./icons.js";
import { emit, messagesOf, names, on, state } from "./live.js";
import { mrkdwn } from "./mrkdwn.js";
import { face } from "./people.js";
import { moreButton } from "./shortcut.js";

const SHOWN_AT_FIRST = 40;
export const here = { channel: null, thread: null };
const drawn = new Map(); // ts -> {element, json} in the open channel
const drawnReplies = new Map();
let stuck = true; // whether to keep the newest message in view
let expected = false; // whether the next private message answers this person's command
let oldest = 0; // number of older messages that are not drawn yet
const notices = new Map(); // ts of a message -> Slack's notice below it

export function startMessages() {
  on("whole", () => {
    drawChannels();
    const known = state.channels.some((channel) => channel.id === here.channel);
    openChannel(known ? here.channel : state.channels[0]?.id, { keepView: true });
  });
  on("channels", drawChannels);
  on("messages", takeMessages);
  $("#messages").addEventListener("scroll", onScroll, { passive: true });
  $("#to-newest").addEventListener("click", () => scrollToEnd());
  const sizes = new ResizeObserver(() => stuck && scrollToEnd());
  for (const box of ["#messages", "#message-list"]) sizes.observe($(box));
  $("#thread-close").addEventListener("click", () => openThread(null));
  $("#channel-back").addEventListener("click", () => ($(".slack").dataset.view = "list"));
  setInterval(() => drawn.forEach(({ element }, ts) => redrawFooter(element, ts)), 30000);
}

/** Show a channel; on a phone this leaves the list. */
export function openChannel(id, { keepView = false } = {}) {
  if (!id) return;
  here.channel = id;
  openThread(null);
  if (!keepView) $(".slack").dataset.view = "channel";
  const channel = names.channel(id);
  $("#channel-title").replaceChildren(channel.direct ? face("bot", "tiny") : icon(channel.shared ? "shared" : "hash"), h("span", {}, channel.name));
  $("#channel-topic").textContent = channel.topic;
  drawn.clear();
  const tops = messagesOf(id).filter(isTop);
  oldest = Math.max(0, tops.length - SHOWN_AT_FIRST);
  const list = $("#message-list");
  list.replaceChildren(...tops.slice(oldest).map((message) => drawMessage(message, drawn)));
  $("#channel-start").textContent = channel.direct ? "This is the beginning of your messages from Stanch." : `This is the beginning of #${channel.name}.`;
  $("#channel-empty").textContent = channel.empty;
  $("#channel-start").hidden = oldest > 0;
  $("#channel-empty").hidden = tops.length > 0;
  scrollToEnd();
  markRead();
  drawChannels();
  emit("channel", id);
}

// Messages

function takeMessages({ changed, gone }) {
  const stick = stuck;
  for (const { channel, ts } of gone) if (channel === here.channel) remove(ts);
  let arrived = 0;
  for (const message of changed) {
    if (message.channel !== here.channel) continue;
    if (isTop(message)) arrived += place(message);
    if (here.thread && (message.thread === here.thread || message.ts === here.thread)) placeReply(message);
    if (message.thread) refreshFooter(message.thread);
  }
  $("#channel-empty").hidden = drawn.size > 0;
  if (stick) scrollToEnd();
  const answer = expected && changed.find((message) => message.private && message.new && message.channel === here.channel);
  if (answer) showAnswer(answer);
  else if (arrived) $("#to-newest").hidden = false;
  if (stick || !arrived) markRead();
  drawChannels();
  for (const message of changed) if (message.private && message.new) announce(message.text);
}

/** Draw a message at its position; returns 1 if it is new, otherwise 0. */
function place(message) {
  const before = drawn.get(message.ts);
  if (before) {
    swap(before, message, drawn);
    return 0;
  }
  const list = $("#message-list");
  const last = list.lastElementChild;
  const element = drawMessage(message, drawn);
  element.classList.add("arrived");
  if (!last || last.dataset.ts < message.ts) list.append(element);
  else {
    const after = [...list.children].find((other) => other.dataset.ts > message.ts);
    if (after === list.firstElementChild && oldest > 0) return 0;
    list.insertBefore(element, after);
  }
  return 1;
}

/** Redraw a message and keep the focus in it. */
function swap(before, message, into) {
  if (before.json === JSON.stringify(message)) return;
  const focus = before.element.contains(document.activeElement) ? document.activeElement : null;
  const element = drawMessage(message, into);
  element.classList.add("changed");
  before.element.replaceWith(element);
  if (focus) (element.querySelector(`[data-action="${CSS.escape(focus.closest("[data-action]")?.dataset.action ?? "")}"]`) ?? element).focus({ preventScroll: true });
}

function remove(ts) {
  drawn.get(ts)?.element.remove();
  drawn.delete(ts);
  drawnReplies.get(ts)?.element.remove();
  drawnReplies.delete(ts);
}

function drawMessage(message, into) {
  const author = message.bot ? { name: "Stanch" } : state.people.get(message.user) ?? { name: "Slack" };
  const inThread = into === drawnReplies;
  const element = h("article", {
    class: `message${message.private ? " private" : ""}${message.local ? " local" : ""}`, tabindex: "-1", data: { ts: message.ts },
    "aria-label": `${author.name}: ${message.text.slice(0, 150)}`,
  });
  const body = h("div", { class: "message-body" },
    h("div", { class: "message-head" },
      h("span", { class: "author" }, author.name), message.bot && h("span", { class: "app-mark" }, "App"),
      h("time", { class: "at", datetime: new Date(Number(message.ts) * 1000).toISOString() }, clock(Number(message.ts))),
    ),
    h("div", { class: "blocks" }, message.blocks.length ? drawBlocks(message.blocks, placeOf(message)) : h("div", { class: "block section" }, h("div", { class: "text" }, message.bot || message.local ? mrkdwn(message.text, names) : message.text))),
  );
  add(element, [
    message.broadcast && !inThread && h("button", { type: "button", class: "broadcast link-button", on: { click: () => openThread(message.thread) } }, icon("thread"), "replied to a thread"),
    message.private && h("div", { class: "private-mark" }, icon("eye"), h("span", {}, "Only visible to you")),
    h("div", { class: "message-row" }, face(message.bot ? "bot" : message.user), body),
  ]);
  add(element, [moreButton(message)]);
  if (message.private) body.append(h("button", { type: "button", class: "link-button dismiss", on: { click: () => dismiss(message) } }, "Dismiss message"));
  const notice = notices.get(message.ts);
  if (notice) body.append(drawNotice(notice));
  into.set(message.ts, { element, json: JSON.stringify(message) });
  if (!inThread) redrawFooter(element, message.ts);
  return element;
}

function dismiss(message) {
  state.messages.get(message.channel)?.delete(message.ts);
  remove(message.ts);
}

/** Show a message from Slack itself to this person alone, such as one about an unknown command. */
export function showFromSlack(text, thread = null) {
  const ts = `${(Date.now() / 1000).toFixed(6)}`;
  const message = { ts, channel: here.channel, user: "slack", bot: false, local: true, text, blocks: [], thread, private: true, state: {}, new: true };
  state.messages.get(here.channel)?.set(ts, message) ?? state.messages.set(here.channel, new Map([[ts, message]]));
  takeMessages({ changed: [message], gone: [] });
}

// Gestures on messages

function placeOf(message) {
  return {
    names,
    state: message.state,
    async act(kind, fields, element) {
      if (element.getAttribute("aria-busy") === "true") return;
      element.setAttribute("aria-busy", "true");
      notice(message.ts, null);
      const answer = await actOn(message, kind, fields);
      element.removeAttribute("aria-busy");
      const problem = answer.problem ?? (answer.error && `Stanch didn't answer (${answer.error}). Try again.`);
      if (!problem) return;
      if (state.messages.get(message.channel)?.has(message.ts)) notice(message.ts, problem);
      else showFromSlack(problem, message.thread);
    },
  };
}

function notice(ts, text) {
  if (text) notices.set(ts, text);
  else notices.delete(ts);
  for (const shown of [drawn.get(ts), drawnReplies.get(ts)]) {
    if (!shown) continue;
    shown.element.querySelector(".notice")?.remove();
    if (text) shown.element.querySelector(".message-body").append(drawNotice(text));
  }
}

const drawNotice = (text) => h("div", { class: "notice", role: "alert" }, icon("alert"), h("span", {}, text));

// Threads

const repliesOf = (channel, ts) => messagesOf(channel).filter((message) => message.thread === ts);

function redrawFooter(element, ts) {
  const replies = repliesOf(here.channel, ts).filter((reply) => !reply.private);
  element.querySelector(".thread-link")?.remove();
  if (!replies.length) return;
  const faces = [...new Set(replies.map((reply) => (reply.bot ? "bot" : reply.user)))].slice(0, 3);
  element.querySelector(".message-body").append(
    h("button", { type: "button", class: "thread-link", on: { click: () => openThread(ts) } },
      h("span", { class: "faces" }, faces.map((id) => face(id, "tiny"))),
      h("span", { class: "thread-count" }, `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`),
      h("span", { class: "thread-when" }, `Last reply ${ago(Number(replies.at(-1).ts))}`)),
  );
}

function refreshFooter(ts) {
  const shown = drawn.get(ts);
  if (shown) redrawFooter(shown.element, ts);
}

/** Show a thread beside the channel, or none. */
export function openThread(ts) {
  const opened = ts !== null && ts !== here.thread;
  here.thread = ts;
  const pane = $("#thread");
  pane.hidden = ts === null;
  $(".slack").classList.toggle("with-thread", ts !== null);
  drawnReplies.clear();
  $("#reply-list").replaceChildren();
  emit("thread", ts);
  if (ts === null) return;
  const parent = state.messages.get(here.channel)?.get(ts);
  const all = [...(parent ? [parent] : []), ...repliesOf(here.channel, ts)];
  $("#reply-list").append(...all.map((message) => drawMessage(message, drawnReplies)));
  countReplies();
  $("#reply-scroll").scrollTop = $("#reply-scroll").scrollHeight;
  if (opened) $("#thread-close").focus();
}

function placeReply(message) {
  const before = drawnReplies.get(message.ts);
  if (before) swap(before, message, drawnReplies);
  else {
    $("#reply-list").append(drawMessage(message, drawnReplies));
    $("#reply-scroll").scrollTop = $("#reply-scroll").scrollHeight;
  }
  countReplies();
}

function countReplies() {
  const count = Math.max(0, drawnReplies.size - 1);
  $("#thread-title-count").textContent = count ? `${count} ${count === 1 ? "reply" : "replies"}` : "";
}

// Scrolling

/** Keep what was just sent in view, and then the answer of a command. */
export function followOwn({ command = false } = {}) {
  expected = command;
  scrollToEnd();
}

/** Show the answer's start if it is longer than the window. */
function showAnswer({ ts }) {
  expected = false;
  const element = drawn.get(ts)?.element;
  if (element && element.offsetHeight > $("#messages").clientHeight) {
    stuck = false;
    element.scrollIntoView({ block: "start" });
  }
}

function isAtEnd() {
  const box = $("#messages");
  return box.scrollHeight - box.scrollTop - box.clientHeight < 60;
}

function scrollToEnd() {
  const box = $("#messages");
  stuck = true;
  box.scrollTop = box.scrollHeight;
  $("#to-newest").hidden = true;
  markRead();
}

function onScroll() {
  stuck = isAtEnd();
  if (stuck) {
    $("#to-newest").hidden = true;
    markRead();
  }
  if ($("#messages").scrollTop < 300 && oldest > 0) showOlder();
}

function showOlder() {
  const box = $("#messages");
  const tops = messagesOf(here.channel).filter(isTop);
  const from = Math.max(0, oldest - SHOWN_AT_FIRST);
  const height = box.scrollHeight;
  $("#message-list").prepend(...tops.slice(from, oldest).map((message) => drawMessage(message, drawn)));
  oldest = from;
  $("#channel-start").hidden = oldest > 0;
  box.scrollTop += box.scrollHeight - height;
}
