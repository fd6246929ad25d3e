"""The signed clients against the providers' own examples."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from alerts.channels import tc3
from alerts.channels.acs3 import canonical_query, signed_headers


def test_aliyun_documented_example():
    """The example of Aliyun's signature document (RunInstances, 2023-10-26) gives its documented signature."""
    headers = signed_headers(
        method="POST",
        path="/",
        query={"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"},
        headers={
            "host": "ecs.cn-shanghai.aliyuncs.com",
            "x-acs-action": "RunInstances",
            "x-acs-version": "2014-05-26",
            "x-acs-date": "2023-10-26T10:22:32Z",
            "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        },
        body=b"",
        key_id="YourAccessKeyId",
        key_secret="YourAccessKeySecret",
    )
    assert headers["authorization"].endswith(
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_aliyun_escapes_as_it_signs():
    """Spaces, Chinese and tildes are escaped as RFC 3986 says."""
    assert canonical_query({"b": "a b~*", "a": "水"}) == "a=%E6%B0%B4&b=a%20b~%2A"


@pytest.mark.parametrize(
    ("masked", "signature"),
    [
        ("*******", "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"),
        ("EXAMPLE", "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"),
    ],
)
def test_tencent_documented_examples(masked, signature):
    """Tencent's documented example (DescribeInstances, 2019-02-25), in both forms its documents have had."""
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    found = tc3.authorization(
        host="cvm.tencentcloudapi.com",
        service="cvm",
        body=body,
        time_s=1551113065,
        secret_id=f"AKIDz8krbsJ5yKBZQpn74WFkmLPx3{masked}",
        secret_key=f"Gu5t9xGARNpq86cd98joQYCN3{masked}",
    )
    assert (
        hashlib.sha256(body).hexdigest() == "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
    )
    assert found.endswith(
        f"/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature={signature}"
    )


@pytest.mark.parametrize("change", ["host", "body", "time_s", "secret_key"])
def test_every_part_counts(change):
    """Another host, body, time or key gives another signature."""
    parts = {"host": "h", "service": "sms", "body": b"{}", "time_s": 1, "secret_id": "i", "secret_key": "k"}
    other = parts | {change: {"host": "g", "body": b"[]", "time_s": 2, "secret_key": "l"}[change]}
    assert tc3.authorization(**parts) != tc3.authorization(**other)
    assert hmac.compare_digest(tc3.authorization(**parts), tc3.authorization(**parts))
