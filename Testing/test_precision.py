"""Mixed precision only where it is faster."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from LGETextTrainLib.precision import CPU_FEATURES, has_fast_bfloat16, mixed_precision  # noqa: E402

CPU_INFO = Path("/proc/cpuinfo")


@pytest.mark.parametrize(("bf16", "amx", "fast"), [(True, False, True), (False, True, True), (False, False, False)])
def test_a_cpu_that_emulates_bfloat16_stays_in_single_precision(
    monkeypatch: pytest.MonkeyPatch, bf16: bool, amx: bool, fast: bool
) -> None:
    for name, there in zip(CPU_FEATURES, (bf16, amx), strict=True):
        monkeypatch.setattr(torch.cpu, name, lambda there=there: there)
    assert has_fast_bfloat16("cpu") is fast
    with mixed_precision("cpu"):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if fast else torch.float32)


def test_a_torch_that_cannot_tell_stays_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CPU_FEATURES:
        monkeypatch.delattr(torch.cpu, name)
    assert not has_fast_bfloat16("cpu")


@pytest.mark.skipif(not CPU_INFO.is_file(), reason="no /proc/cpuinfo here")
def test_this_machine_is_judged_by_its_own_flags() -> None:
    flags = set(CPU_INFO.read_text("utf-8").split())
    if not flags & {"sse2"}:
        pytest.skip("not an x86 CPU")
    assert has_fast_bfloat16("cpu") == bool(flags & {"avx512_bf16", "amx_tile"})


V100, T4, A100 = (7, 0), (7, 5), (8, 0)


@pytest.mark.parametrize(("capability", "fast"), [(V100, False), (T4, False), (A100, True)])
@pytest.mark.parametrize("torch_tells", [True, False])
def test_a_gpu_that_emulates_bfloat16_stays_in_single_precision(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], fast: bool, torch_tells: bool
) -> None:
    def newer(including_emulation: bool = True) -> bool:  # what torch says of these: it emulates it from Volta on
        return capability >= A100 or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", newer if torch_tells else lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert has_fast_bfloat16("cuda") is fast


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_this_gpu_is_judged_by_its_own_generation() -> None:
    assert has_fast_bfloat16("cuda") == (torch.version.hip is not None or torch.cuda.get_device_capability() >= A100)
