"""Short words for attach types."""

from __future__ import annotations

import pytest

from bpfctl.kernel.uapi import AttachType
from bpfctl.objects.attach_words import attach_word, cgroup_attach_type, cgroup_attach_words


@pytest.mark.parametrize(
    ("attach_type", "word"),
    [
        pytest.param(AttachType.CGROUP_INET_INGRESS, "ingress", id="zero"),
        pytest.param(AttachType.CGROUP_INET4_CONNECT, "connect4", id="cgroup"),
        pytest.param(AttachType.MODIFY_RETURN, "fmod_ret", id="tracing"),
        pytest.param(AttachType.SK_LOOKUP, "sk_lookup", id="UAPI"),
        pytest.param(4711, "4711", id="unknown"),
    ],
)
def test_attach_word(attach_type: int, word: str) -> None:
    assert attach_word(attach_type) == word


def test_every_cgroup_word_leads_back() -> None:
    found = {word: cgroup_attach_type(word) for word in cgroup_attach_words()}
    assert None not in found.values()
    assert {word: attach_word(kind) for word, kind in found.items() if kind is not None} == {
        word: word for word in found
    }


def test_every_cgroup_attach_type_of_the_kernel_has_a_word() -> None:
    numbers = {kind for kind in AttachType if kind.name.startswith("CGROUP_")}
    numbers.add(AttachType.LSM_CGROUP)
    assert {cgroup_attach_type(word) for word in cgroup_attach_words()} == numbers


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("cgroup_inet4_connect", AttachType.CGROUP_INET4_CONNECT, id="UAPI"),
        pytest.param("CGROUP_INET_INGRESS", AttachType.CGROUP_INET_INGRESS, id="upper case"),
        pytest.param("ingress", AttachType.CGROUP_INET_INGRESS, id="zero"),
        pytest.param("10", AttachType.CGROUP_INET4_CONNECT, id="number"),
        pytest.param("0", AttachType.CGROUP_INET_INGRESS, id="number zero"),
        pytest.param("xdp", None, id="not of cgroups"),
        pytest.param("connect", None, id="part of a word"),
        pytest.param("", None, id="empty"),
    ],
)
def test_cgroup_attach_type(word: str, expected: int | None) -> None:
    assert cgroup_attach_type(word) == expected
