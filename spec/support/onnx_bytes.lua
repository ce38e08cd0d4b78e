-- ONNX files of a spec, field by field: independent of the library's own writer.

local B = {}

local function varint(n)
  local out = {}
  while n < 0 or n > 127 do
    out[#out + 1] = string.char(n & 127 | 128)
    n = n >> 7
  end
  return table.concat(out) .. string.char(n)
end

B.varint = varint

function B.int(number, v) return varint(number << 3) .. varint(v) end
function B.bytes(number, text) return varint(number << 3 | 2) .. varint(#text) .. text end
function B.float(number, v) return varint(number << 3 | 5) .. string.pack("<f", v) end

--- Numbers in one field: packed as varints, "<f" or "<d".
function B.packed(number, list, code)
  local out = {}
  for i, v in ipairs(list) do out[i] = code and string.pack(code, v) or varint(v) end
  return B.bytes(number, table.concat(out))
end

--- A TensorProto. body: the fields that hold its elements.
function B.tensor(name, shape, kind, body)
  return B.packed(1, shape) .. B.int(2, kind) .. B.bytes(8, name) .. body
end

function B.raw(code, list)
  local out = {}
  for i, v in ipairs(list) do out[i] = string.pack(code, v) end
  return B.bytes(9, table.concat(out))
end

--- A NodeProto. attributes: encoded AttributeProtos.
function B.node(op, inputs, outputs, attributes)
  local out = {}
  for _, name in ipairs(inputs) do out[#out + 1] = B.bytes(1, name) end
  for _, name in ipairs(outputs) do out[#out + 1] = B.bytes(2, name) end
  out[#out + 1] = B.bytes(3, "the " .. op) .. B.bytes(4, op)
  for _, a in ipairs(attributes or {}) do out[#out + 1] = B.bytes(5, a) end
  return table.concat(out)
end

--- A ValueInfoProto of float32 with sizes; a text is the name of an unknown size.
function B.value(name, shape)
  local dims = {}
  for i, n in ipairs(shape) do
    dims[i] = B.bytes(1, type(n) == "string" and B.bytes(2, n) or B.int(1, n))
  end
  local tensor = B.int(1, 1) .. B.bytes(2, table.concat(dims))
  return B.bytes(1, name) .. B.bytes(2, B.bytes(1, tensor))
end

--- A ModelProto. g: lists of encoded nodes, tensors, inputs, outputs; more: bytes of the graph.
function B.model(g)
  local out = {}
  local function add(number, list)
    for _, one in ipairs(list or {}) do out[#out + 1] = B.bytes(number, one) end
  end
  add(1, g.nodes)
  out[#out + 1] = B.bytes(2, "graph")
  add(5, g.tensors)
  add(11, g.inputs)
  add(12, g.outputs)
  out[#out + 1] = g.more or ""
  return B.int(1, 8) .. B.bytes(8, B.bytes(1, "") .. B.int(2, 17))
    .. B.bytes(7, table.concat(out))
end

return B
