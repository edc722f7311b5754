// The page's drawings: emoji that cards use, icons, and the logo.
import { svg } from "./dom.js";

const disc = (fill) => [["circle", { cx: 12, cy: 12, r: 9, fill }]];
const digit = (text) => [
  ["rect", { x: 3, y: 3, width: 18, height: 18, rx: 4, fill: "#2f6fb3" }],
  ["text", { x: 12, y: 16.8, "text-anchor": "middle", "font-size": 13, "font-weight": 700, fill: "#fff" }, text],
];
const mark = (d, stroke = "#fff") => ["path", { d, fill: "none", stroke, "stroke-width": 2.4, "stroke-linecap": "round", "stroke-linejoin": "round" }];

const EMOJI = {
  rotating_light: [
    ["path", { d: "M6 19v-6a6 6 0 0 1 12 0v6z", fill: "#e0334f" }],
    ["rect", { x: 4, y: 18, width: 16, height: 3.4, rx: 1.4, fill: "#5b6570" }],
    mark("M12 1.6v2M3.6 5.6l1.5 1.3M20.4 5.6l-1.5 1.3", "#e0334f"),
    ["path", { d: "M9 17v-4a3 3 0 0 1 3-3", fill: "none", stroke: "#fff", "stroke-width": 1.6, "stroke-linecap": "round", opacity: 0.85 }],
  ],
  red_circle: disc("#e0334f"),
  large_green_circle: disc("#2b9e5f"),
  large_yellow_circle: disc("#e3a008"),
  large_orange_circle: disc("#e8762d"),
  large_blue_circle: disc("#2f6fb3"),
  white_circle: [["circle", { cx: 12, cy: 12, r: 8, fill: "none", stroke: "#8a939c", "stroke-width": 2 }]],
  white_check_mark: [["rect", { x: 3, y: 3, width: 18, height: 18, rx: 4, fill: "#2b9e5f" }], mark("M7.5 12.5l3 3 6-7")],
  heavy_check_mark: [mark("M5 13l5 5 9-11", "#2b9e5f")],
  x: [mark("M6 6l12 12M18 6L6 18", "#e0334f")],
  warning: [
    ["path", { d: "M12 3l10 17.5H2z", fill: "#f0a92b", stroke: "#f0a92b", "stroke-width": 1.5, "stroke-linejoin": "round" }],
    mark("M12 9.5v4.6", "#3d2c00"), ["circle", { cx: 12, cy: 17.4, r: 1.35, fill: "#3d2c00" }],
  ],
  no_entry_sign: [["circle", { cx: 12, cy: 12, r: 8, fill: "none", stroke: "#d33649", "stroke-width": 3 }], mark("M6.8 6.8l10.4 10.4", "#d33649")],
  no_entry: [...disc("#d33649"), ["rect", { x: 6.6, y: 10.4, width: 10.8, height: 3.2, rx: 1, fill: "#fff" }]],
  hourglass_flowing_sand: [
    mark("M6.5 3h11M6.5 21h11", "#8a6a3b"),
    ["path", { d: "M8 4v3.4l4 4.6 4-4.6V4zM8 20v-3.4l4-4.6 4 4.6V20z", fill: "#f4d9a3", stroke: "#b08a4d", "stroke-width": 1.2, "stroke-linejoin": "round" }],
    ["path", { d: "M9.4 7.4h5.2L12 10.8zM9 19.3v-1.6l3-2 3 2v1.6z", fill: "#d99a2b" }],
  ],
  ocean: [["path", { d: "M2 15c2.5-9 10-11.5 15-8-3-.6-5.2 1-5.4 3.6 2.6-1 6 .2 6.4 3.4 1.3-.4 2.7 0 4 .6V21H2z", fill: "#3987c9" }]],
  speech_balloon: [["path", { d: "M4 4h16a1.8 1.8 0 0 1 1.8 1.8v9.4A1.8 1.8 0 0 1 20 17h-8.5L7 21v-4H4a1.8 1.8 0 0 1-1.8-1.8V5.8A1.8 1.8 0 0 1 4 4z", fill: "#7b8794" }], ["path", { d: "M7 10.5h.1M12 10.5h.1M17 10.5h.1", stroke: "#fff", "stroke-width": 2.6, "stroke-linecap": "round" }]],
  busts_in_silhouette: [["path", { d: "M11.5 21c0-3.4 2-5.6 4.6-5.6S21 17.6 21 21z", fill: "#7d93a8" }], ["circle", { cx: 16.2, cy: 10.6, r: 3.2, fill: "#7d93a8" }], ["circle", { cx: 8.8, cy: 8, r: 4, fill: "#4a7fb5" }], ["path", { d: "M2 21c0-4.4 2.9-7.2 6.8-7.2s6.8 2.8 6.8 7.2z", fill: "#4a7fb5" }]],
  raising_hand: [["circle", { cx: 10, cy: 8, r: 4.2, fill: "#e8b04a" }], ["path", { d: "M2.5 21c0-4.6 3-7.5 7.5-7.5 1.8 0 3.4.4 4.6 1.3L17.5 6.5a1.5 1.5 0 0 1 2.9.8L17.8 21z", fill: "#4a7fb5" }]],
  outbox_tray: [["path", { d: "M3 13h5l1.5 3h5L16 13h5v7H3z", fill: "#5b6570" }], mark("M12 13V4M8.5 7L12 3.5 15.5 7", "#2f6fb3")],
  inbox_tray: [["path", { d: "M3 13h5l1.5 3h5L16 13h5v7H3z", fill: "#5b6570" }], mark("M12 3v9M8.5 9L12 12.5 15.5 9", "#2f6fb3")],
  grey_question: [mark("M8.5 8.8a3.5 3.5 0 1 1 5 3.3c-1 .6-1.5 1.2-1.5 2.6", "#7b8794"), ["circle", { cx: 12, cy: 18.6, r: 1.5, fill: "#7b8794" }]],
  wastebasket: [["path", { d: "M6 8h12l-1.2 13H7.2z", fill: "#8a939c" }], mark("M4 6h16M9.5 6V3.5h5V6", "#5b6570"), mark("M10 11v7M14 11v7")],
  lock: [["rect", { x: 5, y: 10, width: 14, height: 11, rx: 2, fill: "#d99a2b" }], mark("M8 10V7.5a4 4 0 0 1 8 0V10", "#7b8794")],
  link: [mark("M10 14a4 4 0 0 0 6 .4l2.6-2.6a4 4 0 0 0-5.6-5.6L11.5 7.6M14 10a4 4 0 0 0-6-.4L5.4 12.2A4 4 0 0 0 11 17.8l1.5-1.4", "#7b8794")],
  bell: [["path", { d: "M12 3a6 6 0 0 0-6 6v4l-2 4h16l-2-4V9a6 6 0 0 0-6-6zM9.5 18.5a2.5 2.5 0 0 0 5 0z", fill: "#d99a2b" }]],
  no_bell: [["path", { d: "M12 3a6 6 0 0 0-6 6v4l-2 4h16l-2-4V9a6 6 0 0 0-6-6zM9.5 18.5a2.5 2.5 0 0 0 5 0z", fill: "#8a939c" }], mark("M4 4l16 16", "#d33649")],
  double_vertical_bar: [["rect", { x: 3, y: 3, width: 18, height: 18, rx: 4, fill: "#2f6fb3" }], mark("M9.2 8v8M14.8 8v8")],
  eyes: [["ellipse", { cx: 8, cy: 12, rx: 4, ry: 5.5, fill: "#fff", stroke: "#5b6570" }], ["ellipse", { cx: 16, cy: 12, rx: 4, ry: 5.5, fill: "#fff", stroke: "#5b6570" }], ["circle", { cx: 7, cy: 13, r: 2, fill: "#222" }], ["circle", { cx: 15, cy: 13, r: 2, fill: "#222" }]],
  mag: [["circle", { cx: 10, cy: 10, r: 6, fill: "#d7e7f5", stroke: "#5b6570", "stroke-width": 2 }], mark("M14.5 14.5L21 21", "#5b6570")],
  wave: [["circle", { cx: 10, cy: 14, r: 6, fill: "#e8b04a" }], ["path", { d: "M6 12L5 5.5M9 9L8.5 3M12.5 9l1-5.5M15.5 12l4-4", stroke: "#e8b04a", "stroke-width": 2.8, "stroke-linecap": "round" }]],
  bust_in_silhouette: [["circle", { cx: 12, cy: 8, r: 4.3, fill: "#5b6570" }], ["path", { d: "M4 21c0-4.8 3-7.5 8-7.5s8 2.7 8 7.5z", fill: "#5b6570" }]],
  information_source: [["rect", { x: 3, y: 3, width: 18, height: 18, rx: 4, fill: "#2f6fb3" }], mark("M12 11v5.5"), ["circle", { cx: 12, cy: 7.5, r: 1.5, fill: "#fff" }]],
  card_file_box: [["path", { d: "M3 9h18v11H3z", fill: "#8a6a3b" }], ["path", { d: "M5 9V5h5l1.5 2H19v2z", fill: "#d9b36c" }], ["rect", { x: 9, y: 12.5, width: 6, height: 3, rx: 0.6, fill: "#fff" }]],
  bar_chart: [["path", { d: "M4 20V11h4v9zM10 20V4h4v16zM16 20v-6h4v6z", fill: "#2f6fb3" }]],
  calendar: [["rect", { x: 3, y: 5, width: 18, height: 16, rx: 2, fill: "#fff", stroke: "#5b6570", "stroke-width": 1.6 }], ["path", { d: "M3 5h18v5H3z", fill: "#d33649" }]],
  repeat: [mark("M5 11V9a3 3 0 0 1 3-3h10M15.5 3L18.5 6l-3 3M19 13v2a3 3 0 0 1-3 3H6M8.5 21L5.5 18l3-3", "#2f6fb3")],
  one: digit("1"), two: digit("2"), three: digit("3"), four: digit("4"), five: digit("5"),
};
EMOJI.hourglass = EMOJI.hourglass_flowing_sand;
EMOJI.large_red_circle = EMOJI.red_circle;
EMOJI.question = EMOJI.grey_question;

