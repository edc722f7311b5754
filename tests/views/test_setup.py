"""What the set-up says about GitHub, and that outside text stays text on its pages."""

import inspect
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.rules.github_app_manifest import PERMISSIONS, AppPlan
from bot.views import setup_github as words
from bot.views import setup_github_refusals as refusals
from bot.views.setup_html import StepLine
from bot.views.setup_pages import document, step_page
from bot.views.setup_panel import (
    CopyText,
    FactRows,
    InputField,
    Instructions,
    Panel,
    PanelForm,
    Paragraph,
    WebLink,
    WideTable,
)
from bot.views.setup_text import field_text, panel_text, steps_text

PLAN = AppPlan("stanch-octo", "https://github.com/octo", public=False)
WITH_ADDRESS = AppPlan(
    "stanch-octo",
    "https://github.com/octo",
    public=True,
    public_url="https://stanch.octo.example",
    webhooks=True,
    more_permissions=frozenset({"administration"}),
)
PAGE = "https://github.com/organizations/octo/settings/apps/new"
PANELS = {
    "account": words.account_panel(github_url="https://github.com", public_url="", more_accounts=""),
    "app": words.app_panel(PLAN, "octo", PAGE, "{}"),
    "app-with-address": words.app_panel(WITH_ADDRESS, "octo", PAGE, "{}"),
    "app-by-hand": words.app_by_hand_panel(WITH_ADDRESS, "octo", f"{PAGE}?name=stanch-octo"),
    "installation": words.installation_panel(
        "stanch-octo", "octo", "https://github.com/apps/stanch-octo", "octo"
    ),
    "installation-without-page": words.installation_panel("stanch-octo", "octo", "", "octo, labs"),
}
REFUSALS = {
    "other_owner": refusals.other_owner("stanch-octo", "mallory", "octo"),
    "other_app": refusals.other_app("labs", "octo"),
    "key_not_written": refusals.key_not_written("stanch-octo", ".env can't be written: No space left.", PAGE),
    "not_converted": refusals.not_converted("GitHub answered 502 to POST /app-manifests/{code}/conversions"),
    "bad_key_file": refusals.bad_key_file("does not hold a valid PEM private key"),
    "key_refused": refusals.key_refused("Bad credentials", 3.0),
    "key_refused_clock": refusals.key_refused(None, -400.0),
    "not_asked": refusals.not_asked("GET /app failed: no connection"),
    "not_installed": refusals.not_installed("octo", "stanch-octo"),
    "suspended": refusals.suspended("octo", "stanch-octo"),
    "lacks_permissions": refusals.lacks_permissions("stanch-octo", PERMISSIONS[1:3]),
    "in_environment": refusals.in_environment("GITHUB_APP_ID"),
    "bad_setting": refusals.bad_setting("GITHUB_ACCOUNTS", "names no account"),
    "address_fault": refusals.address_fault("The address of Stanch", "must have no path"),
    **{name: value for name, value in vars(refusals).items() if name.isupper() and isinstance(value, str)},
}


@pytest.mark.parametrize("name", PANELS)
def test_setup_step(golden: SnapshotAssertion, name: str) -> None:
    panel = PANELS[name]
    fields = [line for form in panel.forms for one in form.fields for line in field_text(one).splitlines()]
    buttons = [f"[{form.button}]{f' {form.aside}' if form.aside else ''}" for form in panel.forms]
    assert [*panel_text("Title", panel, "").splitlines(), *fields, *buttons] == golden


@pytest.mark.parametrize("name", ["github"])
def test_setup_refusal(golden: SnapshotAssertion, name: str) -> None:
    functions = {
        one
        for one, value in vars(refusals).items()
        if inspect.isfunction(value) and value.__module__ == refusals.__name__
    }
    assert functions <= REFUSALS.keys()
    assert all(sentence.endswith((".", ").")) for sentence in REFUSALS.values())
    assert golden == REFUSALS


def test_outside_text_stays_text_on_the_page() -> None:
    evil = '<script>alert(1)</script>\u202e"'
    panel = Panel(
        (
            Paragraph(evil),
            WebLink(evil, f"https://github.com/{evil}"),
            FactRows(((evil, evil),)),
            Instructions((evil,)),
            CopyText(evil, evil),
            WideTable((evil,), ((evil,),)),
        ),
        (
            PanelForm(evil, (InputField(evil, evil, value=evil, hint=evil),), {evil: evil}),
            PanelForm(evil, (InputField("c", evil, "choice", choices=((evil, evil),)),), aside=evil),
            PanelForm("To GitHub", hidden={"manifest": evil}, to=f"https://github.com/{evil}"),
        ),
    )
    line = StepLine("account", "GitHub account", done=True, current=False, summary=evil)
    page = step_page([line], evil, panel, {"session": evil}, state="s", fault=evil, entered={evil: evil})
    shown = document(page)
    assert "<script" not in shown
    assert '"https://github.com/<' not in shown
    assert shown.count("alert(1)") > 15
    # What is from outside loses its bidirectional characters as well.
    assert "\u202e" not in "".join(shown.partition("<dd>")[2].partition("</dd>")[0])
    moving = "\u202e\x1b[2J\r"
    facts = Panel((Paragraph(moving), FactRows((("Owner", moving),))), ())
    text = steps_text([replace(line, summary=moving)]) + panel_text("Title", facts, moving)
    assert not set("\u202e\x1b\r") & set(text)


def test_a_secret_that_was_typed_is_not_shown_again() -> None:
    form = PanelForm("Use", (InputField("token", "Token", "secret", value="xoxb-before"),))
    page = step_page([], "Title", Panel((), (form,)), {}, fault="Wrong.", entered={"token": "xoxb-typed"})
    assert "xoxb" not in document(page)
