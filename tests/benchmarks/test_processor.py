import os
import time

from benchmarks import processor


def test_processor_time_is_that_of_the_whole_process() -> None:
    before = time.process_time()
    assert before <= processor.seconds(os.getpid()) <= time.process_time()