/** The drawing for an emoji name, or null if the page has none. */
export function emoji(name) {
  const shapes = EMOJI[name];
  if (!shapes) return null;
  const sign = svg("svg", { viewBox: "0 0 24 24", class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") });
  for (const [tag, props, text] of shapes) sign.append(svg(tag, props, ...(text ? [text] : [])));
  return sign;
}

const STROKES = {
  hash: "M9 3.5L7 20.5M17 3.5l-2 17M4 8.5h17M3 15.5h17",
  shared: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  dots: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  down: "M6 9.5l6 6 6-6",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-7-5.5 15-3-6.5z",
  thread: "M4 5h16v11H11l-4 4v-4H4z",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4z",
  check: "M5 12.5l4.5 4.5L19 7",
  alert: "M12 4l9 15.5H3zM12 10v4M12 16.8v.1",
  phone: "M7.5 2.5h9a1.5 1.5 0 0 1 1.5 1.5v16a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 6 20V4a1.5 1.5 0 0 1 1.5-1.5zM11 18.5h2",
  desktop: "M3 4.5h18v12H3zM9 20.5h6M12 16.5v4",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  compass: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM15.5 8.5l-2 5-5 2 2-5z",
  window: "M4 5h16v14H4zM4 9.5h16",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-4 2.5-6 6.5-6s6.5 2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5c2.3.8 3.5 2.7 3.5 5.5",
  repo: "M6 3h13v18H8a2.5 2.5 0 0 1-2.5-2.5V5.5A2.5 2.5 0 0 1 8 3M5.5 18.5A2.5 2.5 0 0 1 8 16h11",
  bolt: "M13 2.5L5 13.5h6l-1 8 8-11h-6z",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  restart: "M4.5 12a7.5 7.5 0 1 0 2.2-5.3L4.5 9M4.5 4v5h5",
  key: "M8 11.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 12.5L20 3.5M16.5 7l3 3M13.8 9.7l2 2",
};

/** An icon, in the colour of the surrounding text. */
export function icon(name) {
  const drawing = svg("svg", { viewBox: "0 0 24 24", class: `icon icon-${name}`, "aria-hidden": "true" });
  drawing.append(svg("path", { d: STROKES[name] }));
  return drawing;
}

/** The product's logo: a drop, stopped. */
export function logo() {
  const drawing = svg("svg", { viewBox: "0 0 24 24", class: "logo", "aria-hidden": "true" });
  drawing.append(
    svg("path", { d: "M12 2.5c3.8 4.6 6.5 8 6.5 11.5a6.5 6.5 0 0 1-13 0C5.5 10.5 8.2 7.1 12 2.5z", fill: "currentColor" }),
    svg("path", { d: "M8.5 14h7", stroke: "#fff", "stroke-width": "2.6", "stroke-linecap": "round" }),
  );
  return drawing;
}
