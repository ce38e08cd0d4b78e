-- An ONNX graph being written: nodes, constants, and sizes that follow the batch.
--
-- Values are named; `of` gives the name of a value of the net (trace.lua). Truth values are uint8
-- in the net and bool in ONNX: `bools` has the name of the bool, which is cast when a number is
-- wanted.

local core = require "nnlua.core"
local pb = require "nnlua.saving.protobuf"
local sizes = require "nnlua.saving.sizes"
local trace = require "nnlua.saving.trace"
local tree = require "nnlua.tree"

local Graph = {}
Graph.__index = Graph

local FLOAT, UINT8, INT32, INT64, BOOL = 1, 2, 6, 7, 9

Graph.types = {float32 = FLOAT, uint8 = UINT8, int32 = INT32, int64 = INT64, bool = BOOL}

--- taken: the names that inputs and outputs have.
function Graph.new(net, taken)
  return setmetatable({net = net, nodes = {}, initializers = {}, constants = 0, names = 0,
    of = {}, bools = {}, known = {}, taken = taken}, Graph)
end

local function fresh(self, name)
  while self.taken[name] do name = name .. "_" end
  return name
end

-- pieces of the file ------------------------------------------------------------------------------

local codes = {[FLOAT] = "f", [INT32] = "i4", [INT64] = "i8", [UINT8] = "B"}

