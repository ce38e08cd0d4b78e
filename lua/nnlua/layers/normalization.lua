-- Normalizations of each row by itself: LayerNormalization, GroupNormalization, RMSNormalization,
-- UnitNormalization. Mean and variance (population) are over the named axes.

local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local Layer = require "nnlua.layers.layer"
local parts = require "nnlua.layers.parts"

local M = {}

local function ops() return require "nnlua.ops" end

local function float_spec(_, shape) return {shape = shape, dtype = "float32", leaf = true} end

local function as_float(x) return x.dtype == "float32" and x or ops().cast(x, "float32") end

-- The 1-based axes in order, each once.
local function sorted_axes(self, axis, rank)
  local list, seen = type(axis) == "table" and axis or {axis}, {}
  local out = {}
  for _, one in ipairs(list) do
    local at = shapes.axis(one, rank)
    err.check(at, "%s: axis %d, the input has %d axes", self.class_name, one, rank)
    if not seen[at] then out[#out + 1] = at end
    seen[at] = true
  end
  table.sort(out)
  return out
end

-- Sizes of `axes`, 1 elsewhere: the shape in which a weight meets x.
local function broadcast_shape(shape, axes)
  local out = {}
  for i = 1, #shape do out[i] = 1 end
  for _, axis in ipairs(axes) do out[axis] = shape[axis] end
  return out
end

local function sizes_of(self, input_shape, axes)
  local out = {}
  for i, axis in ipairs(axes) do
    out[i] = input_shape[axis]
    err.check(out[i], "%s: axis %d of the input %s is unknown", self.class_name, axis,
      shapes.text(input_shape, "batch"))
  end
  return out
end

local function scale_and_shift(self, y, axes)
  local shape = broadcast_shape(y.shape, axes)
  if self.gamma then y = y * ops().reshape(self.gamma.tensor, shape) end
  if self.beta then y = y + ops().reshape(self.beta.tensor, shape) end
  return y
end

-- LayerNormalization (Ba, Kiros, Hinton 2016) ---------------------------------------------------

M.LayerNormalization = Layer:extend("LayerNormalization", {
  args = [[axis=-1, epsilon=0.001, center=True, scale=True, beta_initializer="zeros",
    gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None,
    beta_constraint=None, gamma_constraint=None]],
  extra_args = setmetatable({rms_scaling = true}, {__index = Layer.extra_args}),
  supports_masking = true, output_spec = float_spec,
})

function M.LayerNormalization:init(a)
  err.check(not a.rms_scaling, "LayerNormalization: rms_scaling is not supported; "
    .. "use RMSNormalization")
  Layer.init(self, a)
  self.axis, self.epsilon, self.center, self.scale = a.axis, a.epsilon, a.center, a.scale
  parts.keep(self, a, {"beta", "gamma"})
end

function M.LayerNormalization:build(input_shape)
  local axes = sorted_axes(self, self.axis, #input_shape)
  if type(self.axis) == "table" then self.axis = axes else self.axis = {axes[1]} end
  rawset(self, "axes", axes)
  local shape = sizes_of(self, input_shape, axes)
  if self.scale then self.gamma = parts.add(self, "gamma", shape) end
  if self.center then self.beta = parts.add(self, "beta", shape) end
end

local function standardize(x, axes, epsilon)
  local mean = ops().mean(x, {axis = axes, keepdims = true})
  local apart = x - mean
  local variance = ops().mean(ops().square(apart), {axis = axes, keepdims = true})
  return apart * ops().rsqrt(variance + epsilon)
end

function M.LayerNormalization:call(x)
  return ops().layer_normalization{as_float(x), self.gamma and self.gamma.tensor,
    beta = self.beta and self.beta.tensor, axis = self.axes, epsilon = self.epsilon}
end

function M.LayerNormalization:get_config()
  local config = Layer.get_config(self)
  config.rms_scaling = false
  return config
end

-- GroupNormalization (Wu, He 2018) ----------------------------------------------------------------

M.GroupNormalization = Layer:extend("GroupNormalization", {
  args = [[groups=32, axis=-1, epsilon=0.001, center=True, scale=True, beta_initializer="zeros",
    gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None,
    beta_constraint=None, gamma_constraint=None]],
  supports_masking = true, output_spec = float_spec,
})

function M.GroupNormalization:init(a)
  if math.tointeger(a.groups) == nil or a.groups < -1 or a.groups == 0 then
    err.raise("GroupNormalization: groups is %s, expected an integer above 0, or -1",
      err.show(a.groups))
  end
  Layer.init(self, a)
  self.groups, self.axis, self.epsilon = a.groups, a.axis, a.epsilon
  self.center, self.scale = a.center, a.scale
  parts.keep(self, a, {"beta", "gamma"})
end

function M.GroupNormalization:build(input_shape)
  local axis = sorted_axes(self, self.axis, #input_shape)[1]
  local channels = sizes_of(self, input_shape, {axis})[1]
  if self.groups == -1 then self.groups = channels end
  if channels < self.groups then
    err.raise("GroupNormalization: %d groups, the input has %d channels", self.groups, channels)
  elseif channels % self.groups ~= 0 then
    err.raise("GroupNormalization: %d channels do not divide into %d groups", channels, self.groups)
  end
  if self.scale then self.gamma = parts.add(self, "gamma", {channels}) end
  if self.center then self.beta = parts.add(self, "beta", {channels}) end
end

function M.GroupNormalization:call(x)
  x = as_float(x)
  local shape, axis = x.shape, shapes.axis(self.axis, x.ndim)
  local split, axes = {}, {}
  for i = 1, #shape do
    if i == axis then
      split[#split + 1] = self.groups
      split[#split + 1] = shape[i] // self.groups
    else
      split[#split + 1] = shape[i]
    end
  end
  for i = 2, #split do if i ~= axis then axes[#axes + 1] = i end end
  local y = standardize(ops().reshape(x, split), axes, self.epsilon)
  return scale_and_shift(self, ops().reshape(y, shape), {axis})
end

-- RMSNormalization (Zhang, Sennrich 2019) --------------------------------------------------------

M.RMSNormalization = Layer:extend("RMSNormalization", {
  args = "axis=-1, epsilon=1e-06", output_spec = float_spec,
})

function M.RMSNormalization:init(a)
  Layer.init(self, a)
  self.axis, self.epsilon = a.axis, a.epsilon
end

function M.RMSNormalization:build(input_shape)
  local axes = sorted_axes(self, self.axis, #input_shape)
  rawset(self, "axes", axes)
  self.scale = self:add_weight{name = "scale", shape = sizes_of(self, input_shape, axes),
    initializer = "ones"}
end

function M.RMSNormalization:call(x)
  return ops().rms_normalization{as_float(x), self.scale.tensor, axis = self.axes,
    epsilon = self.epsilon}
end

-- UnitNormalization -------------------------------------------------------------------------------

M.UnitNormalization = Layer:extend("UnitNormalization", {
  args = "axis=-1", supports_masking = true, output_spec = float_spec,
})

function M.UnitNormalization:init(a)
  Layer.init(self, a)
  self.axis = a.axis
  self.built = true
end

function M.UnitNormalization:call(x)
  x = as_float(x)
  local axes = sorted_axes(self, self.axis, x.ndim)
  local square = ops().sum(ops().square(x), {axis = axes, keepdims = true})
  return x * ops().minimum(ops().rsqrt(square), 1e12)
end

return M
