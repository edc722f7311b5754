// Draws mrkdwn, Slack's text format, as Slack does; escaped markup stays text.
import { h } from "./dom.js";
import { emoji } from "./icons.js";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const decode = (text) => text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]);

/** Draw mrkdwn. `names` has `person(id)`, `channel(id)` and `openLink(event, url)`. */
export function mrkdwn(text, names) {
  const out = document.createDocumentFragment();
  const pieces = text.split(/```([\s\S]+?)```/g);
  pieces.forEach((piece, index) => {
    if (index % 2) out.append(h("pre", {}, decode(piece.replace(/^\n|\n$/g, ""))));
    else if (piece) lines(piece, names, out);
  });
  return out;
}

function lines(text, names, out) {
  let quote = null;
  let fresh = true;
  for (const line of text.split("\n")) {
    const quoted = /^(?:>|&gt;) ?/.exec(line);
    if (quoted) {
      if (!quote) out.append((quote = h("blockquote")));
      else quote.append(h("br"));
      quote.append(inline(line.slice(quoted[0].length), names));
      fresh = true;
      continue;
    }
    quote = null;
    if (!fresh) out.append(h("br"));
    out.append(inline(line, names));
    fresh = false;
  }
}

const LONGEST_UNBROKEN = 24;
const TOKEN = /`([^`\n]+)`|<([^<>\n]+)>|:([a-z0-9_+-]+):|(^|[^\p{L}\p{N}])([*_~])(?=\S)([^\n]*?\S)\5(?![\p{L}\p{N}])/u;
const STYLES = { "*": "strong", _: "em", "~": "s" };

function inline(text, names) {
  const out = document.createDocumentFragment();
  let rest = text;
  for (let match; rest && (match = TOKEN.exec(rest)); ) {
    let start = match.index;
    let drawn;
    if (match[1] !== undefined) drawn = h("code", { class: match[1].length <= LONGEST_UNBROKEN ? "short" : null }, decode(match[1]));
    else if (match[2] !== undefined) drawn = angled(match[2], names);
    else if (match[3] !== undefined) drawn = emoji(match[3]) ?? match[0];
    else {
      start += match[4].length;
      drawn = h(STYLES[match[5]], {}, inline(match[6], names));
    }
    out.append(decode(rest.slice(0, start)), drawn);
    rest = rest.slice(match.index + match[0].length);
  }
  out.append(decode(rest));
  return out;
}

/** Links, mentions and dates: the text between < and >. */
function angled(content, names) {
  const [target, label] = splitOnce(content, "|");
  if (target.startsWith("@")) {
    const person = names.person(target.slice(1));
    return h("span", { class: "mention" }, `@${person?.name ?? label ?? target.slice(1)}`);
  }
  if (target.startsWith("#")) return h("span", { class: "mention" }, `#${names.channel(target.slice(1))?.name ?? label ?? target}`);
  if (target.startsWith("!date^")) return date(target, label, names);
  if (target.startsWith("!")) return h("span", { class: "mention loud" }, label ? decode(label) : `@${target.slice(1).split("^")[0]}`);
  return anchor(target, label === null ? decode(target) : inlineLabel(label), names);
}

const inlineLabel = (label) => emojiNames(label, decode);

/** Text with `:emoji:` drawn, and no other markup. */
export function emojiNames(text, read = (piece) => piece) {
  const out = document.createDocumentFragment();
  text.split(/:([a-z0-9_+-]+):/g).forEach((piece, index) => {
    out.append(index % 2 ? (emoji(piece) ?? `:${piece}:`) : read(piece));
  });
  return out;
}

/** A link that opens safely, or only its label if the address is not http, https or mailto. */
export function anchor(address, label, names) {
  const url = decode(address);
  if (!/^(https?:|mailto:)/i.test(url)) return h("span", {}, label);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", on: { click: (event) => names.openLink(event, url) } }, label);
}

const splitOnce = (text, mark) => {
  const at = text.indexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
};

function date(target, fallback, names) {
  const [, stamp, format, link] = target.split("^");
  const at = Number(stamp);
  if (!Number.isFinite(at) || !format) return decode(fallback ?? "");
  const text = decode(format).replace(/\{(\w+)\}/g, (whole, word) => DATE_WORDS[word]?.(at) ?? whole);
  const shown = h("time", { datetime: new Date(at * 1000).toISOString(), title: new Date(at * 1000).toLocaleString() }, text);
  return link ? anchor(link, shown, names) : shown;
}

const day = (options) => (at) => new Date(at * 1000).toLocaleDateString([], options);
const pretty = (otherwise) => (at) => {
  const days = Math.round((startOfDay(Date.now()) - startOfDay(at * 1000)) / 86400000);
  return { 0: "today", 1: "yesterday", "-1": "tomorrow" }[days] ?? otherwise(at);
};
const startOfDay = (ms) => new Date(ms).setHours(0, 0, 0, 0);
const SHORT = day({ year: "numeric", month: "short", day: "numeric" });
const LONG = day({ weekday: "long", year: "numeric", month: "long", day: "numeric" });
const FULL = day({ year: "numeric", month: "long", day: "numeric" });
const DATE_WORDS = {
  date_num: (at) => new Date(at * 1000).toISOString().slice(0, 10),
  date: FULL, date_short: SHORT, date_long: LONG,
  date_pretty: pretty(FULL), date_short_pretty: pretty(SHORT), date_long_pretty: pretty(LONG),
  time: (at) => new Date(at * 1000).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }),
  time_secs: (at) => new Date(at * 1000).toLocaleTimeString(),
};
