-- The symbolic tensors of functional models: `Input`, and what a layer called on one gives.
--
-- They carry shape and dtype and remember the call that made them; a model walks these calls. The
-- shape of a layer's output is found by tracing it on two sizes for every unknown axis: an output
-- axis that differs between the two is unknown.

local core = require "nnlua.core"
local args = require "nnlua.args"
local autograd = require "nnlua.autograd"
local class = require "nnlua.class"
local err = require "nnlua.err"
local names = require "nnlua.names"
local shapes = require "nnlua.shapes"
local tree = require "nnlua.tree"
local Layer = require "nnlua.layers.layer"

local M = {}

---@class nn.KerasTensor
---@field shape (integer|false)[] with the batch axis; false = unknown
---@field dtype string
local KerasTensor = class.new("KerasTensor", {})
KerasTensor.__keras_tensor = true

function KerasTensor:init(shape, dtype, name)
  self.shape, self.dtype = shape, dtype or "float32"
  self.name = name or names.unique("keras_tensor")
end

KerasTensor.getters.ndim = function(self) return #self.shape end
KerasTensor.__tostring = function(self)
  return ("<KerasTensor shape=%s, dtype=%s, name=%s>"):format(shapes.text(self.shape), self.dtype,
    self.name)
end

M.KerasTensor = KerasTensor

local function is_symbolic(x) return class.is(x, KerasTensor) end

local function contains(x)
  if is_symbolic(x) then return true end
  if type(x) ~= "table" or getmetatable(x) ~= nil then return false end
  for _, v in pairs(x) do if contains(v) then return true end end
  return false
end

-- shape inference --------------------------------------------------------------------------------

local sizes = {61, 67}

local function traced_outputs(layer, input_shapes, dtypes, size, ctx)
  local out
  autograd.record("trace", function(graph)
    local at = 0
    local inputs = M.map_shapes(function(shape)
      at = at + 1
      local concrete = {}
      for i = 1, #shape do concrete[i] = shape[i] or size end
      return core.input(graph, concrete, dtypes[at] or "float32")
    end, input_shapes)
    out = tree.map(function(t) return {shape = t.shape, dtype = t.dtype, leaf = true} end,
      layer(inputs, ctx))
  end)
  return out
end

--- f at every shape of a structure of shapes (a shape is an array of integers and false).
function M.map_shapes(f, s)
  if type(s[1]) ~= "table" and s[1] ~= nil then return f(s) end
  local out = {}
  for _, k in ipairs(tree.keys(s)) do out[k] = M.map_shapes(f, s[k]) end
  return out
end

local function merge(a, b)
  if a.leaf then
    local shape = {}
    for i = 1, #a.shape do shape[i] = a.shape[i] == b.shape[i] and a.shape[i] end
    return {shape = shape, dtype = a.dtype, leaf = true}
  end
  local out = {}
  for k in pairs(a) do out[k] = merge(a[k], b[k]) end
  return out
end

local function specs(layer, input_shape, dtypes, ctx)
  local a = traced_outputs(layer, input_shape, dtypes, sizes[1], ctx)
  return merge(a, traced_outputs(layer, input_shape, dtypes, sizes[2], ctx))
end

local function map_specs(f, s)
  if s.leaf then return f(s) end
  local out = {}
  for _, k in ipairs(tree.keys(s)) do out[k] = map_specs(f, s[k]) end
  return out
end

--- Shapes and dtypes of what `layer` gives for inputs of these shapes and dtypes.
function M.spec_of(layer, input_shape, dtypes) return specs(layer, input_shape, dtypes or {}) end

--- The output shape (or structure of shapes) of a layer.
function M.infer(layer, input_shape)
  local s = specs(layer, input_shape, {})
  return map_specs(function(spec) return spec.shape end, s)
end

-- calls ------------------------------------------------------------------------------------------

local function output_specs(layer, inputs, ctx)
  local input_shape = tree.map(function(t) return t.shape end, inputs)
  local dtypes = {}
  for i, t in ipairs(tree.flatten(inputs)) do dtypes[i] = t.dtype end
  layer:ensure_built(input_shape)
  if layer.output_spec then return layer:output_spec(input_shape, dtypes) end
  return specs(layer, input_shape, dtypes, ctx)
end

