"""The maps: within their frame, every meter named, the SVG well-formed."""

from xml.etree import ElementTree

import pytest

from emulation.grid.feeder import Feeder
from emulation.grid.feeder_draw import terminal
from emulation.grid.feeder_generate import generate
from emulation.grid.feeder_svg import svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("columns", [60, 80, 100, 160])
@pytest.mark.parametrize("rows", [14, 24, 30, 60])
@pytest.mark.parametrize("name", ["board", "row4"])
def test_terminal_map_keeps_within_its_frame(name: str, columns: int, rows: int):
    lines = terminal(Feeder.load(name), columns, rows).plain.split("\n")
    assert len(lines) <= rows
    assert all(len(line) <= max(columns, 80) for line in lines)
    assert all(len(line) <= columns for line in lines[2:-3])


def test_terminal_map_of_the_board_names_every_meter():
    words = set(
        terminal(Feeder.load("board"), 100, 30).plain.translate(dict.fromkeys(range(0x2800, 0x2900), " ")).split()
    )
    assert {str(station) for station in range(1, 49)} <= words
    assert "◉" in words


@pytest.mark.parametrize("meters", [1, 2, 400])
def test_terminal_map_of_any_size(meters: int):
    text = terminal(Feeder.loads(generate(meters, 3)), 80, 24).plain
    assert f"{meters} meter" in text


def test_svg_holds_every_led_and_meter():
    board = Feeder.load("board")
    root = ElementTree.fromstring(svg(board))
    words = [element.text for element in root.iter(SVG + "text")]
    assert {str(station) for station in range(1, 49)} <= set(words)
    assert words[0] == board.title
    assert len(list(root.iter(SVG + "circle"))) >= board.leds
    wide, high = int(root.get("width")), int(root.get("height"))
    for circle in root.iter(SVG + "circle"):
        assert 0 < float(circle.get("cx")) < wide
        assert 0 < float(circle.get("cy")) < high


def test_svg_of_odd_titles_and_sizes_is_well_formed():
    text = generate(1, 1).replace("title: ", "title: <&\"'> é ")
    root = ElementTree.fromstring(svg(Feeder.loads(text)))
    assert root.find(SVG + "title").text.startswith("<&\"'> é ")
    ElementTree.fromstring(svg(Feeder.loads(generate(2000, 1))))
