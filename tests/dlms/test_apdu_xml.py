"""APDUs as XML: the paper's figures, every APDU both ways, tolerance of the reader, refusals with line and reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g3plc.core.errors import WireError
from g3plc.wire.apdu_xml import abort_to_xml, from_xml, to_xml
from g3plc.wire.axdr import Data
from g3plc.wire.xdlms import GetResponseNormal

FIGURE_3 = """\
<GetRequest>
  <GetRequestNormal>
    <InvokeIdAndPriority Value="00" />
    <AttributeDescriptor>
      <ClassId Value="0001" />
      <InstanceId Value="0100010800FF" />
      <AttributeId Value="02" />
    </AttributeDescriptor>
  </GetRequestNormal>
</GetRequest>
"""
FIGURE_4 = """\
<GetResponse>
  <GetResponseNormal>
    <InvokeIdAndPriority Value="00" />
    <Result>
      <Data>
        <UInt32 Value="3039" />
      </Data>
    </Result>
  </GetResponseNormal>
</GetResponse>
"""
AARQ = """\
<AssociationRequest>
  <ApplicationContextName Value="LN" />
  <SenderACSERequirements Value="1" />
  <MechanismName Value="Low" />
  <CallingAuthentication Value="3132333435363738" />
  <InitiateRequest>
    <ProposedDlmsVersionNumber Value="06" />
    <ProposedConformance>
      <ConformanceBit Name="BlockTransferWithGetOrRead" />
      <ConformanceBit Name="Get" />
      <ConformanceBit Name="Action" />
    </ProposedConformance>
    <ProposedMaxPduSize Value="FFFF" />
  </InitiateRequest>
</AssociationRequest>
"""
AARE = """\
<AssociationResponse>
  <ApplicationContextName Value="LN" />
  <AssociationResult Value="01" />
  <ResultSourceDiagnostic>
    <ACSEServiceUser Value="0D" />
  </ResultSourceDiagnostic>
  <ConfirmedServiceError>
    <Service Value="01" />
    <ServiceError>
      <Initiate Value="DlmsVersionTooLow" />
    </ServiceError>
  </ConfirmedServiceError>
</AssociationResponse>
"""
ACTION = """\
<ActionRequest>
  <ActionRequestNormal>
    <InvokeIdAndPriority Value="C1" />
    <MethodDescriptor>
      <ClassId Value="0046" />
      <InstanceId Value="000060030AFF" />
      <MethodId Value="01" />
    </MethodDescriptor>
    <MethodInvocationParameters>
      <Int8 Value="00" />
    </MethodInvocationParameters>
  </ActionRequestNormal>
</ActionRequest>
"""
SET = """\
<SetRequest>
  <SetRequestNormal>
    <InvokeIdAndPriority Value="C1" />
    <AttributeDescriptor>
      <ClassId Value="0007" />
      <InstanceId Value="0100630100FF" />
      <AttributeId Value="02" />
    </AttributeDescriptor>
    <AccessSelection>
      <AccessSelector Value="02" />
      <AccessParameters>
        <Structure Qty="01">
          <UInt16 Value="0001" />
        </Structure>
      </AccessParameters>
    </AccessSelection>
    <Value>
      <Array Qty="00" />
    </Value>
  </SetRequestNormal>
</SetRequest>
"""
EVENT = """\
<EventNotificationRequest>
  <Time Value="07E80101FF000000FF800000" />
  <AttributeDescriptor>
    <ClassId Value="0003" />
    <InstanceId Value="0100200700FF" />
    <AttributeId Value="02" />
  </AttributeDescriptor>
  <AttributeValue>
    <UInt16 Value="00CB" />
  </AttributeValue>
