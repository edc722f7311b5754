// The message box: messages, slash commands with completion, and a history of what was typed.
import { $, h } from "./dom.js";
import { icon } from "./icons.js";
import { gesture, names, on, state } from "./live.js";
import { followOwn, here, showFromSlack } from "./messages.js";

const COMMAND = { name: "/leaks", hint: "help", description: "Look up secret scanning alerts" };

export function startComposer() {
  let hint = () => {};
  const main = makeComposer($("#composer"), { label: "Message", thread: () => null });
  makeComposer($("#reply-composer"), { label: "Reply", thread: () => here.thread });
  on("channel", (id) => {
    const channel = names.channel(id);
    const name = channel.direct ? "Stanch" : `#${channel.name}`;
    hint = () => (main.placeholder = main.clientWidth < 260 ? "Message or /leaks" : `Message ${name}${main.clientWidth > 380 ? ", or type /leaks" : ""}`);
    hint();
  });
  // A text box cuts off a long placeholder.
  new ResizeObserver(() => hint()).observe(main);
}

function makeComposer(form, { label, thread }) {
  const listId = `${form.id}-completions`;
  const field = h("textarea", { rows: 1, class: "composer-field", "aria-label": label, placeholder: label, spellcheck: "false", autocomplete: "off", role: "combobox", "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list" });
  const list = h("div", { class: "completions", id: listId, role: "listbox", "aria-label": "Commands", hidden: true });
  const send = h("button", { type: "submit", class: "send", "aria-label": "Send", disabled: true });
  send.append(icon("send"));
  form.append(list, field, send);
  const past = [];
  let at = 0;
  let marked = -1;

  field.addEventListener("input", () => (grow(), complete()));
  field.addEventListener("blur", () => setTimeout(() => close(), 150));
  field.addEventListener("focus", complete);
  field.addEventListener("keydown", onKey);
  form.addEventListener("submit", (event) => (event.preventDefault(), sendNow()));

  function grow() {
    send.disabled = !field.value.trim();
    field.style.height = "auto";
    field.style.height = `${Math.min(160, field.scrollHeight)}px`;
  }

  function complete() {
    const text = field.value;
    const open = text.startsWith("/") && !text.includes(" ") && COMMAND.name.startsWith(text);
    if (!open) return close();
    const earlier = [...new Set(past)].reverse().filter((one) => one.startsWith(COMMAND.name) && one !== COMMAND.name).slice(0, 4);
    const rows = [{ ...COMMAND, text: `${COMMAND.name} ` }, ...earlier.map((one) => ({ name: one, hint: "", description: "Typed before", text: one }))];
    list.replaceChildren(...rows.map((row, index) =>
      h("div", { class: "completion", role: "option", id: `${listId}-${index}`, "aria-selected": String(index === 0), on: { pointerdown: (event) => (event.preventDefault(), take(row.text)) }, data: { text: row.text } },
        h("span", { class: "completion-name" }, row.name), row.hint && h("span", { class: "completion-hint" }, `[${row.hint}]`), h("span", { class: "completion-words" }, row.description))));
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    mark(0);
  }

  function mark(index) {
    const rows = [...list.children];
    marked = (index + rows.length) % rows.length;
    rows.forEach((row, place) => row.setAttribute("aria-selected", String(place === marked)));
    field.setAttribute("aria-activedescendant", rows[marked].id);
  }

  function close() {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    marked = -1;
  }

  function take(text) {
    field.value = text;
    grow();
    close();
    field.focus();
  }

  function onKey(event) {
    const open = !list.hidden;
    if (open && event.key === "ArrowDown") mark(marked + 1);
    else if (open && event.key === "ArrowUp") mark(marked - 1);
    else if (open && event.key === "Tab" && !event.shiftKey) take(list.children[marked].dataset.text);
    else if (open && event.key === "Enter" && field.value !== COMMAND.name) take(list.children[marked].dataset.text);
    else if (open && event.key === "Escape") close();
    else if (!open && event.key === "ArrowUp" && at > 0 && isFirstLine()) recall(at - 1);
    else if (!open && event.key === "ArrowDown" && at < past.length && isLastLine()) recall(at + 1);
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) sendNow();
    else return;
    event.preventDefault();
  }

  const isFirstLine = () => !field.value.slice(0, field.selectionStart).includes("\n");
  const isLastLine = () => !field.value.slice(field.selectionEnd).includes("\n");

  function recall(index) {
    at = index;
    field.value = past[index] ?? "";
    grow();
    close();
  }

  async function sendNow() {
    const text = field.value.trim();
    if (!text) return;
    past.push(text);
    at = past.length;
    field.value = "";
    grow();
    close();
    const inThread = thread();
    if (!inThread) followOwn({ command: text.startsWith("/") });
    if (text.startsWith("/")) await command(text, inThread);
    else await gesture("say", { channel: here.channel, text, thread: inThread });
  }
  return field;
}

async function command(text, thread) {
  const [, word, rest] = /^(\/\S*)\s*([\s\S]*)$/.exec(text);
  if (thread) return showFromSlack(`\`${escape(word)}\` is not supported in threads. Sorry!`, thread);
  if (word !== COMMAND.name) return showFromSlack(`\`${escape(word)}\` is not a valid command.`);
  const answer = await gesture("command", { channel: here.channel, text: rest });
  if (answer.impossible) showFromSlack(`\`${word}\` is not a valid command.`);
  else if (answer.problem) showFromSlack(answer.problem);
  else if (answer.error) showFromSlack(`\`${word}\` failed with the error “${answer.error}”. Stanch is ${state.bot.state === "up" ? "not answering" : "down"}.`);
}

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("`", "'");
