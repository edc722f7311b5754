// Modals: frame, form, errors, loading. The top modal of the person's stack is shown.
import { $, h, trapFocus } from "./dom.js";
import { drawBlocks, drawText } from "./blocks.js";
import { icon, logo } from "./icons.js";
import { gesture, names, on, state } from "./live.js";
import { closeMenu } from "./menu.js";

const CHANGED = "This form changed meanwhile. Look at it and try again.";
let shown = null; // {id, hash, dialog}
let before = null; // the element that had the focus

export function startModal() {
  on("views", draw);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && shown) leave(state.views.at(-1));
  });
  on("whole", closeAfterReload);
}

/** As in Slack, a reload closes this window's modal; modals of other windows stay. */
function closeAfterReload() {
  const open = sessionStorage.getItem("modal");
  sessionStorage.removeItem("modal");
  const left = !shown && state.views.find((view) => view.id === open);
  if (left) gesture("close", { view: left.id, whole_stack: true });
  else draw();
}

function draw() {
  const view = state.views.at(-1);
  if (!view) return hide();
  if (shown?.id === view.id && shown.hash === view.hash) return showErrors(view);
  const kept = shown?.id === view.id ? typed(shown.dialog) : new Map();
  const dialog = drawDialog(view);
  if (!shown) before = document.activeElement;
  const had = shown?.dialog.contains(document.activeElement) ? document.activeElement.closest("[data-action]")?.dataset.action : null;
  closeMenu();
  const layer = $("#modal-layer");
  layer.replaceChildren(dialog);
  layer.hidden = false;
  for (const part of $(".slack").children) if (part !== layer) part.inert = true;
  shown = { id: view.id, hash: view.hash, dialog };
  sessionStorage.setItem("modal", view.id);
  restore(dialog, kept);
  const again = had && dialog.querySelector(`[data-action="${CSS.escape(had)}"]`);
  (again ?? dialog.querySelector(".field, .field input") ?? dialog).focus();
}

function hide() {
  if (!shown) return;
  closeMenu();
  shown = null;
  sessionStorage.removeItem("modal");
  $("#modal-layer").hidden = true;
  $("#modal-layer").replaceChildren();
  for (const part of $(".slack").children) part.inert = false;
  if (before?.isConnected) before.focus({ preventScroll: true });
  else $("#messages").focus({ preventScroll: true });
}

function drawDialog(view) {
  const place = { names, state: view.state, errors: view.errors, act: (kind, fields, element) => act(view, kind, fields, element) };
  const titleId = `title-${view.id}`;
  const close = () => leave(view);
  const dialog = h("form", {
    class: "modal", role: "dialog", "aria-modal": "true", "aria-labelledby": titleId, tabindex: "-1", novalidate: true, autocomplete: "off",
    data: { callback: view.callback_id },
    on: { submit: (event) => (event.preventDefault(), submit(view, dialog)) },
  },
    h("header", { class: "modal-head" },
      h("span", { class: "face bot tiny", "aria-hidden": "true" }, logo()),
      h("h2", { id: titleId }, drawText(view.title, place)),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: close } }, icon("close"))),
    h("div", { class: "modal-trouble", role: "alert", hidden: true }),
    h("div", { class: "modal-body" }, drawBlocks(view.blocks, place)),
    h("footer", { class: "modal-foot" },
      h("button", { type: "button", class: "button", on: { click: close } }, drawText(view.close, place) || "Cancel"),
      view.submit && h("button", { type: "submit", class: "button primary" }, h("span", { class: "button-text" }, drawText(view.submit, place)))),
  );
  trapFocus(dialog);
  return dialog;
}

const fieldValues = (dialog) => [...dialog.querySelectorAll(".field")].filter((field) => field.fieldValue).map((field) => field.fieldValue());

function typed(dialog) {
  return new Map(fieldValues(dialog).map(({ block, action, value }) => [`${block}/${action}`, value]));
}

/** Typed values are kept while the block and action ids stay the same. */
function restore(dialog, kept) {
  for (const field of dialog.querySelectorAll(".field")) {
    if (!field.fieldValue) continue;
    const { block, action } = field.fieldValue();
    const value = kept.get(`${block}/${action}`);
    if (value === undefined || value === null) continue;
    if ("value" in field && field.tagName !== "BUTTON") field.value = value;
    else for (const box of field.querySelectorAll("input")) box.checked = value.includes(box.value);
  }
}

async function submit(view, dialog) {
  const button = dialog.querySelector("[type=submit]");
  if (!button || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  trouble(dialog, null);
  const values = {};
  for (const { block, action, value } of fieldValues(dialog)) (values[block] ??= {})[action] = value;
  const answer = await gesture("submit", { view: view.id, values });
  button.removeAttribute("aria-busy");
  if (answer.impossible) trouble(dialog, CHANGED);
  else if (answer.error || answer.problem) trouble(dialog, "We had some trouble connecting. Try again?");
}

async function act(view, kind, fields, element) {
  if (element.getAttribute("aria-busy") === "true") return;
  element.setAttribute("aria-busy", "true");
  const answer = await gesture(kind, { view: view.id, ...fields });
  element.removeAttribute("aria-busy");
  if (answer.impossible) trouble(shown?.dialog, CHANGED);
  else if (answer.error || answer.problem) trouble(shown?.dialog, "We had some trouble connecting. Try again?");
}

async function leave(view) {
  hide();
  state.views = state.views.filter((other) => other.id !== view.id);
  await gesture("close", { view: view.id });
  draw();
}

function showErrors(view) {
  let first = null;
  for (const input of shown.dialog.querySelectorAll(".block.input")) {
    const error = view.errors[input.dataset.block];
    input.classList.toggle("faulty", !!error);
    const line = input.querySelector(".field-error");
    line.hidden = !error;
    line.querySelector("span").textContent = error ?? "";
    if (error) first ??= input;
  }
  first?.querySelector("input, textarea, .select")?.focus();
  first?.scrollIntoView({ block: "nearest" });
}

function trouble(dialog, text) {
  const line = dialog?.querySelector(".modal-trouble");
  if (!line) return;
  line.hidden = !text;
  line.textContent = text ?? "";
}
