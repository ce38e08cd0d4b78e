-- Dense: y = activation(x kernel + bias) over the last axis; one fused op where the activation is
-- linear, relu or tanh.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local Layer = require "nnlua.layers.layer"
local parts = require "nnlua.layers.parts"

local Dense = Layer:extend("Dense", {
  args = [[units, activation=None, use_bias=True, kernel_initializer="glorot_uniform",
    bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None,
    activity_regularizer=None, kernel_constraint=None, bias_constraint=None, lora_rank=None,
    lora_alpha=None, quantization_config=None]],
  supports_masking = true,
  min_ndim = 2,
})

-- nn_act codes of the fused op; other activations follow as an op of their own.
local fused = {linear = 0, relu = 1, tanh = 3}

function Dense:init(a)
  if math.tointeger(a.units) == nil or a.units <= 0 then
    err.raise("Dense: units is %s, expected an integer above 0", err.show(a.units))
  end
  err.check(not a.lora_rank, "Dense: lora_rank is not supported")
  Layer.init(self, a)
  self.units = math.tointeger(a.units)
  self.use_bias = a.use_bias
  self.activation = require("nnlua.activations").get(a.activation)
  parts.keep(self, a, {"kernel", "bias"})
  local name = require("nnlua.activations").name_of(self.activation)
  self.fused = fused[name] or 0
  self.separate = not fused[name]
end

function Dense:build(input_shape)
  local inputs = input_shape[#input_shape]
  err.check(#input_shape >= 2, "Dense: input %s, expected at least 2 dimensions",
    shapes.text(input_shape, "batch"))
  err.check(inputs, "Dense: the last axis of the input %s is unknown",
    shapes.text(input_shape, "batch"))
  self.kernel = parts.add(self, "kernel", {inputs, self.units})
  if self.use_bias then self.bias = parts.add(self, "bias", {self.units}) end
  self.last_dim = inputs
end

function Dense:call(x)
  local inputs = {x, self.kernel.tensor}
  if self.bias then inputs[3] = self.bias.tensor end
  local y = core.apply("dense", inputs, {self.fused})
  if self.separate then y = self.activation(y) end
  return y
end

function Dense:output_spec(input_shape)
  return {shape = self:compute_output_shape(input_shape), dtype = "float32", leaf = true}
end

function Dense:compute_output_shape(input_shape)
  local shape = table.move(input_shape, 1, #input_shape, 1, {})
  shape[#shape] = self.units
  return shape
end

function Dense:get_config()
  local config = Layer.get_config(self)
  config.lora_alpha = nil
  config.lora_rank = nil
  config.quantization_config = args.None
  return config
end

return Dense
