import pytest
from django.test import RequestFactory

from dermascan.core.client_address import client_address, client_network

PROXY = "10.0.0.1"


def request(forwarded: str | None = None, *, peer: str = PROXY, **headers):
    if forwarded is not None:
        headers["HTTP_X_FORWARDED_FOR"] = forwarded
    return RequestFactory().get("/", REMOTE_ADDR=peer, **headers)


@pytest.mark.parametrize("forwarded", [None, "203.0.113.9", "nonsense", "203.0.113.9, 198.51.100.7", ""])
def test_without_proxies_the_header_is_not_read(settings, forwarded):
    settings.PROXIES = 0
    assert client_address(request(forwarded)) == PROXY


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1,,127.0.0.1 , 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "203.0.113.9:51234", "203.0.113.9"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, '"[2001:db8::1]"', "2001:db8::1"),
        (1, "2001:DB8:0:0::1", "2001:db8::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "203.0.113.9, unknown", PROXY),
        (1, "203.0.113.9, <script>", PROXY),
        (1, "203.0.113.9\r\nX: y", PROXY),
        (1, " , ,", PROXY),
        (1, None, PROXY),
    ],
)
def test_each_proxy_takes_off_one_entry(settings, proxies, forwarded, address):
    settings.PROXIES = proxies
    assert client_address(request(forwarded)) == address


def test_other_headers_are_not_read(settings):
    settings.PROXIES = 1
    forged = {"HTTP_FORWARDED": "for=203.0.113.9", "HTTP_X_REAL_IP": "203.0.113.9", "HTTP_CLIENT_IP": "203.0.113.9"}
    assert client_address(request(**forged)) == PROXY


def test_a_socket_without_an_address_is_one_client(settings):
    settings.PROXIES = 0
    assert client_address(request(peer="")) == "unknown"


def test_one_ipv6_line_is_one_client(settings):
    settings.PROXIES = 1
    networks = {client_network(request(f"2001:db8:1:2::{end}")) for end in ("1", "ffff", "bbbb:cccc:dddd")}
    assert networks == {"2001:db8:1:2::/64"}
    assert client_network(request("2001:db8:1:3::1")) == "2001:db8:1:3::/64"
    assert client_network(request("203.0.113.9")) == "203.0.113.9"
