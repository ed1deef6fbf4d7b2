import pytest

from slowping.client.sse import Block, Reader

WHOLE = 'id: e-1\nevent: event.accepted\ndata: {"a":"\u2028\x85"}\n\n'.encode()
TOLD = Block(id="e-1", name="event.accepted", data='{"a":"\u2028\x85"}'.encode())


def read(*chunks: bytes) -> list[Block]:
    reader = Reader()
    return [block for chunk in chunks for block in reader.read(chunk)]


@pytest.mark.parametrize(
    ("stream", "blocks"),
    [
        (b"", []),
        (b"\n\n\n", []),
        (b": only a comment\n\n", []),
        (WHOLE, [TOLD]),
        (WHOLE + WHOLE, [TOLD, TOLD]),
        (WHOLE.replace(b"\n", b"\r\n"), [TOLD]),
        (WHOLE.replace(b"\n", b"\r"), [TOLD]),
        (WHOLE.replace(b": ", b":"), [TOLD]),
        (WHOLE.removesuffix(b"\n"), []),
        (b": so far\nid: e-2\n\n", [Block(id="e-2")]),
        (b"event: reset\nid: e-3\ndata: {}\n\n", [Block(id="e-3", name="reset", data=b"{}")]),
        (b"data: 1\ndata\ndata:  2\n\n", [Block(data=b"1\n\n 2")]),
        (b"id: 1\nid: 2\nretry: 5\nunknown: x\n\n", [Block(id="2")]),
    ],
)
def test_a_stream_is_read_as_the_standard_says(stream: bytes, blocks: list[Block]) -> None:
    assert read(stream) == blocks


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_it_is_all_the_same_how_the_bytes_are_cut(line_end: bytes) -> None:
    stream = (WHOLE + b": so far\nid: e-2\n\n").replace(b"\n", line_end)
    for cut in range(len(stream) + 1):
        assert read(stream[:cut], b"", stream[cut:]) == [TOLD, Block(id="e-2")]
    assert read(*(bytes([byte]) for byte in stream)) == [TOLD, Block(id="e-2")]
