"""Runs axe-core, the accessibility checker, over the page as it is."""

from importlib import resources

from playwright.async_api import Page

SOURCE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = """async () => {
    // An inherited colour changes a frame after its origin, and an element that appears fades in.
    for (let frame = 0; frame < 12; frame++) await new Promise(requestAnimationFrame);
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).flatMap(
        ({ id, help, nodes }) => nodes.map((node) => `${id} (${help}): ${node.html.slice(0, 120)}`));
}"""


async def assert_nothing_serious(page: Page, state: str) -> None:
    """No finding of axe-core that it calls serious or critical."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(SOURCE)
    found: list[str] = await page.evaluate(SERIOUS)
    assert not found, "\n".join((state, *found))
