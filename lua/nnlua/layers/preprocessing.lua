-- Preprocessing of numbers: Normalization and Rescaling.

local core = require "nnlua.core"
local args = require "nnlua.args"
local categorical = require "nnlua.layers.categorical"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

local function float_spec(_, shape) return {shape = shape, dtype = "float32", leaf = true} end

-- Normalization -----------------------------------------------------------------------------------

-- y = (x - mean) / max(sqrt(variance), 1e-7) with statistics for each index of `axis` (none: one
-- for all numbers), given or adapted to data. invert: mean + x max(sqrt(variance), 1e-7).
M.Normalization = Layer:extend("Normalization", {
  args = "axis=-1, mean=None, variance=None, invert=False", supports_masking = true,
  output_spec = float_spec,
})

function M.Normalization:init(a)
  if (a.mean == nil) ~= (a.variance == nil) then
    err.raise("Normalization: mean and variance are given together or not at all")
  end
  Layer.init(self, a)
  local axis = a.axis
  self.axis = type(axis) == "number" and {axis} or axis or {}
  self.mean, self.variance, self.invert = a.mean, a.variance, a.invert
  rawset(self, "given", a.mean ~= nil)
end

local function axes_of(self, rank)
  local kept = {}
  for i, axis in ipairs(self.axis) do
    kept[i] = shapes.axis(axis, rank)
    err.check(kept[i], "Normalization: axis %d, the input has %d axes", axis, rank)
  end
  table.sort(kept)
  return kept
end

-- The statistics, shaped to meet the input.
local function finish(self)
  local mean, variance = self.adapted_mean, self.adapted_variance
  if mean then mean, variance = mean.tensor, variance.tensor end
  if self.given then mean, variance = core.new(self.mean), core.new(self.variance) end
  local function shaped(t)
    if t.size == 1 then return core.reshape(t, self.meeting_shape_of_one) end
    return core.reshape(t, self.meeting_shape)
  end
  rawset(self, "center", core.astype(shaped(mean)))
  rawset(self, "spread", ops().maximum(ops().sqrt(core.astype(shaped(variance))), 1e-7))
end

function M.Normalization:build(input_shape)
  local kept, sizes, meeting, one = axes_of(self, #input_shape), {}, {}, {}
  for i = 1, #input_shape do meeting[i], one[i] = 1, 1 end
  for i, axis in ipairs(kept) do
    err.check(input_shape[axis], "Normalization: axis %d of the input %s is unknown", axis,
      shapes.text(input_shape, "batch"))
    sizes[i], meeting[axis] = input_shape[axis], input_shape[axis]
  end
  rawset(self, "rank", #input_shape)
  rawset(self, "meeting_shape", meeting)
  rawset(self, "meeting_shape_of_one", one)
  if not self.given then
    self.adapted_mean = self:add_weight{name = "mean", shape = sizes, initializer = "zeros",
      trainable = false}
    self.adapted_variance = self:add_weight{name = "variance", shape = sizes, initializer = "ones",
      trainable = false}
    self.count = self:add_weight{name = "count", shape = {}, dtype = "int32",
      initializer = core.new(0, "int32"), trainable = false}
  end
end

-- Mean and population variance over all axes that are not kept, and the number of rows.
local function moments(x, kept)
  local keep, axes = {}, {}
  for _, axis in ipairs(kept) do keep[axis] = true end
  for i = 1, x.ndim do if not keep[i] then axes[#axes + 1] = i end end
  local mean = ops().mean(x, {axis = axes, keepdims = true})
  local variance = ops().mean(ops().square(x - mean), {axis = axes})
  return ops().reshape(mean, variance.shape), variance
end

-- Joins what was seen before with a batch of `rows` rows.
local function merge(seen, mean, variance, rows)
  if not seen then return {mean = mean, variance = variance, rows = rows} end
  local weight = rows / (rows + seen.rows)
  local joined = mean * weight + seen.mean * (1 - weight)
  local spread = (variance + ops().square(mean - joined)) * weight
    + (seen.variance + ops().square(seen.mean - joined)) * (1 - weight)
  return {mean = joined, variance = spread, rows = rows + seen.rows}
end

--- Sets mean and variance to those of the data; replaces earlier ones.
---@param data nn.Tensor|table an array with its rows first, or batches
function M.Normalization:adapt(data)
  if self.given then
    err.raise("Normalization: adapt cannot change a mean and variance that were given")
  end
  local seen
  core.paused(function()
    categorical.each_batch(data, function(batch)
      local x = core.is_tensor(batch) and batch or core.new(batch)
      if x.ndim == 1 and #self.axis > 0 then x = core.reshape(x, {x.size, 1}) end
      self:ensure_built(shapes.with_batch(table.move(x.shape, 2, x.ndim, 1, {})))
      local mean, variance = moments(x, axes_of(self, x.ndim))
      seen = merge(seen, mean, variance, x.shape[1])
    end, "Normalization: adapt")
  end)
  err.check(seen, "Normalization: adapt got no data")
  self.adapted_mean:assign(ops().reshape(seen.mean, self.adapted_mean.shape))
  self.adapted_variance:assign(ops().reshape(seen.variance, self.adapted_variance.shape))
end

function M.Normalization:call(x)
  if x.dtype ~= "float32" then x = ops().cast(x, "float32") end
  core.paused(finish, self)
  if self.invert then return x * self.spread + self.center end
  return (x - self.center) / self.spread
end

function M.Normalization:get_config()
  local config = Layer.get_config(self)
  config.mean = self.mean == nil and args.None or self.mean
  config.variance = self.variance == nil and args.None or self.variance
  return config
end

-- Rescaling ---------------------------------------------------------------------------------------

-- y = x scale + offset; scale and offset are numbers, or lists that meet the last axis.
M.Rescaling = Layer:extend("Rescaling", {
  args = "scale, offset=0.0", supports_masking = true, output_spec = float_spec,
})

function M.Rescaling:init(a)
  for _, name in ipairs {"scale", "offset"} do
    if type(a[name]) ~= "number" and type(a[name]) ~= "table" and not core.is_tensor(a[name]) then
      err.raise("Rescaling: %s is %s, expected a number or a list", name, err.show(a[name]))
    end
  end
  Layer.init(self, a)
  self.scale, self.offset = a.scale, a.offset
  self.built = true
end

function M.Rescaling:call(x)
  if x.dtype ~= "float32" then x = ops().cast(x, "float32") end
  return x * core.new(self.scale) + core.new(self.offset)
end

return M
