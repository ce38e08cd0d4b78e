-- An ONNX graph being written: nodes, constants, and sizes that follow the batch.
--
-- Values are named; `of` gives the name of a value of the net (trace.lua). Truth values are uint8
-- in the net and bool in ONNX: `bools` has the name of the bool, which is cast when a number is
-- wanted.

local core = require "nnlua.core"
local pb = require "nnlua.saving.protobuf"
local trace = require "nnlua.saving.trace"

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

local function attribute(name, v)
  local body
  if type(v) == "table" then
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

--- A constant of that shape, written once however often it is used; gives its name.
function Graph:constant(dims, list, dtype)
  local kind = self.types[dtype or "float32"]
  local content = packed(list, codes[kind])
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

--- The whole numbers of a list, as ONNX takes axes and shapes.
function Graph:numbers(list) return self:constant({#list}, list, "int64") end

--- Adds a node; gives the names of its outputs. inputs: names, or numbers for float constants.
function Graph:node(op, inputs, attributes, outputs)
  self.names = self.names + 1
  outputs = type(outputs) == "string" and {outputs} or outputs or 1
  if type(outputs) == "number" then
    local count = outputs
    outputs = {fresh(self, "t" .. self.names)}
    for i = 2, count do outputs[i] = fresh(self, ("t%d_%d"):format(self.names, i)) end
  end
  local parts, keys = {}, {}
  for _, name in ipairs(inputs) do
    if type(name) == "number" then name = self:constant({}, {name}) end
    parts[#parts + 1] = pb.bytes(1, name)
  end
  for _, name in ipairs(outputs) do parts[#parts + 1] = pb.bytes(2, name) end
  parts[#parts + 1] = pb.bytes(3, op:lower() .. "_" .. self.names)
  parts[#parts + 1] = pb.bytes(4, op)
  for key in pairs(attributes or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do parts[#parts + 1] = attribute(key, attributes[key]) end
  self.nodes[#self.nodes + 1] = pb.bytes(1, table.concat(parts))
  return table.unpack(outputs)
end

-- sizes that follow the batch ---------------------------------------------------------------------

-- The batch as a list of one int64.
local function batch_of(self)
  if self.batch then return self.batch end
  for _, v in ipairs(self.net.inputs) do
    local first = self.net.values[v].shape[1]
    if trace.is_size(first) then
      local shape = self:node("Shape", {self.of[v]})
      local all = self:node("Gather", {shape, self:numbers{0}}, {axis = 0})
      self.batch = all
      return all
    end
  end
end

local function size_name(self, d)
  if not trace.is_size(d) then return self:numbers{d} end
  local y = batch_of(self)
  if d.times ~= 1 then y = self:node("Mul", {y, self:numbers{d.times}}) end
  if d.plus ~= 0 then y = self:node("Add", {y, self:numbers{d.plus}}) end
  return y
end

--- A list of whole numbers, of which some may follow the batch.
function Graph:sizes(list)
  local follows, names = false, {}
  for _, d in ipairs(list) do follows = follows or trace.is_size(d) end
  if not follows then return self:numbers(list) end
  for i, d in ipairs(list) do names[i] = size_name(self, d) end
  return #names == 1 and names[1] or self:node("Concat", names, {axis = 0})
end

--- x in another shape.
function Graph:reshape(x, shape)
  local list, free = {}, 0
  for i, d in ipairs(shape) do
    list[i] = trace.is_size(d) and -1 or d
    if list[i] == -1 then free = free + 1 end
  end
  return self:node("Reshape", {x, free > 1 and self:sizes(shape) or self:numbers(list)})
end

-- values ------------------------------------------------------------------------------------------

local function same_numbers(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do if a[i] ~= b[i] and (a[i] == a[i] or b[i] == b[i]) then return false end end
  return true
end

local function list_of(t) return core.reshape(t, {t.size}):totable() end

-- A constant with axes that follow the batch: its rows there are all alike, so one is written.
local function spread(self, value)
  local shape, t, first = {}, value.data, {}
  for i, d in ipairs(value.shape) do
    local follows = trace.is_size(d)
    shape[i] = follows and 1 or d
    first[i] = {1, follows and 1 or d}
  end
  local one, other = t, value.other
  if #first > 0 then one, other = t:slice(first), value.other:slice(first) end
  local list = list_of(core.copy and one:clone() or one)
  local full = core.apply("broadcast_to", {one:clone()}, {t.ndim, table.unpack(t.shape)})
  if not same_numbers(list, list_of(other:clone())) or not same_numbers(list_of(full),
    list_of(t)) then return nil end
  return self:node("Expand", {self:constant(shape, list, value.dtype), self:sizes(value.shape)})
end

local function follows_batch(value)
  for _, d in ipairs(value.shape) do if trace.is_size(d) then return true end end
  return false
end

local function data_name(self, v, node)
  local value = self.net.values[v]
  if follows_batch(value) then
    return spread(self, value)
      or trace.refuse(self.net, node, "takes a constant that changes with the size of the batch")
  end
  local list = list_of(value.data)
  if value.other and not same_numbers(list, list_of(value.other)) then
    trace.refuse(self.net, node, "takes a constant that changes with the size of the batch")
  end
  return self:constant(value.shape, list, value.dtype)
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
