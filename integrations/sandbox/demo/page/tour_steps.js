// The steps of the tour: one leaked token, worked to its end by good practice.
// A step has a panel, a title, words, `target()` (the element to click) and `done()`. `prepare()` runs when it begins.
// `person` does it, else the visitor's first person; `channel()` shows it, else the card's channel.
import { $ } from "./dom.js";
import { emit, messagesOf, state } from "./live.js";
import { openThread } from "./messages.js";

const CHANNELS = ["C0PAYMENTS", "C0ALERTS"];
const OWNER = "U0DANA";

/** The alert of the tour, the person who works on it, and whether its page on GitHub was opened. */
export const lesson = { alert: null, worker: null, seen: false };

const isCard = (message) => !message.private && !message.thread && JSON.stringify(message.blocks).includes(`"alert:${lesson.alert}:`);

/** The alert's card, or null. */
export const card = () => (lesson.alert && CHANNELS.flatMap(messagesOf).find(isCard)) ?? null;

const alert = () => state.alerts.get(lesson.alert);
const replies = () => (card() ? messagesOf(card().channel).filter((message) => message.thread === card().ts) : []);
const text = () => (card() ? JSON.stringify(card().blocks) : "");
const offers = (action) => text().includes(`"action_id":"${action}"`);
const inForm = (action) => $(`.modal [data-action="${action}"]`);
const onCard = (action) => card() && $(`#message-list [data-ts="${card().ts}"] ${action ? `[data-action="${action}"]` : ""}`);
const directMessages = () => state.channels.find((channel) => channel.direct)?.id;
const inMessage = (action) => $(`#message-list [data-block^="alert:${lesson.alert}:"] [data-action="${action}"]`);
const stepsDone = () => /(\d+) of \1 done/.test(text());

export const STEPS = [
  {
    panel: "github", title: "A token leaks",
    words: "Dana pushes a commit to octo/payments, a private repository. It holds a GitHub token that works. Leak it.",
    target: () => $("#leak-button"), done: () => lesson.alert !== null,
  },
  {
    panel: "slack", title: "The card arrives",
    words: "GitHub sent Stanch a webhook, and Stanch posted a card. The card shows what leaked, where, and what GitHub says about it.",
    target: () => onCard(""), done: () => false,
  },
  {
    panel: "slack", title: "Does it still work?",
    words: "Press “Check validity”. Stanch calls GitHub once with the token, and does not keep it.",
    target: () => onCard("check_validity"), done: () => alert()?.validity === "active",
  },
  {
    panel: "slack", title: "Say that you are on it",
    words: "Press “I'm on it”. Everybody sees who handles this alert.",
    target: () => onCard("take"), done: () => card() && !offers("take"),
  },
  {
    panel: "slack", title: "Tell the owner first",
    words: "Press “Report leak”, and in the form “Tell dana-kim first”: whoever uses the token should have a new one before it stops working.",
    target: () => inForm("tell_owner") ?? onCard("report_leak"), done: () => replies().some((reply) => /told/i.test(reply.text)),
  },
  {
    panel: "slack", title: "Answer as the owner", person: OWNER, channel: directMessages,
    words: "You are Dana now, who got this message. Press “I rotated it”. The thread of the card will say that she says so; it proves nothing yet.",
    target: () => inMessage("owner_rotated"), done: () => replies().some((reply) => /\bsays\b/.test(reply.text)),
  },
  {
    panel: "slack", title: "Report the leak",
    words: "Tick that you understand, and report. GitHub revokes the token; that can't be undone, so Stanch asks for consent.",
    target: () => inForm("understood") ?? onCard("report_leak"), done: () => !!alert()?.token?.dead_at,
  },
  {
    panel: "slack", title: "Wait until it is dead",
    words: "Stanch asks GitHub again one minute after the report, and says on the card what it found. Go on when you like.",
    target: () => onCard(""), done: () => alert()?.validity === "inactive",
  },
  {
    panel: "slack", title: "Do what is left",
    words: "Open the thread of the card, and tick the three steps as somebody who has done them.",
    target: () => $("#reply-list .checkboxes") ?? onCard("")?.querySelector(".thread-link"), done: stepsDone,
  },
  {
    panel: "slack", title: "Close it as Revoked",
    words: "Choose “Close as… Revoked”, add a comment if you like, and submit. Stanch closes the alert on GitHub too.",
    prepare: () => openThread(null), target: () => onCard("close_as"), done: () => alert()?.state === "resolved",
  },
  {
    panel: "github", title: "See it on GitHub",
    words: "Open the closed alert: its page shows the reason, the comment and the person.",
    prepare: () => emit("github-filter", "closed"), target: () => $(`[data-alert="${lesson.alert}"]`) ?? $("[data-filter=closed]"), done: () => lesson.seen,
  },
  {
    panel: "audit", title: "See the audit log",
    words: "It lists what people did and tried, and what was refused. Each row's hash covers the row before it.",
    target: () => null, done: () => false,
  },
];
