"""One person's browser window with the demo page, for the browser tests and screenshots."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    expect,
)
from playwright.async_api import TimeoutError as NotInTime

DESKTOP = (1440, 900)
PHONE = (390, 844)
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The machine may be busy with other tests.
PATIENCE = 30_000
# Debian's builds; the one without windows takes a sixth less of the processor.
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser")


def find_chromium() -> str | None:
    """The path of the browser, if there is one."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


# Playwright's `expect` describes the page at each try that fails, which was a third of the browser's work. These wait
# before they expect.


async def appears(part: Locator) -> None:
    """It can be seen, now or soon."""
    with suppress(NotInTime):
        await part.wait_for()
    await expect(part).to_be_visible()


async def contains(part: Locator, text: str) -> None:
    """It contains the text, now or soon."""
    with suppress(NotInTime):
        await part.filter(has_text=text).wait_for(state="attached")
    await expect(part).to_contain_text(text)


async def reads(part: Locator, text: str) -> None:
    """The text is all that it contains, now or soon."""
    with suppress(NotInTime):
        await part.filter(has_text=text).wait_for(state="attached")
    await expect(part).to_have_text(text)


@dataclass
class Visitor:
    """A browser window of one person, and the faults seen in it."""

    page: Page
    address: str
    tour: bool = False
    has_touch: bool = False
    faults: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    @property
    def modal(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("combobox", name="Message")

    @property
    def private(self) -> Locator:
        """The newest message that only this person sees."""
        return self.page.locator("#message-list .message.private").last

    async def leak(
        self,
        kind: str = "classic",
        *,
        bypassed: bool = False,
        publicly: bool = False,
        count: int = 1,
        repository: str | None = None,
    ) -> str:
        """Leak secrets with the panel's form; returns the last alert as `<repository id>/<number>`."""
        page = self.page
        await self.show("github")
        if await page.locator("#alert-page").is_visible():
            await page.locator("#alert-back").click()
        if repository is not None:
            await page.locator("#leak-repository").select_option(label=repository)
        await page.locator("#leak-kind").select_option(kind)
        more = page.locator(".leak-more")
        if bypassed or publicly or count > 1:
            await more.evaluate("details => { details.open = true }")
        if await more.evaluate("details => details.open"):
            await page.get_by_label("How many").select_option(str(count))
            await page.get_by_label("Push protection was bypassed").set_checked(bypassed)
            await page.get_by_label("It also leaked in public").set_checked(publicly)
        async with page.expect_response("**/github/leak") as answered:
            await page.locator("#leak-button").click()
        answer: dict[str, Any] = await (await answered.value).json()
        assert len(answer["alerts"]) == count
        return str(answer["alerts"][-1])

    async def leaked_card(self, kind: str = "classic", **fields: Any) -> Locator:
        """Leak a secret and wait for its card."""
        card = self.card(await self.leak(kind, **fields))
        await self.show("slack")
        await appears(card)
        return card

    def card(self, alert: str) -> Locator:
        """The card of an alert in the open channel, in any state."""
        block = f'[data-block^="alert:{alert}:"]'
        return self.page.locator(f"#message-list .message:not(.private):has({block} .overflow)")

    async def show(self, panel: str) -> None:
        """Open a panel, if the window is too narrow to show all."""
        tab = self.page.locator(f"button[data-panel={panel}]:visible")
        if await tab.count():
            await tab.first.click()

    async def go_to_direct_messages(self) -> None:
        """Open the channel between this person and the bot."""
        back = self.page.get_by_role("button", name="All channels")
        if await back.is_visible():
            await back.click()
        await self.page.locator(".channel", has_text="Stanch").click()

    async def press(self, card: Locator, action: str) -> None:
        await card.locator(f'[data-action="{action}"]').click()

    async def choose(self, card: Locator, action: str, option: str) -> None:
        """Open a menu of the card and choose an option by its text."""
        await self.press(card, action)
        await self.page.locator(".menu").get_by_text(option, exact=True).click()

    async def command(self, text: str) -> Locator:
        """Send a text from the message box; returns the next private message."""
        before = await self.page.locator("#message-list .message.private").count()
        await self.composer.fill(text)
        await self.composer.press("Enter")
        answer = self.page.locator("#message-list .message.private").nth(before)
        await appears(answer)
        return answer

    async def become(self, name: str) -> None:
        await self.page.locator("#switcher").click()
        await self.page.get_by_role("option", name=name).click()
        await reads(self.page.locator(".switcher-name"), name)

    async def go_to(self, channel: str) -> None:
        await self.page.locator(f'button[data-channel="{channel}"]').click()

    async def report(self, card: Locator) -> None:
        """Report a leak, with consent."""
        await self.press(card, "report_leak")
        await self.modal.get_by_role("checkbox").check()
        await self.modal.locator("[type=submit]").click()
        await expect(self.modal).to_have_count(0)

    async def open(self, person: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False) -> None:
        """Open the page as this person, on a screen of this size."""
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})
        await self.page.emulate_media(color_scheme="dark" if dark else "light")
        await self.page.goto(f"{self.address}?as={person}")
        await expect(self.page.locator("#channels .channel").first).to_be_attached()

    async def leave(self) -> None:
        """Close what was opened besides, and forget all that was stored."""
        context = self.page.context
        for page in context.pages:
            if page is not self.page:
                await page.close()
        await self.page.unroute_all()
        await self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        await self.page.mouse.move(0, 0)
        await self.page.goto("about:blank")
        await context.clear_cookies()

    async def scrolls_sideways(self) -> bool:
        """Whether anything on the page scrolls sideways."""
        found: bool = await self.page.evaluate(
            """async () => {
                // What the page draws after a change of its width comes with the next frames.
                for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
                return [document.documentElement, ...document.querySelectorAll(
                    "body, .topbar, .tour, .slack, .messages, .modal-body, .panel, .panel-page")].some(
                        (box) => box.scrollWidth > box.clientWidth + 1)
            }"""
        )
        return found

    def _listen(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._note_console)
        self.page.on("request", self._note_request)

    def _note_console(self, message: ConsoleMessage) -> None:
        # The server answers 400 to an action that fails; the page shows its sentence.
        if message.type == "error" and "400 (Bad Request)" not in message.text:
            self.faults.append(message.text)

    def _note_request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.address).netloc and not request.url.startswith(
            "data:"
        ):
            self.foreign.append(request.url)


