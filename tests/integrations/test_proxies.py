"""The proxy of the environment's variables."""

import pytest

from integrations.proxies import proxy_fault


@pytest.mark.parametrize(
    ("setting", "is_right"),
    [
        ("http://proxy.octo.example:3128", True),
        ("proxy.octo.example:3128", True),
        ("socks5://proxy.octo.example:1080", False),
        ("http://[proxy.octo.example", False),
        ("http://proxy.octo.example:port", False),
    ],
)
def test_a_proxy_that_is_no_address_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, setting: str, is_right: bool
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", setting)
    fault = proxy_fault()
    assert (fault is None) is is_right
    assert fault is None or fault.startswith("HTTPS_PROXY must be the address of an HTTP proxy")
