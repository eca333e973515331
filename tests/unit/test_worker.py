"""Only the newest request is worked on."""

from __future__ import annotations

import queue
import threading

from samantha_desktop.core.ports import IsCancelled
from samantha_desktop.pipeline.worker import Worker


def test_a_newer_job_cancels_the_one_before_and_replaces_those_waiting() -> None:
    worker = Worker("test-worker")
    worker.start()
    log: queue.Queue[str] = queue.Queue()
    has_begun, may_end = threading.Event(), threading.Event()

    def first(is_cancelled: IsCancelled) -> None:
        has_begun.set()
        may_end.wait(10.0)
        log.put(f"first {is_cancelled()}")

    worker.submit(first)
    assert has_begun.wait(10.0)
    worker.submit(lambda _: log.put("second"))
    worker.submit(lambda is_cancelled: log.put(f"third {is_cancelled()}"))
    may_end.set()
    assert [log.get(timeout=10.0), log.get(timeout=10.0)] == ["first True", "third False"]
    assert worker.close()
    assert log.empty()


def test_cancel_and_close_leave_nothing_to_do() -> None:
    worker = Worker("test-worker")
    log: list[str] = []
    worker.submit(lambda _: log.append("never"))
    worker.cancel()
    worker.start()
    assert worker.close()
    assert log == []
    assert worker.close()
