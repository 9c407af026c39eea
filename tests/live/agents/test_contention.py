"""The contention rule, from stamps alone: what each station knows is what it was told."""

from __future__ import annotations

from emulation.live.contention import LAPSE_US, Contention
from g3plc.core.ofdm import SLOT_US

T = 10_000_000


class Street:
    """Stations in earshot of each other as listed; what one says is heard when `deliver` is called."""

    def __init__(self, *pairs: tuple[int, int]) -> None:
        self.ears: dict[int, set[int]] = {}
        for a, b in pairs:
            self.ears.setdefault(a, set()).add(b)
            self.ears.setdefault(b, set()).add(a)
        self.under_way: list[tuple[str, int, int, int]] = []
        self.released: list[int] = []
        self.said: list[tuple[str, int]] = []
        self.rule = Contention(
            lambda sender: self.ears.get(sender, set()),
            lambda station, frame, start: self.say("announce", station, frame, start),
            lambda station, frame: self.say("withdraw", station, frame, 0),
            self.released.append,
        )

    def say(self, what: str, station: int, frame: int, start: int) -> None:
        self.said.append((what, station))
        self.under_way.append((what, station, frame, start))

    def deliver(self) -> None:
        while self.under_way:
            what, station, frame, start = self.under_way.pop(0)
            if what == "announce":
                self.rule.announced(station, frame, start)
            else:
                self.rule.withdrawn(station)


def test_who_starts_a_slot_later_finds_the_channel_busy() -> None:
    street = Street((1, 2))
    street.rule.claim(1, 7, T)
    street.rule.claim(2, 9, T + SLOT_US)
    street.deliver()
    assert not street.rule.busy(1, T)
    assert street.rule.busy(2, T + SLOT_US)


def test_the_same_slot_is_a_true_collision() -> None:
    street = Street((1, 2))
    street.rule.claim(1, 7, T)
    street.rule.claim(2, 9, T)
    street.deliver()
    assert not street.rule.busy(1, T)
    assert not street.rule.busy(2, T)
    assert not street.rule.busy(2, T + SLOT_US - 1)


def test_stations_out_of_earshot_do_not_care() -> None:
    street = Street((1, 2), (3, 4))
    street.rule.claim(1, 7, T)
    street.deliver()
    assert not street.rule.busy(3, T + 5 * SLOT_US)


def test_what_has_not_come_in_cannot_be_known() -> None:
    street = Street((1, 2))
    street.rule.claim(1, 7, T)
    assert not street.rule.busy(2, T + SLOT_US)


def test_a_station_that_will_find_it_busy_takes_its_word_back_at_once() -> None:
    """1 keeps 2 from sending, so 3, which hears 2 only, is free."""
    street = Street((1, 2), (2, 3))
    street.rule.claim(2, 5, T + SLOT_US)
    street.rule.claim(3, 6, T + 2 * SLOT_US)
    street.rule.claim(1, 4, T)
    street.deliver()
    assert street.said[-1] == ("announce", 3)
    assert ("withdraw", 2) in street.said
    assert not street.rule.busy(1, T)
    assert street.rule.busy(2, T + SLOT_US)
    assert not street.rule.busy(3, T + 2 * SLOT_US)


def test_and_says_it_again_when_the_reason_goes_away() -> None:
    street = Street((1, 2), (2, 3))
    street.rule.claim(1, 4, T)
    street.deliver()
    street.rule.claim(2, 5, T + SLOT_US)
    assert ("announce", 2) not in street.said
    street.rule.give_up(1)
    street.deliver()
    assert street.said[-1] == ("announce", 2)
    assert street.rule.busy(3, T + 3 * SLOT_US)


def test_a_frame_on_the_air_takes_announcements_back() -> None:
    street = Street((1, 2))
    street.rule.claim(2, 5, T + 5 * SLOT_US)
    street.deliver()
    street.rule.frame(1, T, T + 100 * SLOT_US)
    assert street.said[-1] == ("withdraw", 2)
    street.rule.over(1, T + 100 * SLOT_US)
    street.rule.claim(2, 5, T + 108 * SLOT_US)
    assert street.said[-1] == ("announce", 2)


def test_a_frame_that_ends_before_the_slot_is_no_obstacle() -> None:
    street = Street((1, 2))
    street.rule.frame(1, T, T + 10 * SLOT_US)
    street.rule.claim(2, 5, T + 20 * SLOT_US)
    assert street.said == [("announce", 2)]


def test_who_waits_for_an_announcement_is_released_when_it_is_taken_back() -> None:
    street = Street((1, 2))
    street.rule.claim(1, 4, T)
    street.deliver()
    assert street.rule.busy(2, T + SLOT_US)
    street.rule.give_up(1)
    street.deliver()
    assert street.released == [2]
    assert not street.rule.waits


def test_or_put_off() -> None:
    street = Street((1, 2))
    street.rule.claim(1, 4, T)
    street.deliver()
    assert street.rule.busy(2, T + SLOT_US)
    street.rule.claim(1, 4, T + 30 * SLOT_US)
    street.deliver()
    assert street.released == [2]


def test_or_when_nothing_comes_of_it() -> None:
    street = Street((1, 2))
    street.rule.claim(1, 4, T)
    street.deliver()
    assert street.rule.busy(2, T + SLOT_US)
    street.rule.lapse(T + LAPSE_US - 1)
    assert not street.released
    street.rule.lapse(T + LAPSE_US)
    assert street.released == [2]
    assert not street.rule.busy(2, T + LAPSE_US + SLOT_US)


def test_but_not_when_the_frame_comes() -> None:
    street = Street((1, 2))
    street.rule.claim(1, 4, T)
    street.deliver()
    assert street.rule.busy(2, T + SLOT_US)
    street.rule.frame(1, T, T + 50 * SLOT_US)
    assert not street.released and not street.rule.waits


def test_an_answer_does_not_fulfil_an_announcement() -> None:
    street = Street((1, 2))
    street.rule.claim(1, 4, T + 10 * SLOT_US)
    street.deliver()
    street.rule.answer(1, T, T + 5 * SLOT_US)
    assert street.rule.busy(2, T + 12 * SLOT_US)


def test_a_station_that_is_switched_off_takes_its_word_back() -> None:
    street = Street((1, 2))
    street.rule.claim(1, 4, T)
    street.rule.drop(1)
    street.deliver()
    assert not street.rule.busy(2, T + SLOT_US)
