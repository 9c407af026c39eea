-- Wireshark dissector of the COSEM wrapper and of DLMS APDUs on UDP 4059 and 61616 (IEC 62056-4-7, IEC 62056-5-3).
-- Its neighbour g3plc.lua has LOADng and LBP. Wireshark 4.0 or later.

local function obis(range)
  local parts = {}
  for i = 0, 5 do parts[#parts + 1] = tostring(range(i, 1):uint()) end
  return table.concat(parts, ".")
end

local function set_columns(pinfo, protocol, info)
  pinfo.cols.protocol = protocol
  pinfo.cols.info = info
end

---------------------------------------------------------------------------------------------------------------- DLMS

local APDUS = {
  [0x01] = "InitiateRequest", [0x08] = "InitiateResponse", [0x0e] = "ConfirmedServiceError",
  [0x60] = "AARQ", [0x61] = "AARE", [0x62] = "RLRQ", [0x63] = "RLRE",
  [0xc0] = "GET request", [0xc1] = "SET request", [0xc2] = "event notification", [0xc3] = "ACTION request",
  [0xc4] = "GET response", [0xc5] = "SET response", [0xc7] = "ACTION response", [0xd8] = "exception response",
}
local RESULTS = {
  [0] = "success", [1] = "hardware fault", [2] = "temporary failure", [3] = "read-write denied",
  [4] = "object undefined", [9] = "object class inconsistent", [11] = "object unavailable", [12] = "type unmatched",
  [13] = "scope of access violated", [250] = "other reason",
}
local CLASSES = {
  [1] = "Data", [3] = "Register", [4] = "Extended register", [7] = "Profile generic", [8] = "Clock",
  [15] = "Association LN", [17] = "SAP assignment", [18] = "Image transfer", [64] = "Security setup",
  [70] = "Disconnect control", [71] = "Limiter", [90] = "G3-PLC MAC counters", [91] = "G3-PLC MAC setup",
  [92] = "G3-PLC 6LoWPAN setup",
}
local wrapper = Proto("g3wrapper", "COSEM wrapper")
local w = {
  version = ProtoField.uint16("g3.wrapper.version", "Version"),
  source = ProtoField.uint16("g3.wrapper.src", "Source wPort"),
  destination = ProtoField.uint16("g3.wrapper.dst", "Destination wPort"),
  length = ProtoField.uint16("g3.wrapper.length", "APDU length"),
}
wrapper.fields = w
local dlms = Proto("g3dlms", "DLMS/COSEM APDU")
local d = {
  type = ProtoField.uint8("g3.dlms.type", "APDU", base.HEX, APDUS),
  choice = ProtoField.uint8("g3.dlms.choice", "Choice", base.DEC, { [1] = "normal", [2] = "block", [3] = "list" }),
  invoke = ProtoField.uint8("g3.dlms.invoke_id", "Invoke id and priority", base.HEX),
  class = ProtoField.uint16("g3.dlms.class", "Class", base.DEC, CLASSES),
  obis = ProtoField.string("g3.dlms.obis", "Instance (OBIS)"),
  attribute = ProtoField.int8("g3.dlms.attribute", "Attribute"),
  method = ProtoField.int8("g3.dlms.method", "Method"),
  value = ProtoField.string("g3.dlms.value", "Value"),
  result = ProtoField.uint8("g3.dlms.result", "Result", base.DEC, RESULTS),
  context = ProtoField.uint8("g3.dlms.context", "Application context", base.DEC,
    { [1] = "LN", [2] = "SN", [3] = "LN, ciphered", [4] = "SN, ciphered" }),
  element = ProtoField.bytes("g3.dlms.acse", "Element"),
  state_error = ProtoField.uint8("g3.dlms.state_error", "State error"),
  service_error = ProtoField.uint8("g3.dlms.service_error", "Service error"),
}
dlms.fields = d

-- the A-XDR types of a fixed size: octets, how to read them
local FIXED = {
  [0] = { "null", 0, function() return "null" end },
  [3] = { "boolean", 1, function(r) return r:uint() ~= 0 and "true" or "false" end },
  [5] = { "double-long", 4, function(r) return tostring(r:int()) end },
  [6] = { "double-long-unsigned", 4, function(r) return tostring(r:uint()) end },
  [15] = { "integer", 1, function(r) return tostring(r:int()) end },
  [16] = { "long", 2, function(r) return tostring(r:int()) end },
  [17] = { "unsigned", 1, function(r) return tostring(r:uint()) end },
  [18] = { "long-unsigned", 2, function(r) return tostring(r:uint()) end },
  [20] = { "long64", 8, function(r) return tostring(r:int64()) end },
  [21] = { "long64-unsigned", 8, function(r) return tostring(r:uint64()) end },
  [22] = { "enum", 1, function(r) return tostring(r:uint()) end },
  [23] = { "float32", 4, function(r) return tostring(r:float()) end },
  [25] = { "date-time", 12, function(r) return tostring(r:bytes()) end },
  [26] = { "date", 5, function(r) return tostring(r:bytes()) end },
  [27] = { "time", 4, function(r) return tostring(r:bytes()) end },
}

-- returns the length octets' value and the next offset, or nil
local function length_at(tvb, at)
  if at >= tvb:len() then return nil end
  local first = tvb(at, 1):uint()
  if first < 0x80 then return first, at + 1 end
  local count = first - 0x80
  if count < 1 or count > 4 or at + 1 + count > tvb:len() then return nil end
  return tvb(at + 1, count):uint(), at + 1 + count
end

-- returns the text of the A-XDR value at an offset and the offset behind it, or nil where it is cut off
local function value_at(tvb, at, depth)
  if at >= tvb:len() or depth > 16 then return nil end
  local tag = tvb(at, 1):uint()
  local fixed = FIXED[tag]
  if fixed then
    if at + 1 + fixed[2] > tvb:len() then return nil end
    return fixed[3](fixed[2] > 0 and tvb(at + 1, fixed[2])), at + 1 + fixed[2]
  end
  local count, next_at = length_at(tvb, at + 1)
  if not count then return nil end
  if tag == 9 or tag == 10 or tag == 12 or tag == 4 then
    local octets = tag == 4 and math.floor((count + 7) / 8) or count
    if next_at + octets > tvb:len() then return nil end
    if octets == 0 then return "''", next_at end
    local range = tvb(next_at, octets)
    local text = (tag == 9 or tag == 4) and tostring(range:bytes()) or ("'" .. range:string() .. "'")
    return text, next_at + octets
  end
  if tag ~= 1 and tag ~= 2 or count > tvb:len() then return nil end
  local parts = {}
  for _ = 1, count do
    local text
    text, next_at = value_at(tvb, next_at, depth + 1)
    if not text then return nil end
    parts[#parts + 1] = text
  end
  return (tag == 1 and "array " or "structure ") .. "{" .. table.concat(parts, ", ") .. "}", next_at
end

local function add_value(tvb, tree, at)
  local text, next_at = value_at(tvb, at, 0)
  if not text then return "[value not decoded]" end
  tree:add(d.value, tvb(at, next_at - at), text)
  return text
end

local function add_descriptor(tvb, tree, at, last, word)
  if tvb:len() < at + 9 then return nil end
  tree:add(d.class, tvb(at, 2))
  tree:add(d.obis, tvb(at + 2, 6), obis(tvb(at + 2, 6)))
  tree:add(last, tvb(at + 8, 1))
  local class = CLASSES[tvb(at, 2):uint()] or ("class " .. tvb(at, 2):uint())
  return string.format("%s of %s, %s %d", class, obis(tvb(at + 2, 6)), word, tvb(at + 8, 1):int())
end

local function add_result(tvb, tree, at)
  tree:add(d.result, tvb(at, 1))
  return RESULTS[tvb(at, 1):uint()] or ("result " .. tvb(at, 1):uint())
end

local function data_or_result(tvb, tree, at)
  if tvb:len() <= at + 1 then return nil end
  if tvb(at, 1):uint() == 0 then return add_value(tvb, tree, at + 1) end
  return add_result(tvb, tree, at + 1)
end

-- ACSE: the elements one by one; the application context is the last octet of its object identifier
local ELEMENTS = {
  [0xa1] = "application context", [0xa2] = "result", [0xa3] = "diagnostic", [0xa4] = "responding AP title",
  [0xa6] = "calling AP title", [0x8a] = "ACSE requirements", [0x88] = "ACSE requirements", [0x8b] = "mechanism",
  [0x89] = "mechanism", [0xac] = "authentication value", [0xaa] = "authentication value", [0xbe] = "user information",
  [0x80] = "reason",
}
local function acse(tvb, tree)
  local _, at = length_at(tvb, 1)
  local said = {}
  while at and at + 2 <= tvb:len() do
    local tag = tvb(at, 1):uint()
    local count, start = length_at(tvb, at + 1)
    if not count or start + count > tvb:len() then return nil end
    local name = ELEMENTS[tag] or string.format("element %02x", tag)
    tree:add(d.element, tvb(at, start + count - at)):prepend_text(name .. ": ")
    if tag == 0xa1 and count > 0 then
      tree:add(d.context, tvb(start + count - 1, 1))
    elseif (tag == 0xa2 or tag == 0x80) and count > 0 then
      local code = tvb(start + count - 1, 1):uint()
      local words = tag == 0x80 and "reason " .. code or ({ [0] = "accepted", [1] = "rejected" })[code]
      said[#said + 1] = words or ("result " .. code)
    elseif tag == 0xa3 and count > 0 and tvb(start + count - 1, 1):uint() > 0 then
      said[#said + 1] = "diagnostic " .. tvb(start + count - 1, 1):uint()
    end
    at = start + count
  end
  return table.concat(said, ", ")
end

local function selected(tvb, tree, what)
  if tvb:len() < 4 then return nil end
  tree:add(d.choice, tvb(1, 1))
  tree:add(d.invoke, tvb(2, 1))
  return what(tvb, tree)
end

local function set_request(tvb, tree)
  local head = add_descriptor(tvb, tree, 3, d.attribute, "attribute")
  return head and tvb:len() > 13 and (head .. " = " .. add_value(tvb, tree, 13)) or head
end

local function action_request(tvb, tree)
  local head = add_descriptor(tvb, tree, 3, d.method, "method")
  if head and tvb:len() > 13 and tvb(12, 1):uint() == 1 then head = head .. "(" .. add_value(tvb, tree, 13) .. ")" end
  return head
end

local function action_response(tvb, tree)
  local head = add_result(tvb, tree, 3)
  if tvb:len() > 5 and tvb(4, 1):uint() == 1 then
    head = head .. ", returns " .. (data_or_result(tvb, tree, 5) or "[cut off]")
  end
  return head
end

local PARTS = {
  [0x60] = acse, [0x61] = acse, [0x62] = acse, [0x63] = acse,
  [0xc0] = function(tvb, tree)
    return selected(tvb, tree, function() return add_descriptor(tvb, tree, 3, d.attribute, "attribute") end)
  end,
  [0xc4] = function(tvb, tree)
    return selected(tvb, tree, function() return data_or_result(tvb, tree, 3) end)
  end,
  [0xc1] = function(tvb, tree) return selected(tvb, tree, set_request) end,
  [0xc3] = function(tvb, tree) return selected(tvb, tree, action_request) end,
  [0xc5] = function(tvb, tree)
    return selected(tvb, tree, function() return add_result(tvb, tree, 3) end)
  end,
  [0xc7] = function(tvb, tree) return selected(tvb, tree, action_response) end,
  [0xc2] = function(tvb, tree)
    local at = 2
    if tvb:len() > 1 and tvb(1, 1):uint() == 1 then at = 3 + tvb(2, 1):uint() end
    local head = add_descriptor(tvb, tree, at, d.attribute, "attribute")
    return head and (head .. " = " .. add_value(tvb, tree, at + 9))
  end,
  [0xd8] = function(tvb, tree)
    if tvb:len() < 3 then return nil end
    tree:add(d.state_error, tvb(1, 1))
    tree:add(d.service_error, tvb(2, 1))
    return string.format("state error %d, service error %d", tvb(1, 1):uint(), tvb(2, 1):uint())
  end,
}

function dlms.dissector(tvb, pinfo, tree)
  local kind = tvb(0, 1):uint()
  local branch = tree:add(dlms, tvb())
  branch:add(d.type, tvb(0, 1))
  local name = APDUS[kind] or string.format("APDU %02x", kind)
  local part = PARTS[kind]
  local text = part and part(tvb, branch)
  if part and not text then text = "[cut off]" end
  local info = text and text ~= "" and (name .. ": " .. text) or name
  branch:append_text(", " .. info)
  set_columns(pinfo, "DLMS", info)
  return tvb:len()
end

function wrapper.dissector(tvb, pinfo, tree)
  if tvb:len() < 8 or tvb(0, 2):uint() ~= 1 then return 0 end
  local branch = tree:add(wrapper, tvb(0, 8))
  branch:add(w.version, tvb(0, 2))
  branch:add(w.source, tvb(2, 2))
  branch:add(w.destination, tvb(4, 2))
  branch:add(w.length, tvb(6, 2))
  branch:append_text(string.format(", wPort %d to %d", tvb(2, 2):uint(), tvb(4, 2):uint()))
  if tvb:len() > 8 then
    dlms.dissector(tvb(8):tvb(), pinfo, tree)
  else
    set_columns(pinfo, "COSEM", "wrapper without APDU")
  end
  return tvb:len()
end
DissectorTable.get("udp.port"):add(4059, wrapper)
DissectorTable.get("udp.port"):add(61616, wrapper)
