// "Start over": the demo goes back to its beginning, and every open page is loaded again.
import { $ } from "./dom.js";
import { forgetTour } from "./tour.js";
import { post } from "./live.js";

/** Ask first, since nothing of what was done remains. */
export function startOver() {
  const box = $("#start-over-box");
  for (const button of ["#start-over", "#tour-over"]) $(button).addEventListener("click", () => box.showModal());
  box.addEventListener("close", async () => {
    if (box.returnValue !== "yes") return;
    box.returnValue = "";
    $("#start-over").setAttribute("aria-busy", "true");
    forgetTour();
    await post("/start-over");
  });
}
