"""What a network makes fail is tried again, and what is missing is not."""

from __future__ import annotations

import pytest

from tests.vm.errors import LastingError, VmError, patiently


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr("time.sleep", taken.append)
    return taken


def test_until_it_works(pauses: list[float]) -> None:
    answers = iter([VmError("once"), VmError("twice"), "found"])

    def action() -> object:
        answer = next(answers)
        if isinstance(answer, VmError):
            raise answer
        return answer

    assert patiently("find", action) == "found"
    assert pauses == [5.0, 10.0]


@pytest.mark.parametrize(
    ("error", "waited"), [(VmError, [5.0, 10.0, 15.0]), (LastingError, [])], ids=["often", "once"]
)
def test_not_for_ever(error: type[VmError], waited: list[float], pauses: list[float]) -> None:
    def action() -> None:
        raise error("no")

    with pytest.raises(error, match="no"):
        patiently("try", action)
    assert pauses == waited
