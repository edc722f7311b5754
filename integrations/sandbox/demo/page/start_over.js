// "Start over": the demo goes back to its beginning, and every open page is loaded again.
import { $ } from "./dom.js";
import { forgetTour } from "./tour.js";
import { post } from "./live.js";

export function startOver() {
  const box = $("#start-over-box");
  $("#start-over").addEventListener("click", ask);
  box.addEventListener("close", async () => {
    if (box.returnValue !== "yes") return;
    box.returnValue = "";
    $("#start-over").setAttribute("aria-busy", "true");
    forgetTour();
    await post("/start-over");
  });
}

/** Ask first: nothing of what was done remains. */
export const ask = () => $("#start-over-box").showModal();
