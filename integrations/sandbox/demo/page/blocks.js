// Draws Block Kit from the JSON that the bot sent. Unknown blocks and elements become a warning.
import { add, h, newId } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { anchor, emojiNames, mrkdwn } from "./mrkdwn.js";

/**
 * Draw blocks. `place` describes the message or view that they are in: `names` (see mrkdwn.js), `state`
 * (Slack's state.values), `errors` by block, and `act(kind, fields, element)` for a gesture outside a form.
 */
export function drawBlocks(blocks, place) {
  return blocks.map((block) => {
    const draw = BLOCKS[block.type];
    const drawn = draw ? draw(block, place) : unknown(`block “${block.type}”`);
    drawn.dataset.block = block.block_id ?? "";
    return drawn;
  });
}

const unknown = (what) =>
  h("div", { class: "unknown-block", role: "note" }, icon("alert"), h("span", {}, `This page can't draw the ${what}. Slack may show it.`));

/** A text object, plain or mrkdwn. Plain text is never read as markup. */
export function drawText(text, place) {
  if (!text) return "";
  if (text.type === "mrkdwn") return mrkdwn(text.text, place.names);
  return text.emoji === false ? text.text : emojiNames(text.text);
}

const BLOCKS = {
  header: (block, place) => h("h3", { class: "block header" }, drawText(block.text, place)),
  divider: () => h("hr", { class: "block divider" }),
  section(block, place) {
    const words = h("div", { class: "section-words" });
    if (block.text) words.append(h("div", { class: block.text.type === "plain_text" ? "text plain" : "text" }, drawText(block.text, place)));
    if (block.fields) words.append(h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "text" }, drawText(field, place)))));
    return h("div", { class: "block section" }, words, block.accessory && h("div", { class: "accessory" }, element(block.accessory, block, place)));
  },
  context: (block, place) =>
    h("div", { class: "block context" }, block.elements.map((part) =>
      part.type === "image" ? unknown("image in a context") : h("span", { class: "text" }, drawText(part, place)))),
  actions: (block, place) => h("div", { class: "block actions" }, block.elements.map((part) => element(part, block, place))),
  input(block, place) {
    const id = newId("input");
    const error = place.errors?.[block.block_id];
    const isGroup = block.element.type === "checkboxes" || block.element.type === "radio_buttons";
    const label = [drawText(block.label, place), block.optional && h("span", { class: "optional" }, " (optional)")];
    const field = element(block.element, block, { ...place, id, form: true, dispatches: block.dispatch_action === true, error, required: !block.optional });
    const hint = block.hint && h("div", { class: "hint", id: `${id}-hint` }, drawText(block.hint, place));
    const fault = h("div", { class: "field-error", id: `${id}-error`, role: "alert", hidden: !error }, icon("alert"), h("span", {}, error ?? ""));
    const drawn = isGroup
      ? h("fieldset", { class: "block input" }, h("legend", {}, label), field, hint, fault)
      : h("div", { class: "block input" }, h("label", { for: id, id: `${id}-label` }, label), field, hint, fault);
    drawn.classList.toggle("faulty", !!error);
    return drawn;
  },
};

function element(part, block, place) {
  const draw = ELEMENTS[part.type];
  if (!draw) return unknown(`element “${part.type}”`);
  const drawn = draw(part, block, place);
  drawn.dataset.action ??= part.action_id ?? "";
  return drawn;
}

const stateOf = (part, block, place) => place.state?.[block.block_id]?.[part.action_id];

/** A button that opens a list of options, as `static_select` and `users_select` have it. `value` is the chosen one. */
function picker(part, block, place, options, value) {
  let chosen = options.find((option) => option.value === value) ?? null;
  const words = h("span", { class: "select-words" });
  const show = () => {
    words.replaceChildren(chosen ? drawText(chosen.text, place) : part.placeholder ? drawText(part.placeholder, place) : "Choose an option");
    words.classList.toggle("empty", !chosen);
  };
  const name = part.placeholder?.text ?? "Choose an option";
  const labelled = place.id ? { "aria-labelledby": `${place.id}-label` } : {};
  const button = h("button", { type: "button", id: place.id, class: "select", "aria-haspopup": "listbox", "aria-expanded": "false", ...labelled, on: { click: () =>
    openMenu(button, {
      role: "listbox",
      label: name,
      items: options.map((option) => ({
        value: option.value, label: drawText(option.text, place), selected: option.value === chosen?.value,
        description: option.description && drawText(option.description, place),
      })),
      pick(value) {
        chosen = options.find((option) => option.value === value);
        show();
        if (place.form) clearError(button);
        if (!place.form || place.dispatches) place.act("select", { action: part.action_id, block: block.block_id, value }, button);
      },
    }),
  } }, words, icon("down"));
  if (place.id) button.setAttribute("aria-describedby", `${place.id}-error`);
  if (place.form) button.fieldValue = () => ({ block: block.block_id, action: part.action_id, value: chosen?.value ?? null });
  button.classList.add("field");
  show();
  return button;
}

