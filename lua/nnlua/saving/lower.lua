-- A model as a list of simple steps that other programs can be written from (C, ONNX). What only
-- acts in training is gone; normalizations with kept statistics are a scale and an offset.
--
-- A value is {id=, shape=} without the batch axis. A step is {op=, inputs=, output=, ...}:
--   dense {kernel=, bias=}        over the last axis      act {name=, alpha=, ...}   one by one
--   affine {scale=, offset=}      a number for each place of the last axis
--   layernorm {gamma=, beta=, epsilon=, kind=}  over the last axis    softmax {log=}  last axis
--   merge {kind=}                 add, subtract, multiply, average, maximum, minimum
--   concat {axis=}, reshape, permute {dims=}    axes from 1, the batch axis left out
--   embedding {table=}, repeat_vector {count=}, prelu {alpha=}   and those of lower_window.lua
-- Tensors are flat Lua arrays of numbers.

local core = require "nnlua.core"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local tree = require "nnlua.tree"

local lower = {}

local function flat(t)
  t = core.is_tensor(t) and t or t.tensor
  return core.reshape(core.astype(t, "float32"), {t.size}):totable()
end

lower.flat = flat

local function unbatched(shape, name, where)
  local out = {}
  for i = 2, #shape do
    out[i - 1] = shape[i] or err.raise("%s: a size of layer '%s' is unknown: %s", where, name,
      shapes.text(shape))
  end
  return out
end

-- steps -------------------------------------------------------------------------------------------

-- Values are leaves of the structures that tree walks: they have a metatable.
local Value = {}

local function new_value(self, shape, dtype)
  self.count = self.count + 1
  return setmetatable({id = self.count, shape = shape, dtype = dtype or "float32"}, Value)
end

