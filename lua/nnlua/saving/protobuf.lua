-- The wire format of Protocol Buffers, as much as writing ONNX needs: varints, 32-bit numbers,
-- fields with a length. src/io/protobuf.h reads it.

local protobuf = {}

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

return protobuf