const ELEMENTS = {
  button(part, block, place) {
    const style = part.style ? ` ${part.style}` : "";
    if (part.url) {
      const link = anchor(part.url.replaceAll("&", "&amp;"), drawText(part.text, place), place.names);
      link.className = `button${style}`;
      link.addEventListener("click", () => place.act("click", { action: part.action_id, block: block.block_id, value: part.value }, link));
      return link;
    }
    const button = h("button", { type: "button", class: `button${style}`, "aria-label": part.accessibility_label, on: {
      click: () => place.act("click", { action: part.action_id, block: block.block_id, value: part.value }, button),
    } }, h("span", { class: "button-text" }, drawText(part.text, place)));
    return button;
  },
  static_select(part, block, place) {
    const options = part.options ?? part.option_groups.flatMap((group) => group.options);
    return picker(part, block, place, options, stateOf(part, block, place)?.selected_option?.value);
  },
  users_select(part, block, place) {
    const options = place.names.people().map((person) => ({ value: person.id, text: { type: "plain_text", text: person.name, emoji: false } }));
    return picker(part, block, place, options, stateOf(part, block, place)?.selected_user);
  },
  overflow(part, block, place) {
    const button = h("button", { type: "button", class: "button overflow", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () =>
      openMenu(button, {
        label: "More actions",
        items: part.options.map((option) => ({ value: option.value, label: drawText(option.text, place) })),
        pick: (value) => place.act("select", { action: part.action_id, block: block.block_id, value }, button),
      }),
    } }, icon("dots"));
    return button;
  },
  checkboxes(part, block, place) {
    const ticked = new Set((stateOf(part, block, place)?.selected_options ?? []).map((option) => option.value));
    const group = h("div", { class: "checkboxes", role: "group" });
    for (const option of part.options) {
      const box = h("input", { type: "checkbox", checked: ticked.has(option.value), value: option.value, on: { change: () => {
        if (place.form) clearError(box);
        else place.act("tick", { action: part.action_id, block: block.block_id, value: option.value, ticked: box.checked }, box);
      } } });
      if (place.id) box.setAttribute("aria-describedby", `${place.id}-error`);
      group.append(h("label", { class: "checkbox" }, box, h("span", { class: "checkbox-words" }, h("span", { class: "text" }, drawText(option.text, place)), option.description && h("span", { class: "hint" }, drawText(option.description, place)))));
    }
    if (place.form) {
      group.classList.add("field");
      group.fieldValue = () => ({ block: block.block_id, action: part.action_id, value: [...group.querySelectorAll("input:checked")].map((box) => box.value) });
    }
    return group;
  },
  plain_text_input(part, block, place) {
    const kept = stateOf(part, block, place)?.value ?? "";
    const describe = `${place.id}-error ${place.id}-hint`;
    const props = { id: place.id, class: "text-input field", placeholder: part.placeholder?.text, "aria-describedby": describe, autocomplete: "off", "aria-invalid": place.error ? "true" : null, "aria-required": place.required ? "true" : null };
    const field = part.multiline ? h("textarea", { ...props, rows: 3 }) : h("input", { ...props, type: "text" });
    field.value = kept;
    field.fieldValue = () => ({ block: block.block_id, action: part.action_id, value: field.value || null });
    const limit = part.max_length;
    const count = h("span", { class: "count", "aria-hidden": "true" });
    const recount = () => {
      if (!limit) return;
      const left = limit - field.value.length;
      count.textContent = left < Math.min(60, limit / 5) ? String(left) : "";
      count.classList.toggle("over", left < 0);
    };
    field.addEventListener("input", () => (recount(), clearError(field)));
    recount();
    return add(h("div", { class: "text-field" }), [field, count]);
  },
};

/** Typing or choosing removes the error under the field, as in Slack. */
function clearError(field) {
  const input = field.closest(".block.input");
  if (!input?.classList.contains("faulty")) return;
  input.classList.remove("faulty");
  input.querySelector(".field-error").hidden = true;
}