local function emit(self, step, shape)
  step.output = new_value(self, shape)
  self.steps[#self.steps + 1] = step
  return step.output
end

local function act(self, x, name, more)
  if name == "linear" then return x end
  if name == "softmax" or name == "log_softmax" then
    return emit(self, {op = "softmax", inputs = {x}, log = name == "log_softmax"}, x.shape)
  end
  local step = {op = "act", name = name, inputs = {x}}
  for key, v in pairs(more or {}) do step[key] = v end
  return emit(self, step, x.shape)
end

local function activation(self, layer, x, fn)
  local name = require("nnlua.activations").name_of(fn)
  if not name then
    err.raise("%s: the activation of layer '%s' is an own function", self.where, layer.name)
  end
  return act(self, x, name)
end

local layers = {}

function layers.Dense(self, layer, x)
  local shape = table.move(x.shape, 1, #x.shape, 1, {})
  shape[#shape] = layer.units
  local y = emit(self, {op = "dense", inputs = {x}, kernel = flat(layer.kernel),
    bias = layer.bias and flat(layer.bias), units = layer.units,
    columns = x.shape[#x.shape]}, shape)
  return activation(self, layer, y, layer.activation)
end

function layers.Activation(self, layer, x) return activation(self, layer, x, layer.activation) end

function layers.ReLU(self, layer, x)
  return act(self, x, "relu", {alpha = layer.negative_slope, ceiling = layer.max_value,
    threshold = layer.threshold, general = true})
end

function layers.LeakyReLU(self, layer, x)
  return act(self, x, "leaky_relu", {alpha = layer.negative_slope})
end

function layers.ELU(self, layer, x) return act(self, x, "elu", {alpha = layer.alpha}) end

function layers.Softmax(self, layer, x)
  local axis = layer.axis
  if axis ~= -1 and axis ~= #x.shape + 1 then
    err.raise("%s: Softmax '%s' is not over the last axis", self.where, layer.name)
  end
  return act(self, x, "softmax")
end

-- Layers that only do something in training, or to the loss.
for _, name in ipairs {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
  "GaussianDropout", "AlphaDropout", "GaussianNoise", "ActivityRegularization", "Identity",
  "InputLayer"} do
  layers[name] = function(_, _, x) return x end
end

local function reshape(self, layer, x)
  local shape = unbatched(layer:compute_output_shape{false, table.unpack(x.shape)}, layer.name,
    self.where)
  return emit(self, {op = "reshape", inputs = {x}}, shape)
end

layers.Flatten, layers.Reshape = reshape, reshape

function layers.Permute(self, layer, x)
  local shape = {}
  for i, d in ipairs(layer.dims) do shape[i] = x.shape[d] end
  return emit(self, {op = "permute", inputs = {x}, dims = layer.dims}, shape)
end

function layers.RepeatVector(self, layer, x)
  return emit(self, {op = "repeat_vector", inputs = {x}, count = layer.n}, {layer.n, x.shape[1]})
end

local function affine(self, x, scale, offset)
  return emit(self, {op = "affine", inputs = {x}, scale = scale, offset = offset}, x.shape)
end

local function last_axis(self, layer, x, axis)
  if type(axis) == "table" then axis = #axis == 1 and axis[1] or 0 end
  if axis ~= -1 and axis ~= #x.shape + 1 then
    err.raise("%s: %s '%s' is not over the last axis", self.where, layer.class_name, layer.name)
  end
end

function layers.BatchNormalization(self, layer, x)
  last_axis(self, layer, x, layer.axis)
  local mean, variance = flat(layer.moving_mean), flat(layer.moving_variance)
  local gamma, beta = layer.gamma and flat(layer.gamma), layer.beta and flat(layer.beta)
  local scale, offset = {}, {}
  for i = 1, #mean do
    scale[i] = (gamma and gamma[i] or 1) / math.sqrt(variance[i] + layer.epsilon)
    offset[i] = (beta and beta[i] or 0) - mean[i] * scale[i]
  end
  return affine(self, x, scale, offset)
end

function layers.Rescaling(self, layer, x)
  local scale, offset, n = {}, {}, x.shape[#x.shape]
  if type(layer.scale) ~= "number" or type(layer.offset) ~= "number" then
    err.raise("%s: Rescaling '%s' has lists of numbers", self.where, layer.name)
  end
  for i = 1, n do scale[i], offset[i] = layer.scale, layer.offset end
  return affine(self, x, scale, offset)
end

function layers.Normalization(self, layer, x)
  local n = x.shape[#x.shape]
  layer(core.full({1, table.unpack(x.shape)}, 0)) -- takes the statistics as they are now
  local center, spread = flat(layer.center), flat(layer.spread)
  if #center ~= 1 and #center ~= n then
    err.raise("%s: Normalization '%s' is not over the last axis", self.where, layer.name)
  end
  local scale, offset = {}, {}
  for i = 1, n do
    local m, s = center[#center == 1 and 1 or i], spread[#spread == 1 and 1 or i]
    if layer.invert then scale[i], offset[i] = s, m else scale[i], offset[i] = 1 / s, -m / s end
  end
  return affine(self, x, scale, offset)
end

function layers.LayerNormalization(self, layer, x)
  last_axis(self, layer, x, layer.axis)
  return emit(self, {op = "layernorm", kind = "layer", inputs = {x}, epsilon = layer.epsilon,
    gamma = layer.gamma and flat(layer.gamma), beta = layer.beta and flat(layer.beta)}, x.shape)
end

function layers.RMSNormalization(self, layer, x)
  last_axis(self, layer, x, layer.axis)
  return emit(self, {op = "layernorm", kind = "rms", inputs = {x}, epsilon = layer.epsilon,
    gamma = layer.scale and flat(layer.scale)}, x.shape)
end

function layers.UnitNormalization(self, layer, x)
  last_axis(self, layer, x, layer.axis)
  return emit(self, {op = "layernorm", kind = "unit", inputs = {x}, epsilon = 1e-12}, x.shape)
end

function layers.PReLU(self, layer, x)
  local alpha, n = flat(layer.alpha), 1
  for _, d in ipairs(x.shape) do n = n * d end
  if #alpha ~= n then
    err.raise("%s: PReLU '%s' shares its slopes", self.where, layer.name)
  end
  return emit(self, {op = "prelu", inputs = {x}, alpha = alpha}, x.shape)
end

function layers.SpectralNormalization(self, layer, x)
  return self.lower_layer(self, layer.layer, x)
end

-- Dense acts on the last axis alone, so steps need no loop.
function layers.TimeDistributed(self, layer, x)
  if layer.layer.class_name ~= "Dense" then
    err.raise("%s: TimeDistributed '%s' holds a %s; only Dense is exported", self.where, layer.name,
      layer.layer.class_name)
  end
  return layers.Dense(self, layer.layer, x)
end

require("nnlua.saving.lower_window").add(layers, {emit = emit, flat = flat,
  activation = activation})

function layers.Embedding(self, layer, x)
  local shape = table.move(x.shape, 1, #x.shape, 1, {})
  shape[#shape + 1] = layer.output_dim
  return emit(self, {op = "embedding", inputs = {x}, table = flat(layer.embeddings),
    rows = layer.input_dim, columns = layer.output_dim}, shape)
end

for name, kind in pairs {Add = "add", Subtract = "subtract", Multiply = "multiply",
  Average = "average", Maximum = "maximum", Minimum = "minimum"} do
  layers[name] = function(self, layer, list)
    for _, x in ipairs(list) do
      if not shapes.same(x.shape, list[1].shape) then
        err.raise("%s: the inputs of '%s' have different shapes", self.where, layer.name)
      end
    end
    return emit(self, {op = "merge", kind = kind, inputs = list}, list[1].shape)
  end
end

function layers.Concatenate(self, layer, list)
  local rank = #list[1].shape
  local axis = layer.axis < 0 and rank + 1 + layer.axis or layer.axis - 1
  local shape = table.move(list[1].shape, 1, rank, 1, {})
  for i = 2, #list do shape[axis] = shape[axis] + list[i].shape[axis] end
  return emit(self, {op = "concat", axis = axis, inputs = list}, shape)
end

-- models ------------------------------------------------------------------------------------------

local lower_model

local function lower_layer(self, layer, inputs)
  if layer.is_model then
    return tree.pack(layer.outputs_as_given, lower_model(self, layer, tree.flatten(inputs)))
  end
  local make = layers[layer.class_name]
  local built_in = make and (layer.class_name == "InputLayer"
    or require("nnlua.layers")[layer.class_name] == getmetatable(layer))
  if not built_in then
    err.raise("%s: layer '%s' (%s) cannot be exported", self.where, layer.name, layer.class_name)
  end
  return make(self, layer, inputs)
end

function lower_model(self, model, inputs)
  if not model.nodes then
    err.raise("%s: %s has a call of its own; only Sequential and functional models are exported",
      self.where, model.class_name)
  end
  local values = {}
  for i, t in ipairs(model.flat_inputs) do values[t] = inputs[i] end
  for _, node in ipairs(model.nodes) do
    if not values[node.flat_outputs[1]] then
      local given = tree.map(function(t) return values[t] end, node.inputs)
      local out = tree.flatten(lower_layer(self, node.layer, given))
      for i, t in ipairs(node.flat_outputs) do values[t] = out[i] end
    end
  end
  local outputs = {}
  for i, t in ipairs(model.flat_outputs) do outputs[i] = values[t] end
  return outputs
end

--- {inputs = {values}, outputs = {values}, steps=, input_names=, output_names=}. where: begins
--- error texts.
function lower.model(model, where)
  if not model.built or not model.nodes then
    err.raise("%s: the model is not built, or has a call of its own", where)
  end
  local self = {steps = {}, count = 0, where = where, lower_layer = lower_layer}
  local inputs = {}
  for i, t in ipairs(model.flat_inputs) do
    inputs[i] = new_value(self, unbatched(t.shape, model.input_names[i], where), t.dtype)
  end
  local outputs = lower_model(self, model, inputs)
  return {inputs = inputs, outputs = outputs, steps = self.steps, input_names = model.input_names,
    output_names = model.output_names, name = model.name}
end

return lower