async def visit(
    browser: Browser,
    address: str,
    person: str = "U0SAM",
    *,
    size: tuple[int, int] = DESKTOP,
    dark: bool = False,
    tour: bool = False,
    **options: Any,
) -> Visitor:
    """Open the page in a new window as this person; the tour starts only with `tour`."""
    visitor = await _open_window(browser, address, tour=tour, **options)
    await visitor.open(person, size=size, dark=dark)
    return visitor


async def _open_window(
    browser: Browser, address: str, *, tour: bool, has_touch: bool = False, **options: Any
) -> Visitor:
    context: BrowserContext = await browser.new_context(
        reduced_motion="reduce", has_touch=has_touch, **options
    )
    context.set_default_timeout(PATIENCE)
    if not tour:
        # about:blank has no storage.
        await context.add_init_script("if (origin !== 'null') localStorage.setItem('tour:dismissed', 'yes')")
    visitor = Visitor(await context.new_page(), address, tour, has_touch)
    visitor._listen()
    return visitor


class Windows:
    """Windows that are used again: the page in a new one takes three times the CPU of the page in a used one."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._address = address
        self._free: list[Visitor] = []

    async def take(
        self,
        person: str = "U0SAM",
        *,
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
        tour: bool = False,
        has_touch: bool = False,
    ) -> Visitor:
        """A window with the page as this person sees it who has never opened it before."""
        free = [one for one in self._free if (one.tour, one.has_touch) == (tour, has_touch)]
        if free:
            visitor = free[0]
            self._free.remove(visitor)
        else:
            visitor = await _open_window(self._browser, self._address, tour=tour, has_touch=has_touch)
        await visitor.open(person, size=size, dark=dark)
        return visitor

    def give_back(self, visitors: Iterable[Visitor]) -> None:
        """Let windows be used again which nobody looks at any more."""
        self._free.extend(visitors)
