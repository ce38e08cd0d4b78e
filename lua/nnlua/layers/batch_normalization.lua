-- BatchNormalization (Ioffe, Szegedy 2015): in training with the batch's own mean and variance,
-- else with their moving averages; with renorm corrected towards the averages (Ioffe 2017).

local args = require "nnlua.args"
local core = require "nnlua.core"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local shapes = require "nnlua.shapes"
local Layer = require "nnlua.layers.layer"
local parts = require "nnlua.layers.parts"

local function ops() return require "nnlua.ops" end

local BatchNormalization = Layer:extend("BatchNormalization", {
  args = [[axis=-1, momentum=0.99, epsilon=0.001, center=True, scale=True,
    beta_initializer="zeros", gamma_initializer="ones", moving_mean_initializer="zeros",
    moving_variance_initializer="ones", beta_regularizer=None, gamma_regularizer=None,
    beta_constraint=None, gamma_constraint=None, renorm=False, renorm_clipping=None,
    renorm_momentum=0.99, synchronized=False]],
  supports_masking = true,
})

local clipping_keys = {rmin = true, rmax = true, dmax = true}

local function check_clipping(clipping)
  for key in pairs(clipping or {}) do
    if not clipping_keys[key] then
      err.raise("BatchNormalization: renorm_clipping has the key '%s', expected rmin, rmax, dmax",
        tostring(key))
    end
  end
end

function BatchNormalization:init(a)
  if math.tointeger(a.axis) == nil then
    err.raise("BatchNormalization: axis is %s, expected an integer", err.show(a.axis))
  end
  check_clipping(a.renorm_clipping)
  Layer.init(self, a)
  for _, name in ipairs {"axis", "momentum", "epsilon", "center", "scale", "renorm",
    "renorm_clipping", "renorm_momentum", "synchronized"} do
    self[name] = a[name]
  end
  parts.keep(self, a, {"beta", "gamma"})
  for _, key in ipairs {"moving_mean_initializer", "moving_variance_initializer"} do
    self[key] = require("nnlua.initializers").get(a[key], self.class_name)
  end
end

local function state(self, name, shape, initializer)
  return self:add_weight{name = name, shape = shape, initializer = initializer, trainable = false}
end

local function build_renorm(self, shape)
  local deviation = ops().sqrt(self.moving_variance.tensor)
  self.moving_stddev = state(self, "moving_stddev", shape, deviation)
  self.renorm_mean = state(self, "renorm_mean", shape, self.moving_mean_initializer)
  self.renorm_stddev = state(self, "renorm_stddev", shape, deviation)
end

