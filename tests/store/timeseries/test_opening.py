"""URLs choose the store, and what stands in them before the host is a secret."""

import pytest

from campus.quantity import Quantity
from campus.reading import Reading, Series
from store.errors import BadStoreUrl, StoreUnavailable
from store.timeseries.opening import open_store
from store.timeseries.victoria.address import parse_url


@pytest.mark.parametrize(
    "url",
    ["mysql://x", "influxdb2://topsecret@host", "victoriametrics://topsecret@host:1", "victoriametrics://"],
)
def test_urls_choose_the_store(tmp_path, url):
    """A URL that names no store is refused, without repeating its secret."""
    with pytest.raises(BadStoreUrl) as caught:
        open_store(url, tmp_path)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["influxdb2://topsecret@127.0.0.1:9/org/bucket", "victoriametrics://user:topsecret@127.0.0.1:9"]
)
def test_a_store_that_is_away_is_unavailable(tmp_path, url):
    """Connection refused is for later, not for ever, and the secret is not in its words."""
    away = open_store(url, tmp_path)
    one = Series("d", Quantity.ENERGY)
    for call in (lambda: away.write([Reading(one, 1.0, 5, 5)]), lambda: away.query(one, 0, 9), away.latest):
        with pytest.raises(StoreUnavailable) as caught:
            call()
        assert "topsecret" not in str(caught.value)
    away.close()


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("victoriametrics://localhost:8428", ("http://localhost:8428", "", "")),
        ("victoriametricss://a:b%40c@vm.school.cn", ("https://vm.school.cn", "a", "b@c")),
        ("victoriametrics://h:1/select/0/", ("http://h:1/select/0", "", "")),
    ],
)
def test_a_victoriametrics_address(url, parts):
    """Host, TLS, account and prefix are read from the URL; the password is not shown."""
    address = parse_url(url)
    assert (address.url, address.username, address.password) == parts
    assert "b@c" not in repr(address)
