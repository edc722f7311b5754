// Sends gestures on messages. One that was made on a redrawn control is made again on the new one.
import { gesture, on, state } from "./live.js";

const LONGEST_WAIT_MS = 3000;
const GONE = "This changed just before your click, and the control is no longer there. Nothing was done.";
const UNCHANGED = "This was chosen already, so nothing was sent. Choose something else first.";
let waiting = [];

export function startClicks() {
  for (const topic of ["messages", "whole"]) on(topic, () => {
    for (const resolve of waiting.splice(0)) resolve();
  });
}

/** Carry out a gesture on a message; returns the server's answer, with a sentence as `problem` if it failed. */
export async function actOn({ channel, ts }, kind, fields) {
  const end = Date.now() + LONGEST_WAIT_MS;
  for (let sent = fields; ; ) {
    const answer = await gesture(kind, { channel, ts, ...sent });
    if (answer.unchanged) return { problem: UNCHANGED };
    if (!answer.impossible) return answer;
    let now = currentControl(channel, ts, kind, fields);
    // The server knows of a change before the page does.
    while (now?.block === sent.block && Date.now() < end) {
      await change(end - Date.now());
      now = currentControl(channel, ts, kind, fields);
    }
    if (!now || now.block === sent.block) return { problem: GONE };
    // Somebody else has ticked the box meanwhile: a second tick would remove theirs.
    if (kind === "tick" && now.ticked === fields.ticked) return {};
    sent = { ...fields, block: now.block };
  }
}

/** The control that the message has now for a gesture: its block and whether its box is ticked. */
function currentControl(channel, ts, kind, { action, value }) {
  const message = state.messages.get(channel)?.get(ts);
  for (const block of message?.blocks ?? []) {
    for (const part of [...(block.elements ?? []), block.accessory]) {
      if (part?.action_id !== action) continue;
      const offers = kind === "click" ? (part.value ?? null) === (value ?? null) : part.options?.some((option) => option.value === value);
      if (!offers) continue;
      const options = message.state?.[block.block_id]?.[action]?.selected_options ?? [];
      return { block: block.block_id, ticked: options.some((option) => option.value === value) };
    }
  }
  return null;
}

const change = (longest) => new Promise((resolve) => (waiting.push(resolve), setTimeout(resolve, longest)));