local function packed(list, code)
  local parts = {}
  for i = 1, #list, 128 do
    local last = math.min(#list, i + 127)
    parts[#parts + 1] = string.pack("<" .. code:rep(last - i + 1), table.unpack(list, i, last))
  end
  return table.concat(parts)
end

local function tensor_bytes(name, dims, content, kind)
  local out = {}
  for _, d in ipairs(dims) do out[#out + 1] = pb.int(1, d) end
  out[#out + 1] = pb.int(2, kind)
  out[#out + 1] = pb.bytes(8, name)
  out[#out + 1] = pb.bytes(9, content)
  return table.concat(out)
end

local function attribute(self, name, v)
  local body
  if sizes.is(v) or type(v) == "table" and sizes.any(v) then
    self:refuse_open()
  elseif type(v) == "table" then
    local list = {}
    for i, one in ipairs(v) do list[i] = pb.int(8, one) end
    body = table.concat(list) .. pb.int(20, 7)
  elseif type(v) == "string" then
    body = pb.bytes(4, v) .. pb.int(20, 3)
  elseif math.type(v) == "integer" then
    body = pb.int(3, v) .. pb.int(20, 2)
  else
    body = pb.float(2, v) .. pb.int(20, 1)
  end
  return pb.bytes(5, pb.bytes(1, name) .. body)
end

-- A constant of that shape, written once however often it is used; gives its name.
local function constant(self, dims, content, kind)
  local key = ("%d/%s/%s"):format(kind, table.concat(dims, ","), content)
  local name = self.known[key]
  if name then return name end
  self.constants = self.constants + 1
  name = fresh(self, "w" .. self.constants)
  self.initializers[#self.initializers + 1] =
    pb.bytes(5, tensor_bytes(name, dims, content, kind))
  self.known[key] = name
  return name
end

--- A constant from a list of numbers; gives its name.
function Graph:constant(dims, list, dtype)
  local kind = self.types[dtype or "float32"]
  return constant(self, dims, packed(list, codes[kind]), kind)
end

--- A constant from a tensor; gives its name.
function Graph:tensor(t)
  return constant(self, t.shape, core.tobytes(t), self.types[t.dtype])
end

--- The whole numbers of a list, as ONNX takes axes and shapes.
function Graph:numbers(list)
  if sizes.any(list) then self:refuse_open() end
  return self:constant({#list}, list, "int64")
end

--- Adds a node; gives the names of its outputs. inputs: names, or numbers for float constants.
function Graph:node(op, inputs, attributes, outputs)
  self.names = self.names + 1
  outputs = type(outputs) == "string" and {outputs} or outputs or 1
  if type(outputs) == "number" then
    local count = outputs
    outputs = {fresh(self, "t" .. self.names)}
    for i = 2, count do outputs[i] = fresh(self, ("t%d_%d"):format(self.names, i)) end
  end
  local parts = {}
  for _, name in ipairs(inputs) do
    if type(name) == "number" then name = self:constant({}, {name}) end
    parts[#parts + 1] = pb.bytes(1, name)
  end
  for _, name in ipairs(outputs) do parts[#parts + 1] = pb.bytes(2, name) end
  parts[#parts + 1] = pb.bytes(3, op:lower() .. "_" .. self.names)
  parts[#parts + 1] = pb.bytes(4, op)
  for _, key in ipairs(tree.keys(attributes or {})) do
    parts[#parts + 1] = attribute(self, key, attributes[key])
  end
  self.nodes[#self.nodes + 1] = pb.bytes(1, table.concat(parts))
  return table.unpack(outputs)
end

-- open sizes --------------------------------------------------------------------------------------

--- Raises: the op being written needs a number that is not fixed.
function Graph:refuse_open()
  return trace.refuse(self.net, self.current,
    "has a number that changes with sizes that are not fixed")
end

-- An open size as a list of one int64, read from the shape of an input.
local function symbol_name(self, s)
  local key = "symbol " .. s
  if not self.known[key] then
    local symbol = self.net.task.symbols[s]
    local shape = self:node("Shape", {self.of[self.net.inputs[symbol.input]]})
    self.known[key] = self:node("Gather", {shape, self:numbers{symbol.axis - 1}}, {axis = 0})
  end
  return self.known[key]
end

local function size_name(self, d)
  if not sizes.is(d) then return self:numbers{d} end
  if not d.parts then self:refuse_open() end
  local y
  for _, s in ipairs(tree.keys(d.parts)) do
    local one, times = symbol_name(self, s), d.parts[s]
    if times ~= 1 then one = self:node("Mul", {one, self:numbers{times}}) end
    y = y and self:node("Add", {y, one}) or one
  end
  return d.plus == 0 and y or self:node("Add", {y, self:numbers{d.plus}})
end

--- A list of whole numbers, of which some may be open.
function Graph:sizes(list)
  if not sizes.any(list) then return self:numbers(list) end
  local names = {}
  for i, d in ipairs(list) do names[i] = size_name(self, d) end
  return #names == 1 and names[1] or self:node("Concat", names, {axis = 0})
end

--- x in another shape.
function Graph:reshape(x, shape)
  local list, free = {}, 0
  for i, d in ipairs(shape) do
    list[i] = sizes.is(d) and -1 or d
    if list[i] == -1 then free = free + 1 end
  end
  return self:node("Reshape", {x, free > 1 and self:sizes(shape) or self:numbers(list)})
end

-- values ------------------------------------------------------------------------------------------

-- A constant with axes that are open: its rows there are all alike, so one is written; nil where
-- they are not.
local function spread(self, value)
  local t, ranges = value.data, {}
  for i, d in ipairs(value.shape) do ranges[i] = {1, sizes.is(d) and 1 or d} end
  local one, other = t:slice(ranges):clone(), value.other:slice(ranges):clone()
  local full = core.apply("broadcast_to", {one}, {t.ndim, table.unpack(t.shape)})
  if core.tobytes(one) ~= core.tobytes(other) or core.tobytes(full) ~= core.tobytes(t) then
    return nil
  end
  return self:node("Expand", {self:tensor(one), self:sizes(value.shape)})
end

local function data_name(self, v, node)
  local value = self.net.values[v]
  if sizes.any(value.shape) then
    return spread(self, value)
      or trace.refuse(self.net, node, "takes a constant that changes with sizes that are not fixed")
  end
  if value.other and core.tobytes(value.data) ~= core.tobytes(value.other) then
    trace.refuse(self.net, node, "takes a constant that changes with sizes that are not fixed")
  end
  return self:tensor(value.data)
end

function Graph:cast(name, dtype) return self:node("Cast", {name}, {to = self.types[dtype]}) end

--- The name of a value for the node that takes it, as its own dtype or the one asked for.
function Graph:get(v, node, dtype)
  local value = self.net.values[v]
  if not self.of[v] then
    if value.data then
      self.of[v] = data_name(self, v, node)
    else
      self.of[v] = self:cast(self.bools[v], value.dtype)
    end
  end
  if not dtype or dtype == value.dtype then return self.of[v] end
  local key = v .. dtype
  if not self.known[key] then
    if dtype == "bool" then
      self.known[key] = self.bools[v] or self:cast(self.of[v], "bool")
    elseif self.bools[v] then
      self.known[key] = self:cast(self.bools[v], dtype)
    else
      self.known[key] = self:cast(self.of[v], dtype)
    end
  end
  return self.known[key]
end

--- Whether the value is there as a bool.
function Graph:is_bool(v) return self.bools[v] ~= nil end

return Graph