</EventNotificationRequest>
"""
GOLDEN = [
    (FIGURE_3, "C0 01 00 00 01 01 00 01 08 00 FF 02 00"),
    (FIGURE_4.replace("3039", "00003039"), "C4 01 00 00 06 00 00 30 39"),
    (
        AARQ,
        "60 36 A109060760857405080101 8A020780 8B0760857405080201 AC0A80083132333435363738"
        " BE10040E 01000000 065F1F04 00001011 FFFF",
    ),
    (AARE, "61 1F A109060760857405080101 A203020101 A305A10302010D BE0604040E010601"),
    (ACTION, "C3 01 C1 0046 000060030AFF 01 01 0F 00"),
    (SET, "C1 01 C1 0007 0100630100FF 02 01 02 0201 120001 0100"),
    (EVENT, "C2 01 0C 07E80101FF000000FF800000 0003 0100200700FF 02 12 00CB"),
]
OTHERS = [
    "60 1D A109060760857405080101 BE10040E 01000000 065F1F0400401BFFFF".replace("5F1F0400401B", "5F1F040000401B"),
    "60 0B A109060760857405080101",
    "60 0B A109060760857405080109",
    "60 47 A109060760857405080103 A20404020203 A60A04084D4D4D0000000001 A703040101 A903020110 8A020780"
    "8B0760857405080205 AC0A80084B35366956616759 BE050403210130",
    "61 29 A109060760857405080101 A203020100 A305A103020100 BE10040E 0800065F1F0400001E1D04C80007",
    "61 17 A109060760857405080101 A203020101 A305A203020101",
    "61 3A A109060760857405080103 A203020100 A305A10302010E A40A04084D4D4D0000000001 A503040105 A703020102"
    "88020780 890760857405080205",
    "62 00",
    "62 03 800100",
    "62 03 800101",
    "62 08 80011E BE03040121",
    "62 15 800100 BE10040E 01000000065F1F0400001E1DFFFF",
    "63 03 800101",
    "63 03 800105",
    "63 15 800100 BE10040E 0800065F1F0400001E1D04C80007",
    "01 01 02 AABB 01 00 01 05 06 5F1F04 00FFFFFF 0400",
    "08 01 00 05 5F1F04 00000000 04C8 0007",
    "0E 01 06 01",
    "0E 05 08 01",
    "0E 05 0A FE",
    "C0 01 C1 0007 0100630100FF FF 01 02 0202 0600000001 0600000002",
    "C4 01 C1 01 04",
    "C4 01 C1 01 FB",
    "C5 01 C1 00",
    "C5 01 C1 03",
    "C3 01 C1 0046 000060030AFF 02 00",
    "C7 01 C1 00 00",
    "C7 01 C1 02 00",
    "C7 01 C1 00 01 00 0600003039",
    "C7 01 C1 00 01 01 0D",
    "C7 01 C1 00 01 01 00",
    "D8 01 02",
    "D8 07 09",
    "D8 02 06 00000005",
    "C2 00 0003 0100200700FF 02 12 00CB",
    "C4 01 00 00 0A 06 3C2622 0A 00 41",
    "C4 01 00 00 0C 03 09 0D 0A",
    "C4 01 00 00 13 02 03 11 01 0002 11 09 05 01 02 03 01AA",
]


def octets_of(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(("text", "octets"), GOLDEN)
def test_golden_both_ways(text: str, octets: str) -> None:
    assert to_xml(octets_of(octets)) == text
    assert from_xml(text) == octets_of(octets)


def test_figure_4_as_printed_is_read_and_written_back_padded() -> None:
    wire = from_xml(FIGURE_4)
    assert wire == bytes.fromhex("C4 01 00 00 06 00 00 30 39")
    assert to_xml(wire) == FIGURE_4.replace("3039", "00003039")


@pytest.mark.parametrize("octets", OTHERS)
def test_xml_gives_the_same_octets_again(octets: str) -> None:
    wire = octets_of(octets)
    assert from_xml(to_xml(wire)) == wire


@pytest.mark.parametrize(
    "text",
    [
        FIGURE_3.replace("\n", "").replace("  ", ""),
        FIGURE_3.replace("\n", "\r\n\t"),
        "\n\n" + FIGURE_3 + "\n",
        '<?xml version="1.0" encoding="utf-16"?>' + FIGURE_3,
        "<!-- 1.0.1.8.0.255 -->" + FIGURE_3,
        FIGURE_3.replace('"00"', '"0"').replace('"0001"', '"1"').replace('"02"', '" 2 "'),
        FIGURE_3.replace("0100010800FF", "100010800ff"),
        FIGURE_3.replace(" />", "/>").replace('<ClassId Value="0001"/>', "<ClassId Value='0001'></ClassId>"),
    ],
)
def test_the_reader_is_tolerant(text: str) -> None:
    assert from_xml(text) == bytes.fromhex("C0 01 00 00 01 01 00 01 08 00 FF 02 00")


def value(text: str) -> str:
    return FIGURE_4.replace('<UInt32 Value="3039" />', text)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('<Structure><UInt8 Value="1"/><None/></Structure>', "02 02 1101 00"),
        ('<Boolean Value="True"/>', "03 01"),
        ('<Boolean Value="0"/>', "03 00"),
        ('<Int16 Value="FE"/>', "10 00FE"),
        ('<Int8 Value="FE"/>', "0F FE"),
        ('<OctetString Value="C3 A9"/>', "09 02 C3A9"),
        ('<String Value="a&lt;b&#10;"/>', "0A 04 613C620A"),
        ('<StringUTF8 Value="é"/>', "0C 02 C3A9"),
    ],
)
def test_values_in_other_spellings(text: str, data: str) -> None:
    assert from_xml(value(text)) == bytes.fromhex("C4 01 00 00" + data)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1: no element found"),
        ("<GetRequest>", "line 1: no element found"),
        ("<a></b>", "line 1: mismatched tag"),
        ('<!DOCTYPE a [<!ENTITY x "y">]>' + FIGURE_3, "line 1: document type not allowed"),
        (FIGURE_3.replace('"02"', '"&x;"'), "line 7: undefined entity"),
        (FIGURE_3.replace("<AttributeId", "x<AttributeId"), "line 7: text not expected: x"),
        ("<GetRequest\ud800/>", "surrogate"),
        ("<Unknown/>", "line 1: <Unknown>: no APDU of that name"),
        (FIGURE_3.replace("GetRequestNormal", "GetRequestNext"), "line 2: <GetRequestNext>: no APDU of that name"),
        (FIGURE_3.replace('<InvokeIdAndPriority Value="00" />', ""), "line 2: .* <InvokeIdAndPriority> missing"),
        (FIGURE_3.replace('<ClassId Value="0001" />', "<ClassId/>"), "line 5: <ClassId>: exactly the attribute Value"),
        (FIGURE_3.replace("0001", "10001"), "line 5: <ClassId>: more than 16 bits"),
        (FIGURE_3.replace("0001", "0x01"), "line 5: <ClassId>: hex digits expected, not '0x01'"),
        (FIGURE_3.replace('"02" />', '"02" /><More/>'), "line 7: <More>: not expected here"),
        (FIGURE_3.replace('"02"', '"02" Name="2"'), "line 7: <AttributeId>: exactly the attribute Value"),
        (value(""), "line 5: <Data>: exactly one element"),
        (value("<Thing/>"), "line 6: <Thing>: no data type"),
        (value('<UInt8 Value="100"/>'), "line 6: <UInt8>: more than 8 bits"),
        (value('<OctetString Value="ABC"/>'), "line 6: <OctetString>: pairs of hex digits"),
        (value('<Date Value="AB"/>'), "line 6: <Date>: 5 octets expected, not 1"),
        (value('<Boolean Value="yes"/>'), "line 6: <Boolean>: true or false"),
        (value('<BitString Value="2"/>'), "line 6: <BitString>: .* 0 and 1"),
        (value('<String Value="é"/>'), "line 6: <String>: ASCII"),
        (value('<String Hex="FF"/>'), "line 6: <String>: octets are not ascii"),
        (value('<None Value="1"/>'), "line 6: <None>: nothing expected"),
        (value('<Array Qty="02"><None/></Array>'), "line 6: <Array>: Qty is not"),
        (value("<Array>" * 33 + "</Array>" * 33), "line 6: <Array>: data nested too deep"),
        (value("<Array>" * 70 + "</Array>" * 70), "line 6: elements nested too deep"),
        (value("<Array>" + "<None/>" * 70_000 + "</Array>"), "line 6: too many elements"),
        (FIGURE_4.replace("Data>", "Date>"), "line 5: <Date>: <Data> or <DataAccessError>"),
        (" " * (8 * 1024 * 1024 + 1), "XML too long"),
        ('<ReleaseRequest><Reason Value="Never"/></ReleaseRequest>', "'Never' is none of Normal, Urgent"),
        ('<ReleaseRequest><Reason Value="80"/></ReleaseRequest>', "reason out of range"),
        (AARQ.replace('"Get"', '"Got"'), "line 10: <ConformanceBit>: no conformance bit"),
        (
            AARQ.replace('<MechanismName Value="Low" />', ""),
            "line 3: <SenderACSERequirements>: <MechanismName> missing",
        ),
        (abort_to_xml("peer rebooted"), "ABRT .'peer rebooted'. has no octets"),
    ],
)
def test_refusals_say_where_and_what(text: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        from_xml(text)


def test_octets_that_are_no_apdu_have_no_xml() -> None:
    with pytest.raises(WireError, match="unknown APDU tag"):
        to_xml(b"\xff")


def test_an_abort_is_shown() -> None:
    assert abort_to_xml('no answer to "GET"') == '<ABRT Reason="no answer to &quot;GET&quot;" />\n'


@given(st.from_type(Data))
def test_any_data_survives_xml(data: Data) -> None:
    wire = GetResponseNormal(0xC1, data).encode()
    assert from_xml(to_xml(wire)) == wire


@given(st.sampled_from([text for text, _ in GOLDEN]), st.data())
def test_damaged_xml_is_read_or_raises_wire_error(text: str, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(text) - 1))
    size = draw.draw(st.integers(0, 30))
    damaged = text[:at] + draw.draw(st.text(max_size=5)) + text[at + size :]
    try:
        wire = from_xml(damaged)
    except WireError:
        return
    assert from_xml(to_xml(wire)) == wire


@given(st.text(max_size=40))
def test_any_text_is_read_or_raises_wire_error(text: str) -> None:
    try:
        from_xml(text)
    except WireError:
        pass
