"""Teaches hypothesis to draw `Data` of every type: tests say `st.from_type(Data)`."""

from hypothesis import strategies as st

from g3plc.wire import axdr
from g3plc.wire.axdr import CompactArray, Data, TypeDescription

INTEGERS = {
    axdr.DOUBLE_LONG: (-(2**31), 2**31 - 1),
    axdr.DOUBLE_LONG_UNSIGNED: (0, 2**32 - 1),
    axdr.BCD: (0, 255),
    axdr.INTEGER: (-128, 127),
    axdr.LONG: (-(2**15), 2**15 - 1),
    axdr.UNSIGNED: (0, 255),
    axdr.LONG_UNSIGNED: (0, 65535),
    axdr.LONG64: (-(2**63), 2**63 - 1),
    axdr.LONG64_UNSIGNED: (0, 2**64 - 1),
    axdr.ENUM: (0, 255),
}
OCTETS = {axdr.FLOAT32: 4, axdr.FLOAT64: 8, axdr.DATE_TIME: 12, axdr.DATE: 5, axdr.TIME: 4}


def contents(tag: int) -> st.SearchStrategy[object]:
    if tag in INTEGERS:
        return st.integers(*INTEGERS[tag])
    if tag in OCTETS:
        return st.binary(min_size=OCTETS[tag], max_size=OCTETS[tag])
    return {
        axdr.NULL: st.none(),
        axdr.DONT_CARE: st.none(),
        axdr.BOOLEAN: st.booleans(),
        axdr.BIT_STRING: st.text("01", max_size=20),
        axdr.OCTET_STRING: st.binary(max_size=200),
        axdr.VISIBLE_STRING: st.text(st.characters(max_codepoint=127), max_size=20),
        axdr.UTF8_STRING: st.text(max_size=20),
    }[tag]


SIMPLE_TAGS = sorted(axdr.TAG_NAMES.keys() - {axdr.ARRAY, axdr.STRUCTURE, axdr.COMPACT_ARRAY})


def of_type(description: TypeDescription) -> st.SearchStrategy[Data]:
    if description.tag == axdr.ARRAY:
        items = [of_type(description.elements[0])] * description.count
    elif description.tag == axdr.STRUCTURE:
        items = [of_type(part) for part in description.elements]
    else:
        return st.builds(Data, st.just(description.tag), contents(description.tag))
    return st.builds(Data, st.just(description.tag), st.tuples(*items))


def extent(description: TypeDescription) -> tuple[int, int]:
    """Return (least octets, elements), counting one octet for every type that takes any."""
    parts = [extent(part) for part in description.elements]
    if description.tag == axdr.ARRAY:
        return description.count * parts[0][0], 1 + description.count * parts[0][1]
    if description.tag == axdr.STRUCTURE:
        return sum(part[0] for part in parts), 1 + sum(part[1] for part in parts)
    return int(description.tag not in (axdr.NULL, axdr.DONT_CARE)), 1


def wide(description: TypeDescription) -> bool:
    octets, elements = extent(description)
    return elements <= 32 * octets


descriptions = st.recursive(
    st.builds(TypeDescription, st.sampled_from(SIMPLE_TAGS)),
    lambda inner: (
        st.builds(lambda count, part: TypeDescription(axdr.ARRAY, count, (part,)), st.integers(0, 3), inner)
        | st.builds(lambda parts: TypeDescription(axdr.STRUCTURE, 0, tuple(parts)), st.lists(inner, max_size=3))
    ),
    max_leaves=4,
)
compact_arrays = descriptions.filter(wide).flatmap(
    lambda description: st.builds(
        lambda items: Data(axdr.COMPACT_ARRAY, CompactArray(description, tuple(items))),
        st.lists(of_type(description), max_size=4),
    )
)
simple = st.sampled_from(SIMPLE_TAGS).flatmap(lambda tag: st.builds(Data, st.just(tag), contents(tag)))
st.register_type_strategy(
    Data,
    st.recursive(
        simple | compact_arrays,
        lambda inner: st.builds(
            lambda tag, items: Data(tag, tuple(items)),
            st.sampled_from([axdr.ARRAY, axdr.STRUCTURE]),
            st.lists(inner, max_size=4),
        ),
        max_leaves=8,
    ),
)
