"""Questions to a server of the viewer."""

from typing import Any

from starlette.testclient import TestClient


def of(client: TestClient, address: str, status: int = 200, **parameters: Any) -> Any:
    answer = client.get(address, params=parameters)
    assert answer.status_code == status, answer.text
    return answer.json()


def refusal(client: TestClient, address: str, status: int, **parameters: Any) -> str:
    answer = of(client, address, status, **parameters)
    assert list(answer) == ["error"]
    return str(answer["error"])
