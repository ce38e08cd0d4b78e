-- Sequential: layers one after the other. With a known input it is built at once, else at the first
-- call.

local class = require "nnlua.class"
local err = require "nnlua.err"
local names = require "nnlua.names"
local Layer = require "nnlua.layers.layer"
local Model = require "nnlua.model"
local symbolic = require "nnlua.keras_tensor"

---@class nn.Sequential: nn.Model
local Sequential = Model:extend("Sequential", {args = "layers=None, trainable=True, name=None"})

-- nn.Sequential{layer, layer, name=}: layers stand in the array part.
local construct = getmetatable(Sequential).__call
getmetatable(Sequential).__call = function(cls, first, ...)
  if type(first) == "table" and getmetatable(first) == nil and first.layers == nil then
    local layers, record = {}, {}
    for key, value in pairs(first) do
      if math.type(key) == "integer" then layers[key] = value else record[key] = value end
    end
    if #layers == 1 and getmetatable(layers[1]) == nil then layers = layers[1] end
    record.layers = layers
    first = record
  end
  return construct(cls, first, ...)
end

function Sequential:init(a)
  Layer.init(self, a)
  rawset(self, "list", {})
  local names_so_far = {}
  for _, layer in ipairs(a.layers or {}) do self:append(layer, names_so_far) end
  self:rebuild()
end

-- The names of the layers so far; of many layers the caller keeps them.
local function names_of(list)
  local out = {}
  for _, layer in ipairs(list) do out[layer.name] = true end
  return out
end

function Sequential:append(layer, names_so_far)
  if class.is(layer, symbolic.KerasTensor) then layer = layer.node.layer end
  if not class.is(layer, Layer) then
    err.raise("add: expected a layer, got %s", err.show(layer))
  end
  names_so_far = names_so_far or names_of(self.list)
  if names_so_far[layer.name] then
    err.raise("Sequential: two layers are named '%s'", layer.name)
  end
  if class.is(layer, symbolic.InputLayer) then
    err.check(#self.list == 0 and not self.input_layer,
      "add: an Input stands first, the model has layers already")
    rawset(self, "input_layer", layer)
  else
    self.list[#self.list + 1] = layer
    names_so_far[layer.name] = true
  end
end

-- Runs the layers on symbolic tensors: weights are made under the model's name.
local function connect(self, x)
  local y = x
  names.within(self.name, function()
    for _, layer in ipairs(self.list) do y = layer(y) end
  end)
  return y
end

function Sequential:rebuild()
  local first = self.list[1]
  rawset(self, "nodes", nil)
  rawset(self, "plans", nil)
  rawset(self, "resolved", nil)
  rawset(self, "flat_inputs", nil)
  rawset(self, "flat_outputs", nil)
  self.built = false
  if not self.input_layer and first and first.batch_shape then
    rawset(self, "input_layer", symbolic.InputLayer{batch_shape = first.batch_shape,
      dtype = first.input_dtype})
  end
  if not self.input_layer and first and first.flat_inputs and #first.flat_inputs == 1 then
    rawset(self, "input_layer", symbolic.InputLayer{batch_shape = first.flat_inputs[1].shape,
      dtype = first.flat_inputs[1].dtype})
  end
  if self.input_layer and first then
    local x = self.input_layer.output
    self:set_graph(x, connect(self, x))
  end
end

--- Adds a layer at the end.
function Sequential:add(layer)
  self:append(layer)
  self:rebuild()
end

--- Removes the last layer and returns it.
function Sequential:pop()
  err.check(#self.list > 0, "pop: the model has no layers")
  local layer = table.remove(self.list)
  self:rebuild()
  return layer
end

function Sequential:ordered_sublayers() return self.list end

--- Makes the weights for an input of that shape (with the batch axis; nil or false = unknown).
function Sequential:build(input_shape)
  if self.nodes then return end
  err.check(#self.list > 0, "build: the model has no layers")
  local dtype = type(input_shape) == "table" and input_shape.dtype or nil
  if type(input_shape) == "number" then input_shape = {input_shape} end
  err.check(type(input_shape) == "table", "build: input_shape is missing")
  local shape = require("nnlua.shapes").clean(input_shape)
  if type(input_shape[1]) == "number" then shape[1] = false end
  rawset(self, "input_layer", symbolic.InputLayer{batch_shape = shape, dtype = dtype})
  local x = self.input_layer.output
  self:set_graph(x, connect(self, x))
end

function Sequential:ensure_built(input_shape)
  if not self.nodes then self:build(input_shape) end
  self.built = true
end

return Sequential
