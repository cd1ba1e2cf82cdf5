"""By which name a kubeconfig leads to this machine."""

import pytest

from visualizer import gateway


@pytest.mark.parametrize(
    ("given", "allowed", "host", "elsewhere", "names"),
    [
        ("", ["localhost", "127.0.0.1", "[::1]"], "127.0.0.1", False, []),
        ("", ["class.example", "localhost", "10.1.2.3"], "0.0.0.0", False, ["10.1.2.3", "class.example"]),
        ("", ["*", ".example", "[::1]"], "0.0.0.0", False, []),  # anybody may say any name there
        ("", ["class.example"], "127.0.0.1", False, []),  # a proxy before it
        ("", ["class.example"], "0.0.0.0", True, []),
        ("room.example", ["class.example"], "127.0.0.1", True, ["room.example"]),
        ("10.1.2.3", ["*"], "0.0.0.0", False, ["10.1.2.3"]),
    ],
)
def test_names_are_those_that_lead_here_for_certain(given, allowed, host, elsewhere, names):
    assert gateway.names(given, allowed, host=host, elsewhere=elsewhere) == names


@pytest.mark.parametrize(
    "given",
    ["", "https://class.example", "class.example:6443", "::1", "a b", "-a", "a..b", "a/b", "1.2.3", "1.2.3.999"],
)
def test_what_is_no_name_is_refused(given):
    with pytest.raises(ValueError, match="no host name and no IPv4 address"):
        gateway.checked(given)


def test_a_name_is_kept_as_it_is_compared():
    assert gateway.checked("Room.Example") == "room.example"
    assert gateway.checked("10.1.2.3") == "10.1.2.3"


def test_a_learner_is_given_the_name_in_their_address_bar_if_it_is_one_of_ours(settings):
    settings.GATEWAY_HOST, settings.GATEWAY_NAMES = "", ["10.1.2.3", "class.example"]
    assert gateway.name_for("class.example:8000") == "class.example"
    assert gateway.name_for("10.1.2.3") == "10.1.2.3"
    for other in ["localhost:8000", "[::1]:8000", "elsewhere.example"]:
        assert gateway.name_for(other) == "127.0.0.1"


def test_the_name_that_whoever_runs_the_server_gave_is_everybodys(settings):
    settings.GATEWAY_HOST, settings.GATEWAY_NAMES = "room.example", ["room.example"]
    assert gateway.name_for("localhost:8000") == "room.example"
