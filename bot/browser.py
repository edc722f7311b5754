"""Finds the browser in which a local page is opened."""

import webbrowser


def browser_with_windows() -> webbrowser.BaseBrowser | None:
    """The person's browser; None without a display, or if there is only one that runs in the terminal.

    Without a display Python knows only browsers of the terminal.
    """
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return None
    # Python's class for lynx, w3m and the like; elinks alone has its own.
    in_terminal = type(browser) is webbrowser.GenericBrowser or browser.name == "elinks"
    return None if in_terminal else browser
