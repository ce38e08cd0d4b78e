-- The wire format of Protocol Buffers, as much as ONNX needs: varints, 32-bit and 64-bit numbers,
-- fields with a length. Reading checks each length against what is left, so it is linear.

local err = require "nnlua.err"

local protobuf = {}

-- writing -----------------------------------------------------------------------------------------

local function varint(n)
  local bytes = {}
  while n < 0 or n > 127 do
    bytes[#bytes + 1] = string.char(n & 127 | 128)
    n = n >> 7
  end
  bytes[#bytes + 1] = string.char(n)
  return table.concat(bytes)
end

--- A whole number in field `number`.
function protobuf.int(number, v) return varint(number << 3) .. varint(v) end

--- Text, bytes or a message.
function protobuf.bytes(number, text)
  return varint(number << 3 | 2) .. varint(#text) .. text
end

--- A float32.
function protobuf.float(number, v) return varint(number << 3 | 5) .. string.pack("<f", v) end

-- reading -----------------------------------------------------------------------------------------

local function read_varint(text, at, stop, where)
  local n, shift = 0, 0
  while true do
    local byte = at <= stop and text:byte(at)
    if not byte or shift > 63 then err.raise("%s: a number is not closed", where) end
    n = n | (byte & 127) << shift
    at, shift = at + 1, shift + 7
    if byte < 128 then return n, at end
  end
end

local sizes = {[1] = 8, [5] = 4}

--- Calls f(number, value, first, last) for each field of text[first..last]: an integer for a
--- varint, the place of the bytes for the other kinds.
function protobuf.each(text, first, last, where, f)
  local at = first
  while at <= last do
    local key
    key, at = read_varint(text, at, last, where)
    local number, kind = key >> 3, key & 7
    if kind == 0 then
      local v
      v, at = read_varint(text, at, last, where)
      f(number, v)
    else
      local n = sizes[kind]
      if kind == 2 then n, at = read_varint(text, at, last, where) end
      if not n or n < 0 or n > last - at + 1 then
        err.raise("%s: a field is longer than what holds it", where)
      end
      f(number, nil, at, at + n - 1)
      at = at + n
    end
  end
end

--- The numbers of a repeated field that is packed or comes one by one.
function protobuf.add_ints(list, text, v, first, last, where)
  if v then
    list[#list + 1] = v
    return
  end
  local at = first
  while at <= last do list[#list + 1], at = read_varint(text, at, last, where) end
end

return protobuf
