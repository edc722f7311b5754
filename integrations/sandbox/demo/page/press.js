// While a control is pressed nothing is redrawn: if it were replaced before the release, the browser
// would make no click.
let pressed = false;
let waiting = [];

addEventListener("pointerdown", (event) => (pressed = event.button === 0), true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, release, true);
addEventListener("blur", (event) => event.target === window && release());

function release() {
  if (!pressed) return;
  pressed = false;
  // The click comes right after the release.
  setTimeout(() => {
    const runs = waiting;
    waiting = [];
    delete document.documentElement.dataset.held;
    for (const run of runs) run();
  });
}

/** Call `run` now, or after the release if a control is pressed; calls keep their order. */
export function whenReleased(run) {
  if (!pressed && !waiting.length) return run();
  waiting.push(run);
  document.documentElement.dataset.held = waiting.length;
}
