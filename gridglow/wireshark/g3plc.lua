-- Wireshark dissector for what a stock Wireshark does not know of a G3-PLC network: LOADng and LBP behind the 6LoWPAN
-- ESC header, and the tone map response of the MAC (ITU-T G.9903, Annexes D and E). Its neighbour cosem.lua has DLMS.
-- Works on captures of LINKTYPE 283 (802.15.4 TAP) and 147 (PSDUs by way of wisun.netricity.sc), Wireshark 4.0 or later.

local function station(short)
  if short == 0 then return "coordinator" end
  if short == 0xffff then return "everybody" end
  return "meter-" .. short
end

local function set_columns(pinfo, protocol, info)
  pinfo.cols.protocol = protocol
  pinfo.cols.info = info
end

-------------------------------------------------------------------------------------------------------------- LOADng

local LOADNG_TYPES = {
  [0] = "RREQ", [1] = "RREP", [2] = "RERR", [3] = "RREP_ACK",
  [252] = "PREQ", [253] = "PREP", [254] = "RLCREQ", [255] = "RLCREP",
}
local METRICS = { [0] = "hop count", [14] = "capacity", [15] = "composite" }
local ERRORS = { [0] = "no available route", [1] = "hop limit exceeded" }

local loadng = Proto("g3loadng", "G3-PLC LOADng")
local l = {
  type = ProtoField.uint8("g3.loadng.type", "Message", base.DEC, LOADNG_TYPES),
  destination = ProtoField.uint16("g3.loadng.destination", "Destination", base.HEX),
  originator = ProtoField.uint16("g3.loadng.originator", "Originator", base.HEX),
  sequence = ProtoField.uint16("g3.loadng.seq", "Sequence number"),
  repair = ProtoField.bool("g3.loadng.repair", "Route repair", 8, nil, 0x80),
  unicast = ProtoField.bool("g3.loadng.unicast", "Unicast RREQ", 8, nil, 0x40),
  ack_required = ProtoField.bool("g3.loadng.ack_required", "RREP_ACK required", 8, nil, 0x40),
  metric = ProtoField.uint8("g3.loadng.metric", "Metric type", base.DEC, METRICS, 0x0f),
  path_metric = ProtoField.uint8("g3.loadng.path_metric", "Metric type", base.DEC, METRICS, 0xf0),
  cost = ProtoField.uint16("g3.loadng.cost", "Route cost"),
  hop_limit = ProtoField.uint8("g3.loadng.hop_limit", "Hop limit", base.DEC, nil, 0xf0),
  hop_count = ProtoField.uint8("g3.loadng.hop_count", "Hop count", base.DEC, nil, 0x0f),
  weak = ProtoField.uint8("g3.loadng.weak_links", "Weak links", base.DEC, nil, 0xf0),
  error = ProtoField.uint8("g3.loadng.error", "Error code", base.DEC, ERRORS),
  unreachable = ProtoField.uint16("g3.loadng.unreachable", "Unreachable address", base.HEX),
  expected = ProtoField.uint16("g3.loadng.expected_originator", "Expected originator", base.HEX),
  hop = ProtoField.uint16("g3.loadng.hop.address", "Hop", base.HEX),
  hop_cost = ProtoField.uint8("g3.loadng.hop.cost", "Link cost"),
  link_cost = ProtoField.uint8("g3.loadng.link_cost", "Link cost"),
}
loadng.fields = l

local function add_station(tree, field, range)
  tree:add(field, range):append_text(" (" .. station(range:uint()) .. ")")
  return station(range:uint())
end