--- Records a call of `layer`; gives its symbolic outputs.
function M.layer_call(layer, inputs, ctx)
  inputs = tree.map(function(t)
    if is_symbolic(t) then return t end
    return err.raise("%s: inputs mix symbolic tensors and values", layer.class_name)
  end, inputs)
  local spec = output_specs(layer, inputs, ctx)
  layer.inbound_nodes = rawget(layer, "inbound_nodes") or {}
  local node = {layer = layer, inputs = inputs, ctx = ctx, index = #layer.inbound_nodes + 1}
  table.insert(layer.inbound_nodes, node)
  local count = 0
  node.outputs = map_specs(function(s)
    count = count + 1
    local t = KerasTensor(s.shape, s.dtype)
    t.node, t.tensor_index = node, count
    return t
  end, spec)
  node.flat_outputs = tree.flatten(node.outputs)
  return node.outputs
end

-- Functions of nn.ops on symbolic tensors become layers.
local OpLayer = Layer:extend("Operation", {args = "fn, sig, bound, name=None"})

function OpLayer:init(a)
  Layer.init(self, {name = a.name or names.auto(a.sig.name)})
  self.is_operation = true
  self.fn, self.sig, self.bound = a.fn, a.sig, a.bound
  self.class_name = a.sig.name
  self.built = true
end

function OpLayer:call(inputs)
  local at, record = 0, {}
  local function fill(v)
    if is_symbolic(v) then
      at = at + 1
      return inputs[at]
    elseif type(v) == "table" and getmetatable(v) == nil then
      return tree.map(fill, v)
    end
    return v
  end
  for _, entry in ipairs(self.sig) do
    local v = self.bound[entry.name]
    if v ~= nil then record[entry.name] = fill(v) end
  end
  return self.fn(record)
end

-- name: of the layer, chosen when there is none.
local function op_call(fn, sig, bound, name)
  local inputs = {}
  for _, entry in ipairs(sig) do
    for _, t in ipairs(tree.flatten(bound[entry.name])) do
      if is_symbolic(t) then inputs[#inputs + 1] = t end
    end
  end
  local layer = OpLayer{fn, sig, bound, name}
  return M.layer_call(layer, inputs)
end

args.symbolic = {
  contains = contains,
  layer_call = M.layer_call,
  found = function(bound, sig)
    for _, entry in ipairs(sig) do if contains(bound[entry.name]) then return true end end
    return false
  end,
  call = op_call,
}

local function by_name(name)
  return function(a, b) return require("nnlua.ops")[name](a, b) end
end

for event, name in pairs {__add = "add", __sub = "subtract", __mul = "multiply", __div = "divide",
  __pow = "power", __mod = "mod"} do
  KerasTensor[event] = by_name(name)
end
KerasTensor.__unm = function(a) return require("nnlua.ops").negative(a) end

core.symbolic = function(name, a, b) return require("nnlua.ops")[name](a, b) end

-- Input ------------------------------------------------------------------------------------------

local InputLayer = Layer:extend("InputLayer", {
  args = [[shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None,
    input_tensor=None, optional=False, name=None]],
})

function InputLayer:init(a)
  Layer.init(self, {name = a.name, dtype = a.dtype})
  if a.shape and a.batch_shape then
    err.raise("Input: shape and batch_shape are both given, expected one of them")
  end
  err.check(a.shape or a.batch_shape, "Input: shape is missing")
  self.batch_shape = a.batch_shape and shapes.clean(a.batch_shape)
    or shapes.with_batch(a.shape, a.batch_size)
  self.optional = a.optional
  self.built = true
  local t = KerasTensor(self.batch_shape, self.dtype, a.name)
  local node = {layer = self, index = 1, inputs = {}, outputs = t, flat_outputs = {t}}
  t.node, t.tensor_index = node, 1
  self.inbound_nodes = {node}
  self.output = t
end

function InputLayer:call(x) return x end

function InputLayer:get_config()
  return {batch_shape = self.batch_shape, dtype = self.dtype, sparse = false, ragged = false,
    name = self.name, optional = self.optional}
end

M.InputLayer = InputLayer

--- The symbolic input of a functional model.
---@param shape integer[] without the batch axis
---@return nn.KerasTensor
M.Input = args.fn("Input", [[shape=None, batch_size=None, dtype=None, sparse=None, ragged=None,
  batch_shape=None, name=None, tensor=None, optional=False]],
  function(shape, batch_size, dtype, _, _, batch_shape, name, _, optional)
    return InputLayer{shape = shape, batch_size = batch_size, dtype = dtype,
      batch_shape = batch_shape, name = name, optional = optional}.output
  end)

return M
