from slowping.notifiers.unattended import Unattended


def test_threads_go_when_their_owner_closes() -> None:
    threads = Unattended(2, "working")
    assert threads.begin(lambda: 7).result(10) == 7
    threads.end()
    for thread in threads._threads:
        thread.join(10)
        assert not thread.is_alive()
