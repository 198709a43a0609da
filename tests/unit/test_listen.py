"""Where the API may listen: every unsafe combination is refused, whatever else is right about it."""

import itertools

import pytest

from crypto_bot.api.listen import check_surroundings
from crypto_bot.api.origin import Surroundings
from crypto_bot.api.serve import main
from crypto_bot.domain.errors import UsageError

OWN = ("127.0.0.1", "127.0.0.2", "::1", "localhost")
OTHERS = ("0.0.0.0", "::", "192.168.1.5", "203.0.113.7", "2001:db8::1", "bot.example", "localhost.example", "127.1")


@pytest.mark.parametrize("address", OWN + OTHERS)
def test_every_combination(address: str) -> None:
    allowed = []
    for https, proxied, named in itertools.product((False, True), repeat=3):
        hosts, proxies = ["bot.example"] * named, ["192.0.2.1"] * proxied
        around = Surroundings(hosts, (), proxies, https=https)
        try:
            check_surroundings(address, around)
        except UsageError as refused:
            assert "--" in str(refused) or "127.0.0.1" in str(refused)
        else:
            allowed.append((https, proxied, named))
    everything = [(True, True, True)]
    own = [each for each in itertools.product((False, True), repeat=3) if each[0] or not each[1]]
    assert allowed == (own if address in OWN else everything)


@pytest.mark.parametrize(
    "around",
    [
        Surroundings(hosts=["*"]),
        Surroundings(hosts=["*.example"]),
        Surroundings(hosts=["a b"]),
        Surroundings(hosts=[""]),
        Surroundings(hosts=["bot.example/x"]),
        Surroundings(origins=["*"]),
        Surroundings(origins=["null"]),
        Surroundings(origins=["https://*.example"]),
        Surroundings(origins=["https://desk.example/"]),
        Surroundings(origins=["desk.example"]),
        Surroundings(origins=["file://x"]),
        Surroundings(proxies=["*"], https=True),
        Surroundings(proxies=["10.0.0.0/8"], https=True),
        Surroundings(proxies=["0.0.0.0"], https=True),
        Surroundings(proxies=["proxy.example"], https=True),
    ],
)
def test_no_wildcard_anywhere(around: Surroundings) -> None:
    with pytest.raises(UsageError):
        check_surroundings("127.0.0.1", around)


@pytest.mark.parametrize("value", ["0.0.0.0", "::", ""])
def test_an_address_for_all_is_no_host_name(value: str) -> None:
    assert not Surroundings(hosts=[value]).answers_to(value) and not Surroundings().answers_to(value)


@pytest.mark.parametrize(
    "words",
    [
        ["--host", "0.0.0.0"],
        ["--host", "0.0.0.0", "--behind-proxy"],
        ["--host", "0.0.0.0", "--behind-proxy", "--trusted-proxy", "192.0.2.1"],
        ["--host", "0.0.0.0", "--trusted-proxy", "192.0.2.1", "--allow-host", "bot.example"],
        ["--trusted-proxy", "127.0.0.1"],
        ["--allow-origin", "*"],
        ["--allow-host", "*"],
    ],
)
def test_the_process_ends_before_it_listens(
    words: list[str], tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--state", str(tmp_path), "--port", "0", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
