"""Work goes on in threads beside the loop, and nobody waits for it to end the program."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from scanner.serve.beside import beside


def test_the_loop_goes_on_while_work_is_done_elsewhere() -> None:
    gate = threading.Event()

    async def opened() -> str:
        gate.set()
        return "opened"

    async def both() -> list[object]:
        return list(await asyncio.gather(beside(lambda: gate.wait(20)), opened()))

    assert asyncio.run(both()) == [True, "opened"]


def test_a_fault_of_the_work_is_who_waits_fault() -> None:
    def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(beside(work))


def test_work_that_nobody_waits_for_any_more_ends_in_silence() -> None:
    done = threading.Event()

    async def impatient() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(beside(lambda: time.sleep(0.05)), 0.001)
        await beside(done.set)
        await asyncio.sleep(0.1)

    asyncio.run(impatient())
    assert done.is_set()


def test_the_program_ends_though_work_goes_on() -> None:
    program = (
        "import asyncio, time\n"
        "from scanner.serve.beside import beside\n"
        "async def main():\n"
        "    task = asyncio.create_task(beside(lambda: time.sleep(600)))\n"
        "    await asyncio.sleep(0.05)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=60, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
