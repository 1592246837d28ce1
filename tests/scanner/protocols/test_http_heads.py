"""What is read of challenges and first lines."""

import pytest

from scanner.protocols.http_heads import REALM_WITHIN, Request, realm


@pytest.mark.parametrize(
    ("challenge", "expected"),
    [
        pytest.param(b'Basic realm="MFP 300"', "MFP 300", id="Basic"),
        pytest.param(b'BASIC Realm="MFP \\"300\\""', 'MFP "300"', id="in any case, with quotes"),
        pytest.param(b"Basic realm=MFP", "MFP", id="without quotes"),
        pytest.param(b'Digest qop="auth", realm="NAS", nonce="x"', "NAS", id="Digest, behind another word"),
        pytest.param(b'Bearer realm="token"', "", id="another scheme"),
        pytest.param(b'Negotiate, Basic realm="MFP"', "MFP", id="the second scheme"),
        pytest.param(b"Basic", "", id="none"),
        pytest.param(b'Basic realm=""', "", id="an empty one"),
        pytest.param(b"Basic " + b"x" * REALM_WITHIN + b'realm="MFP"', "", id="too far behind"),
    ],
)
def test_realms(challenge: bytes, expected: str) -> None:
    assert realm(challenge) == expected


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        pytest.param(b"GET", b"/index.html", False, id="a path"),
        pytest.param(b"OPTIONS", b"*", False, id="the server as a whole"),
        pytest.param(b"GET", b"http://mfp.example.com/", True, id="a whole address"),
        pytest.param(
            b"CONNECT", b"smtp.example.com:587", False, id="a tunnel: its answer is the proxy's own"
        ),
    ],
)
def test_who_answers(method: bytes, target: bytes, expected: bool) -> None:
    assert Request(method, target, 0).through_proxy is expected
