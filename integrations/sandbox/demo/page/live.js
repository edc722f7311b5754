// The connection to the server: state, changes, and the person's actions.

import { whenReleased } from "./press.js";

const listeners = new Map();

/** The page's state. Only `live.js` writes the parts that come from the server. */
export const state = {
  me: null, people: new Map(), channels: [], messages: new Map(), views: [],
  alerts: new Map(), github: null, githubUrl: "", switches: [], bot: { state: "starting" }, connected: false,
};

/** Call `listener(detail)` at each event `topic`: whole, messages, alerts, a name in PARTS, or an event of the page. */
export function on(topic, listener) {
  listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
}

export function emit(topic, detail) {
  for (const listener of listeners.get(topic) ?? []) listener(detail);
}

const PARTS = ["channels", "views", "github", "switches", "bot"];
let source = null;

/** Show the page as this person, from the start. */
export function connect(person) {
  source?.close();
  source = new EventSource(`/events?as=${encodeURIComponent(person)}`);
  source.addEventListener("whole", (event) => whenReleased(() => takeWhole(JSON.parse(event.data))));
  source.addEventListener("changes", (event) => whenReleased(() => takeChanges(JSON.parse(event.data))));
  source.addEventListener("over", () => location.reload());
  source.addEventListener("error", () => setConnected(false));
}

function setConnected(connected) {
  if (state.connected === connected) return;
  state.connected = connected;
  emit("connected", connected);
}

function takeWhole(whole) {
  state.me = whole.me;
  state.people = new Map(whole.people.map((person) => [person.id, person]));
  state.githubUrl = whole.github_url;
  state.alerts = new Map(Object.entries(whole.alerts));
  state.messages = new Map();
  for (const message of whole.messages) keep(message);
  for (const part of PARTS) state[part] = whole[part];
  setConnected(true);
  emit("whole");
}

function takeChanges(changes) {
  for (const part of PARTS) {
    if (!(part in changes)) continue;
    state[part] = changes[part];
    emit(part);
  }
  if (changes.messages) {
    // The channel of a first direct message comes with a later change of the list.
    for (const message of changes.messages) keep(message);
    for (const { channel, ts } of changes.gone) state.messages.get(channel)?.delete(ts);
    emit("messages", { changed: changes.messages, gone: changes.gone });
  }
  if (changes.alerts) {
    for (const [id, alert] of Object.entries(changes.alerts)) {
      if (alert) state.alerts.set(id, alert);
      else state.alerts.delete(id);
    }
    emit("alerts", Object.keys(changes.alerts));
  }
}

function keep(message) {
  if (!state.messages.has(message.channel)) state.messages.set(message.channel, new Map());
  state.messages.get(message.channel).set(message.ts, message);
}

/** The messages of a channel, oldest first. */
export const messagesOf = (channel) => [...(state.messages.get(channel)?.values() ?? [])];

/** POST an action of the person; returns the server's JSON, with `problem` if it failed. */
export async function post(path, fields = {}) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ as: state.me, ...fields }) });
    return await answer.json();
  } catch {
    return { problem: "The demo's server does not answer.", error: "offline" };
  }
}

export const gesture = (kind, fields) => post(`/slack/${kind}`, fields);
export const onGitHub = (action, fields) => post(`/github/${action}`, fields);

/** Have this browser signed in on the stand-in GitHub as the person, as a colleague's browser usually is. */
function signInBrowser() {
  const account = state.github.people.find((person) => person.login === state.people.get(state.me)?.login);
  if (account) document.cookie = `sandbox_github_user=${account.id}; path=/; samesite=lax`;
}

/** Names for mentions, and what a link to the stand-in GitHub does. */
export const names = {
  person: (id) => state.people.get(id),
  people: () => [...state.people.values()],
  channel: (id) => state.channels.find((channel) => channel.id === id),
  openLink(event, url) {
    if (!url.startsWith(`${state.githubUrl}/`)) return signInBrowser();
    event.preventDefault();
    emit("github-link", url.slice(state.githubUrl.length));
  },
};