local function add_hops(tree, tvb, at)
  local names = {}
  while at + 4 <= tvb:len() do
    local hop = tree:add(l.hop, tvb(at, 2))
    hop:append_text(" (" .. station(tvb(at, 2):uint()) .. ")")
    hop:add(l.hop_cost, tvb(at + 3, 1))
    names[#names + 1] = station(tvb(at, 2):uint())
    at = at + 4
  end
  return #names > 0 and (" over " .. table.concat(names, ", ")) or ""
end

local function route_message(tvb, tree, kind)
  if tvb:len() < 14 then return nil end
  local to, from = add_station(tree, l.destination, tvb(3, 2)), add_station(tree, l.originator, tvb(5, 2))
  tree:add(l.sequence, tvb(7, 2))
  tree:add(l.repair, tvb(9, 1))
  tree:add(kind == 0 and l.unicast or l.ack_required, tvb(9, 1))
  tree:add(l.metric, tvb(9, 1))
  tree:add(l.cost, tvb(10, 2))
  tree:add(l.hop_limit, tvb(12, 1))
  tree:add(l.hop_count, tvb(12, 1))
  tree:add(l.weak, tvb(13, 1))
  local head
  if kind == 0 then
    head = "RREQ for " .. to .. ", asked by " .. from
  else
    head = "RREP of " .. from .. ", to " .. to
  end
  local repair = tvb(9, 1):bitfield(0, 1) == 1 and ", repair" or ""
  local weak = tvb(13, 1):bitfield(0, 4)
  return string.format(
    "%s, seq %d, cost %d, hops %d, limit %d%s%s", head, tvb(7, 2):uint(), tvb(10, 2):uint(), tvb(12, 1):bitfield(4, 4),
    tvb(12, 1):bitfield(0, 4), weak > 0 and (", weak links " .. weak) or "", repair)
end

local LOADNG_PARTS = {
  [0] = function(tvb, tree) return route_message(tvb, tree, 0) end,
  [1] = function(tvb, tree) return route_message(tvb, tree, 1) end,
  [2] = function(tvb, tree)
    if tvb:len() < 11 then return nil end
    local to, from = add_station(tree, l.destination, tvb(3, 2)), add_station(tree, l.originator, tvb(5, 2))
    tree:add(l.error, tvb(7, 1))
    local lost = add_station(tree, l.unreachable, tvb(8, 2))
    tree:add(l.hop_limit, tvb(10, 1))
    local why = ERRORS[tvb(7, 1):uint()] or "unknown error"
    return string.format("RERR %s unreachable (%s), from %s to %s", lost, why, from, to)
  end,
  [3] = function(tvb, tree)
    if tvb:len() < 9 then return nil end
    local to, from = add_station(tree, l.destination, tvb(3, 2)), add_station(tree, l.originator, tvb(5, 2))
    tree:add(l.sequence, tvb(7, 2))
    return string.format("RREP_ACK from %s, for the RREP of %s, seq %d", from, to, tvb(7, 2):uint())
  end,
  [252] = function(tvb, tree)
    if tvb:len() < 11 then return nil end
    local to, from = add_station(tree, l.destination, tvb(3, 2)), add_station(tree, l.originator, tvb(5, 2))
    tree:add(l.path_metric, tvb(7, 1))
    return "PREQ for " .. to .. ", asked by " .. from .. add_hops(tree, tvb, 11)
  end,
  [253] = function(tvb, tree)
    if tvb:len() < 11 then return nil end
    local to = add_station(tree, l.destination, tvb(3, 2))
    add_station(tree, l.expected, tvb(5, 2))
    tree:add(l.path_metric, tvb(7, 1))
    local from = add_station(tree, l.originator, tvb(9, 2))
    return "PREP of " .. from .. ", to " .. to .. add_hops(tree, tvb, 11)
  end,
  [254] = function(tvb, tree)
    if tvb:len() < 8 then return nil end
    local to, from = add_station(tree, l.destination, tvb(3, 2)), add_station(tree, l.originator, tvb(5, 2))
    tree:add(l.path_metric, tvb(7, 1))
    return "RLCREQ from " .. from .. " to " .. to
  end,
  [255] = function(tvb, tree)
    if tvb:len() < 9 then return nil end
    local to, from = add_station(tree, l.destination, tvb(3, 2)), add_station(tree, l.originator, tvb(5, 2))
    tree:add(l.path_metric, tvb(7, 1))
    tree:add(l.link_cost, tvb(8, 1))
    return "RLCREP from " .. from .. " to " .. to .. ", link cost " .. tvb(8, 1):uint()
  end,
}

-- tvb starts with the ESC header 40 01
function loadng.dissector(tvb, pinfo, tree)
  local branch = tree:add(loadng, tvb())
  local kind = tvb(2, 1):uint()
  branch:add(l.type, tvb(2, 1))
  local part = LOADNG_PARTS[kind]
  local info = part and part(tvb, branch)
  if not info then info = (LOADNG_TYPES[kind] or ("type " .. kind)) .. " [cut off or unknown]" end
  branch:append_text(", " .. info)
  set_columns(pinfo, "LOADng", info)
  return tvb:len()
end

----------------------------------------------------------------------------------------------------------------- LBP

local LBP_CODES = {
  [1] = "JOINING", [4] = "KICK (from device)", [9] = "ACCEPTED", [10] = "CHALLENGE", [11] = "DECLINE",
  [12] = "KICK (to device)",
}
local lbp = Proto("g3lbp", "G3-PLC LBP")
local b = {
  code = ProtoField.uint8("g3.lbp.code", "Code", base.HEX, LBP_CODES, 0xf0),
  transaction = ProtoField.uint8("g3.lbp.transaction", "Transaction id"),
  eui64 = ProtoField.bytes("g3.lbp.eui64", "Device EUI-64", base.COLON),
  data = ProtoField.bytes("g3.lbp.data", "Bootstrapping data"),
}
lbp.fields = b

-- tvb starts with the ESC header 40 02
function lbp.dissector(tvb, pinfo, tree)
  local branch = tree:add(lbp, tvb())
  if tvb:len() < 12 then
    set_columns(pinfo, "LBP", "LBP [cut off]")
    return tvb:len()
  end
  branch:add(b.code, tvb(2, 1))
  branch:add(b.transaction, tvb(3, 1))
  branch:add(b.eui64, tvb(4, 8))
  if tvb:len() > 12 then branch:add(b.data, tvb(12)) end
  local code = tvb(2, 1):bitfield(0, 4)
  local info = string.format("LBP %s, device %s", LBP_CODES[code] or code, tostring(tvb(4, 8):bytes()))
  branch:append_text(", " .. info)
  set_columns(pinfo, "LBP", info)
  return tvb:len()
end

-- ESC headers in front of everything that 6LoWPAN takes itself, behind a mesh and a broadcast header or not
local function esc(tvb, pinfo, tree)
  local at = 0
  local size = tvb:len()
  if size > 5 and tvb(0, 1):bitfield(0, 4) == 0xb then
    at = tvb(0, 1):bitfield(4, 4) == 15 and 6 or 5
  end
  if size > at + 2 and tvb(at, 1):uint() == 0x50 then at = at + 2 end
  if size < at + 3 or tvb(at, 1):uint() ~= 0x40 then return false end
  local command = tvb(at + 1, 1):uint()
  if command == 1 then
    loadng.dissector(tvb(at):tvb(), pinfo, tree)
  elseif command == 2 then
    lbp.dissector(tvb(at):tvb(), pinfo, tree)
  else
    return false
  end
  return true
end
loadng:register_heuristic("wpan", esc)

--------------------------------------------------------------------------------------------------- tone map response

local MODULATIONS = { [0] = "ROBO", [1] = "DBPSK", [2] = "DQPSK", [3] = "D8PSK" }
local tmr = Proto("g3tmr", "G3-PLC tone map response")
local t = {
  modulation = ProtoField.uint8("g3.tmr.modulation", "Modulation", base.DEC, MODULATIONS, 0x07),
  tone_map = ProtoField.uint8("g3.tmr.tone_map", "Tone map", base.HEX, nil, 0x7f),
  lqi = ProtoField.uint8("g3.tmr.lqi", "LQI"),
}
tmr.fields = t
local command = Field.new("wpan.cmd")

-- command 0x0A, which Wireshark knows under its later 802.15.4 name
function tmr.dissector(_, pinfo, tree)
  local found = command()
  if not found or found.value ~= 0x0a then return end
  local all, at = found.source, found.offset
  if not all or all:len() < at + 4 then return end
  local branch = tree:add(tmr, all(at, math.min(10, all:len() - at)))
  branch:add(t.modulation, all(at + 1, 1))
  branch:add(t.tone_map, all(at + 2, 1))
  branch:add(t.lqi, all(at + 3, 1))
  local modulation = MODULATIONS[all(at + 1, 1):bitfield(5, 3)] or "?"
  pinfo.cols.protocol = "G3 MAC"
  pinfo.cols.info = string.format(
    "Tone map response: %s, tone map %02x, LQI %d", modulation, all(at + 2, 1):bitfield(1, 7), all(at + 3, 1):uint())
end
register_postdissector(tmr)