function BatchNormalization:build(input_shape)
  local axis = shapes.axis(self.axis, #input_shape)
  err.check(axis, "BatchNormalization: axis %d, the input %s has %d axes", self.axis,
    shapes.text(input_shape, "batch"), #input_shape)
  err.check(input_shape[axis], "BatchNormalization: axis %d of the input %s is unknown", self.axis,
    shapes.text(input_shape, "batch"))
  local shape = {input_shape[axis]}
  rawset(self, "rank", #input_shape)
  rawset(self, "channels", shape[1])
  if self.scale then self.gamma = parts.add(self, "gamma", shape) end
  if self.center then self.beta = parts.add(self, "beta", shape) end
  self.moving_mean = state(self, "moving_mean", shape, self.moving_mean_initializer)
  self.moving_variance = state(self, "moving_variance", shape, self.moving_variance_initializer)
  if self.renorm then build_renorm(self, shape) end
end

function BatchNormalization:check_inputs(x)
  local shape = x.shape
  local axis = shapes.axis(self.axis, #shape)
  if #shape == self.rank and axis and shape[axis] == self.channels then return end
  err.raise("layer '%s' (BatchNormalization): input %s, expected %d dimensions with %d on axis %d",
    self.name, shapes.text(shape), self.rank, self.channels, self.axis)
end

-- Mean and variance over the real steps alone; the mask has one axis less than x.
local function masked_moments(x, m, axes)
  local weight = ops().expand_dims(ops().cast(m, "float32"), -1)
  local weighted = x * weight
  local real = ops().sum(ops().broadcast_to(weight, x.shape), {axis = axes, keepdims = true}) + 1e-7
  local mean = ops().sum(weighted, {axis = axes, keepdims = true}) / real
  local apart = ops().square(weighted - mean) * weight
  local variance = ops().sum(apart, {axis = axes, keepdims = true}) / real
  return ops().reshape(mean, {-1}), ops().reshape(variance, {-1})
end

local function moments(self, x, m)
  local axis, axes = shapes.axis(self.axis, x.ndim), {}
  for i = 1, x.ndim do if i ~= axis then axes[#axes + 1] = i end end
  if m then
    if m.ndim ~= x.ndim - 1 then
      err.raise("BatchNormalization: mask has %d dimensions, expected %d", m.ndim, x.ndim - 1)
    end
    return masked_moments(x, m, axes)
  end
  return ops().mean(x, {axis = axes}), ops().var(x, {axis = axes})
end

local function average(variable, value, momentum)
  variable:assign(variable.tensor * momentum + value * (1 - momentum))
end

-- The corrections r and d: constants for the gradient.
local function corrections(self, mean, deviation)
  local clip = self.renorm_clipping or {}
  local known = ops().maximum(self.renorm_stddev.tensor, math.sqrt(self.epsilon))
  local r, d = deviation / known, (mean - self.renorm_mean.tensor) / known
  if clip.rmin then r = ops().maximum(r, clip.rmin) end
  if clip.rmax then r = ops().minimum(r, clip.rmax) end
  if clip.dmax then d = ops().clip(d, -clip.dmax, clip.dmax) end
  return ops().stop_gradient(r), ops().stop_gradient(d)
end

local function renormalize(self, mean, variance, gamma, beta)
  local deviation = ops().sqrt(variance + self.epsilon)
  local r, d = corrections(self, mean, deviation)
  average(self.renorm_mean, mean, self.renorm_momentum)
  average(self.renorm_stddev, deviation, self.renorm_momentum)
  average(self.moving_mean, mean, self.momentum)
  local moving = self.moving_stddev.tensor * self.momentum + deviation * (1 - self.momentum)
  self.moving_stddev:assign(moving)
  self.moving_variance:assign(ops().relu(ops().square(moving) - self.epsilon))
  local offset = gamma and d * gamma or d
  return gamma and r * gamma or r, beta and offset + beta or offset
end

-- x scale + offset with one scale and offset a channel.
local function normalize(self, x, mean, variance, gamma, beta)
  local shape = {}
  for i = 1, x.ndim do shape[i] = 1 end
  shape[shapes.axis(self.axis, x.ndim)] = -1
  local scale = ops().rsqrt(variance + self.epsilon)
  if gamma then scale = scale * gamma end
  local offset = beta and beta - mean * scale or -(mean * scale)
  return x * ops().reshape(scale, shape) + ops().reshape(offset, shape)
end

-- Statistics, y and their gradients in one op, where the channels stand last.
local function train(self, x, gamma, beta)
  local inputs = {x}
  if gamma then inputs[2] = gamma end
  if beta then inputs[#inputs + 1] = beta end
  local y, mean, variance = core.apply("batch_norm", inputs,
    {(gamma and 1 or 0) + (beta and 2 or 0)}, {self.epsilon})
  average(self.moving_mean, mean, self.momentum)
  average(self.moving_variance, variance, self.momentum)
  return y
end

function BatchNormalization:call(x, ctx)
  if x.dtype ~= "float32" then x = ops().cast(x, "float32") end
  local gamma, beta = self.gamma and self.gamma.tensor, self.beta and self.beta.tensor
  local mean, variance = self.moving_mean.tensor, self.moving_variance.tensor
  if ctx.training and self.is_trainable then
    local m = ctx.mask
    if m == nil then m = mask.get(x) end
    if m == args.None then m = nil end
    if not m and not self.renorm and shapes.axis(self.axis, x.ndim) == x.ndim then
      return train(self, x, gamma, beta)
    end
    mean, variance = moments(self, x, m and mask.tensor(m))
    if self.renorm then
      gamma, beta = renormalize(self, mean, variance, gamma, beta)
    else
      average(self.moving_mean, mean, self.momentum)
      average(self.moving_variance, variance, self.momentum)
    end
  end
  return normalize(self, x, mean, variance, gamma, beta)
end

function BatchNormalization:output_spec(shape)
  return {shape = shape, dtype = "float32", leaf = true}
end

return BatchNormalization
