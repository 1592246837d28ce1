"""What the kernel refuses is told in a line, and nothing else happens."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from filters import may_load

from scanner.capture import kernel_bpf
from scanner.capture.kernel_bpf import ARRAY, LRU_HASH, FilterRefused

EXIT = b"\x95" + bytes(7)
ZERO = b"\xb4" + bytes(7)
loadable = pytest.mark.skipif(not may_load(), reason="this kernel lets us load nothing")


@loadable
def test_a_program_is_loaded() -> None:
    os.close(kernel_bpf.loaded(ZERO + EXIT))


@loadable
def test_the_verifiers_last_word_is_told() -> None:
    with pytest.raises(FilterRefused, match=r"^no program: .*: R0 !read_ok$"):
        kernel_bpf.loaded(EXIT)


@loadable
@pytest.mark.parametrize("form", [(LRU_HASH, 0, 8, 8), (999, 4, 8, 8), (ARRAY, 4, 8, 0)])
def test_a_map_that_cannot_be_is_refused(form: tuple[int, int, int, int]) -> None:
    with pytest.raises(FilterRefused, match=r"^no map: Invalid argument$"):
        kernel_bpf.made_map(*form)


def test_who_may_not_is_told_so() -> None:
    here = Path(__file__).parents[3]
    code = (
        "from scanner.capture import kernel_bpf\n"
        "try: kernel_bpf.made_map(kernel_bpf.LRU_HASH, 4, 8, 16)\n"
        "except kernel_bpf.FilterRefused as refusal: print(refusal)\n"
        "try: kernel_bpf.loaded(bytes.fromhex('b4000000000000009500000000000000'))\n"
        "except kernel_bpf.FilterRefused as refusal: print(refusal)\n"
    )
    ran = subprocess.run(
        ["unshare", "-Ur", sys.executable, "-c", code], capture_output=True, text=True, cwd=here, check=False
    )
    if ran.returncode:
        pytest.skip("no namespaces here")
    assert ran.stdout == "no map: Operation not permitted\nno program: Operation not permitted\n"


@pytest.mark.parametrize("machine", ["sparc64", ""])
def test_an_unknown_machine_is_refused(monkeypatch: pytest.MonkeyPatch, machine: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(FilterRefused, match="bpf\\(2\\) has no known number"):
        kernel_bpf.loaded(ZERO + EXIT)
