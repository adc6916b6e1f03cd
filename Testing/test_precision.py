"""Mixed precision only where it is faster."""

import pytest

torch = pytest.importorskip("torch")

from LGETextTrainLib.precision import has_fast_bfloat16, mixed_precision  # noqa: E402


@pytest.mark.parametrize(("capability", "fast"), [("AVX512", True), ("AVX2", False), ("DEFAULT", False)])
def test_a_cpu_that_emulates_bfloat16_stays_in_single_precision(
    monkeypatch: pytest.MonkeyPatch, capability: str, fast: bool
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert has_fast_bfloat16("cpu") is fast
    with mixed_precision("cpu"):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if fast else torch.float32)


def test_a_gpu_always_has_it() -> None:
    assert has_fast_bfloat16("cuda")
