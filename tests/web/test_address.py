"""Which URLs and addresses are for everybody, and which lead inside."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from a3s_cli.web.address import Target, is_public, names_private_address, parse

#: RFC 6890 and the registries after it, and addresses that clouds keep for themselves.
NOT_PUBLIC = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255
    127.0.0.1 127.255.255.254 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1
    172.31.255.255 192.0.0.8 192.0.0.9 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1
    198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.250 240.0.0.1
    255.255.255.255 168.63.129.16
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
    ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b:1::8.8.8.8 100::1
    2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::
    2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fe80::1%eth0
    fec0::1 ff02::1 ff0e::1 4000::1 2606:4700::5efe:10.0.0.1 2606:4700::200:5efe:127.0.0.1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255
    128.0.0.1 169.253.1.1 172.15.255.255 172.32.0.1 192.167.1.1 223.255.255.255
    2606:4700::1111 2a00:1450:4001::200e 64:ff9b::8.8.8.8 ::ffff:8.8.8.8
    2606:4700::5efe:8.8.8.8
"""


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_what_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]"])
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_as_what_stands_for_it(four: IPv4Address) -> None:
    for prefix in ("::ffff:", "64:ff9b::"):
        assert is_public(f"{prefix}{four}") == is_public(str(four))
    for prefix in ("::", "::ffff:0:", "fe80::5efe:", "64:ff9b:1::"):
        assert not is_public(f"{prefix}{four}")
    assert not is_public(str(IPv6Address(0x2002 << 112 | int(four) << 80)))
    assert not is_public(str(IPv6Address(0x2001 << 112 | ~int(four) & 0xFFFFFFFF)))


@given(st.sampled_from(["10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "224.0.0.0/3"]), st.data())
def test_no_address_of_a_reserved_range_is_public(network: str, data: st.DataObject) -> None:
    size = IPv4Network(network).num_addresses
    offset = data.draw(st.integers(0, size - 1))
    assert not is_public(str(IPv4Network(network)[offset]))


READ = {
    "https://example.org": Target("https", "example.org", 443, "/"),
    "HTTPS://Example.ORG.:443/A?b=c#d": Target("https", "example.org", 443, "/A?b=c"),
    "http://example.org:8080?q": Target("http", "example.org", 8080, "/?q"),
    "http://example.org:/x#@y": Target("http", "example.org", 80, "/x"),
    "http://a_b.example.org/": Target("http", "a_b.example.org", 80, "/"),
    "http://8.8.8.8/": Target("http", "8.8.8.8", 80, "/"),
    "http://[2606:4700:0::1111]:8000/": Target("http", "2606:4700::1111", 8000, "/"),
    "https://münchen.example/ü": Target("https", "xn--mnchen-3ya.example", 443, "/ü"),
    "https://example。org/": Target("https", "example.org", 443, "/"),
    "https://ⓔxample.org/": Target("https", "example.org", 443, "/"),
    "https://faß.example/": Target("https", "xn--fa-hia.example", 443, "/"),
}


@pytest.mark.parametrize("url", READ)
def test_a_url_is_read_once(url: str) -> None:
    assert parse(url) == READ[url]
    assert parse(READ[url].url) == READ[url]


REFUSED = {
    "it does not begin with https:// or http://": [
        "", "example.org", "//example.org/", "file:///etc/passwd", "ftp://example.org/",
        "gopher://127.0.0.1:6379/_x", "dict://127.0.0.1:11211/", "javascript:alert(1)", "http:",
        "http:/example.org", "https:example.org", "data:text/html,x", "view-source:http://a.org",
    ],
    "it holds a space, a backslash or a control character": [
        " http://a.org/", "http://a.org/\n", "http://a.org\x00.evil.test/", "http://a.org\\@b.org/",
        "http:\\\\a.org", "http://a.org/\ud800", "http://a\t.org/", "http://a.org/\x7f",
    ],
    "it contains a user name or a password": [
        "http://user:pass@127.0.0.1/", "http://allowed.example@127.0.0.1/", "http://@a.org/",
        "http://a.org:80@b.org/",
    ],
    "its host is an IP address in an unusual form": [
        "http://0/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/",
        "http://0177.0.0.1/", "http://a.0x/", "http://1.2.3.4.5/", "http://256.1.1.1/",
        "http://１２７.1/", "http://[::1%25lo]/", "http://[1.2.3.4]/", "http://[]/", "http://[:::]/",
        "http://[fe80::1%eth0]/", "http://a.org.1/",
    ],
    "its host is not a valid name": [
        "http://", "http:///x", "http://./", "http://a..org/", "http://.a.org/", "http://a.org../",
        "http://allowed.example%2eevil.test/", "http://-a.org/", "http://a-.org/", "http://a,b.org/",
        f"http://{'a' * 64}.org/", f"http://{'a.' * 130}org/",
    ],
    "its host is not a valid international name": ["http://ü" + "b" * 300 + ".org/", "http://☃\u200d.org/"],
    "its host cannot be read": ["http://::1/", "http://[::1/", "http://a.org:80:80/", "http://a.org:x/"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("url", "reason"), [(url, reason) for reason, urls in REFUSED.items() for url in urls]
)
def test_what_no_url_of_the_web_looks_like(url: str, reason: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse(url)
    assert str(refused.value) == reason


PRIVATE_NAMES = """
    localhost LOCALHOST. ⓛocalhost a.localhost printer.local metadata metadata.google.internal
    metadata.goog router.home.arpa db.intranet nas.lan redis
"""


@pytest.mark.parametrize("host", PRIVATE_NAMES.split())
def test_names_of_private_networks(host: str) -> None:
    with pytest.raises(ValueError, match="of this machine or of a private network"):
        parse(f"http://{host}/")


@pytest.mark.parametrize("port", ["0", "22", "25", "81", "1023", "65536", "99990000080", "000000"])
def test_ports_of_other_protocols(port: str) -> None:
    with pytest.raises(ValueError, match=f"port {port[:10]} is not a port of the web"):
        parse(f"http://example.org:{port}/")


def test_a_url_is_not_endless() -> None:
    with pytest.raises(ValueError, match="longer than 8192 characters"):
        parse("http://example.org/" + "a" * 8192)


@given(st.text(alphabet="htps:/.@#?%[]\\0127x ⓛo。１a", max_size=40).map("http://".__add__))
@example("http://127.0.0.1#@a.org")
def test_what_is_read_is_unambiguous(url: str) -> None:
    try:
        target = parse(url)
    except ValueError:
        return
    assert target.host.isascii()
    assert not set(target.host) & set("@#?%[]\\/ ")
    assert parse(target.url) == target
    if target.literal:
        assert str(ip_address(target.host)) == target.host


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1.nip.io", "169-254-169-254.sslip.io", "a.10.0.0.1.b.test", "ip-10-0-0-1.test"],
)
def test_names_that_spell_out_a_private_address(host: str) -> None:
    assert names_private_address(host)


@pytest.mark.parametrize("host", ["example.org", "8.8.8.8.nip.io", "v1.2.3.example.org"])
def test_names_that_spell_out_none(host: str) -> None:
    assert not names_private_address(host)
