-- Pooling over one to three axes: windows, all of the axes (Global...), or a fixed number of cells
-- (Adaptive...).

local core = require "nnlua.core"
local args = require "nnlua.args"
local mask = require "nnlua.mask"
local window = require "nnlua.layers.window"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

local function ones(rank)
  local list = {}
  for i = 1, rank do list[i] = 1 end
  return list
end

local op_of = {Max = "max_pool", Average = "avg_pool"}

-- Windows -----------------------------------------------------------------------------------------

local function pool_class(kind, rank, default)
  local name = ("%sPooling%dD"):format(kind, rank)
  local cls = Layer:extend(name, {
    args = ([[pool_size%s, strides=None, padding="valid", data_format=None, name=None]])
      :format(kind == "Max" and "=" .. default or ""),
    rank = rank, window_name = "window",
  })

  function cls:init(a)
    Layer.init(self, a)
    self.ndim = rank + 2
    self.pool_size = window.sizes(self, "pool_size", a.pool_size, rank)
    local strides = a.strides == nil and a.pool_size or a.strides
    self.strides = window.sizes(self, "strides", strides, rank)
    self.padding = window.padding(self, a.padding)
    self.data_format = window.data_format(self, a.data_format)
    self.built = true
  end

  function cls:call(x)
    x = window.to_last(self, x)
    local shape, one = x.shape, ones(rank)
    local before, after = window.pads(self.padding, shape, self.pool_size, self.strides, one)
    window.check_fit(self, shape, self.pool_size, one, before, after)
    local ints = window.ints(rank, self.strides, one, before, after)
    for i = 1, 3 do ints[13 + i] = self.pool_size[i] or 1 end
    return window.from_last(self, core.apply(op_of[kind], {x}, ints))
  end

  M[name] = cls
  M[("%sPool%dD"):format(kind == "Max" and "Max" or "Avg", rank)] = cls
end

-- All of the axes ---------------------------------------------------------------------------------

local function global_class(kind, rank)
  local name = ("Global%sPooling%dD"):format(kind, rank)
  local cls = Layer:extend(name, {
    args = "data_format=None, keepdims=False", rank = rank,
    supports_masking = name == "GlobalAveragePooling1D",
  })

  function cls:init(a)
    Layer.init(self, a)
    self.ndim = rank + 2
    self.data_format = window.data_format(self, a.data_format)
    self.keepdims = a.keepdims
    self.built = true
  end

  local function axes_of(self)
    local list = {}
    for i = 1, rank do list[i] = i + (self.data_format == "channels_first" and 2 or 1) end
    return list
  end

  function cls:call(x, ctx)
    local axes, options = axes_of(self), {keepdims = self.keepdims}
    options.axis = axes
    if kind == "Max" then return ops().max(x, options) end
    local m = ctx.mask
    if m == nil then m = mask.get(x) end
    if not m or m == args.None or not self.supports_masking then return ops().mean(x, options) end
    local axis = self.data_format == "channels_first" and 2 or 3
    local weight = ops().expand_dims(ops().cast(mask.tensor(m), "float32"), axis)
    return ops().sum(x * weight, options) / ops().sum(weight, options)
  end

  -- Steps are gone: no mask goes on.
  function cls.compute_mask() return nil end

  M[name] = cls
  M[("Global%sPool%dD"):format(kind == "Max" and "Max" or "Avg", rank)] = cls
end

-- A fixed number of cells -------------------------------------------------------------------------

local function adaptive_class(kind, rank)
  local name = ("Adaptive%sPooling%dD"):format(kind, rank)
  local cls = Layer:extend(name, {args = "output_size, data_format=None", rank = rank})

  function cls:init(a)
    Layer.init(self, a)
    self.ndim = rank + 2
    self.output_size = window.sizes(self, "output_size", a.output_size, rank)
    self.data_format = window.data_format(self, a.data_format)
    self.built = true
  end

  function cls:call(x)
    x = window.to_last(self, x)
    local ints = window.ints(rank, {}, {}, {}, {})
    for i = 1, 3 do
      ints[13 + i] = 1
      ints[17 + i] = self.output_size[i] or 1
    end
    ints[17] = 1
    return window.from_last(self, core.apply(op_of[kind], {x}, ints))
  end

  M[name] = cls
end

for rank, default in ipairs {"2", "(2, 2)", "(2, 2, 2)"} do
  for _, kind in ipairs {"Max", "Average"} do
    pool_class(kind, rank, default)
    global_class(kind, rank)
    adaptive_class(kind, rank)
  end
end

return M
