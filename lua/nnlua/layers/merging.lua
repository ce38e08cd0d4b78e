-- Layers of several inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot,
-- and their functions.

local core = require "nnlua.core"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local shapes = require "nnlua.shapes"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

local function check_list(self, inputs)
  if type(inputs) ~= "table" or core.is_tensor(inputs) or #inputs < 1 then
    err.raise("%s: expected a list of tensors, got %s", self.class_name,
      core.is_tensor(inputs) and "one tensor" or err.show(inputs))
  end
end

-- Elementwise ---------------------------------------------------------------------------------

-- Axes of size 1 behind the batch axis, so that all inputs have one rank.
local function match_ranks(inputs)
  local most = 0
  for _, t in ipairs(inputs) do most = math.max(most, t.ndim) end
  local out = {}
  for i, t in ipairs(inputs) do
    while t.ndim < most do t = ops().expand_dims(t, 2) end
    out[i] = t
  end
  return out
end

local function check_broadcast(self, inputs)
  local a = inputs[1].shape
  for i = 2, #inputs do
    local b = inputs[i].shape
    for k = 1, #b do
      if a[k] ~= b[k] and a[k] ~= 1 and b[k] ~= 1 then
        a[1], b[1] = "batch", "batch"
        err.raise("%s: shapes %s and %s do not fit", self.class_name,
          shapes.text(inputs[1].shape), shapes.text(inputs[i].shape))
      end
    end
  end
end

local function merge_class(name, merge, fields)
  local cls = Layer:extend(name, {args = "", supports_masking = true})
  for key, value in pairs(fields or {}) do cls[key] = value end
  function cls:init(a)
    Layer.init(self, a)
    self.built = true
  end
  function cls:call(inputs)
    check_list(self, inputs)
    local given = {}
    for i, t in ipairs(inputs) do given[i] = mask.get(t) or false end
    inputs = match_ranks(inputs)
    check_broadcast(self, inputs)
    return merge(self, inputs, given)
  end
  M[name] = cls
  return cls
end

local function any_mask(given)
  local out
  for _, m in ipairs(given) do
    if not m then return nil end
    out = out and ops().logical_or(out, m) or m
  end
  return out
end

local function with_mask(y, m)
  if m then mask.set(y, m) end
  return y
end

local function sum(inputs)
  local y = inputs[1]
  for i = 2, #inputs do y = y + inputs[i] end
  return y
end

merge_class("Add", function(_, inputs, given)
  local y = sum(inputs)
  return with_mask(#inputs == 1 and ops().copy(y) or y, any_mask(given))
end)

merge_class("Subtract", function(_, inputs, given)
  if #inputs ~= 2 then err.raise("Subtract: expected 2 inputs, got %d", #inputs) end
  return with_mask(inputs[1] - inputs[2], any_mask(given))
end)

merge_class("Average", function(_, inputs, given)
  return with_mask(sum(inputs) / #inputs, any_mask(given))
end)

local function masked_value(t, m, value)
  if not m then return t end
  while m.ndim < t.ndim do m = ops().expand_dims(m, -1) end
  return ops().where(m, t, value)
end

merge_class("Multiply", function(_, inputs, given)
  local y
  for i, t in ipairs(inputs) do
    t = masked_value(t, given[i], 1)
    y = y and y * t or t
  end
  local m = any_mask(given)
  if m then y = masked_value(y, m, 0) end
  return with_mask(y, m)
end)

local function extreme(name, value)
  return function(_, inputs, given)
    local y
    for i, t in ipairs(inputs) do
      t = masked_value(t, given[i], value)
      y = y and ops()[name](y, t) or t
    end
    return with_mask(y, any_mask(given))
  end
end

merge_class("Maximum", extreme("maximum", -3.4028234663852886e38))
merge_class("Minimum", extreme("minimum", 3.4028234663852886e38))

-- Concatenate ---------------------------------------------------------------------------------

M.Concatenate = Layer:extend("Concatenate", {args = "axis=-1", supports_masking = true})

function M.Concatenate:init(a)
  Layer.init(self, a)
  self.axis = a.axis
  self.built = true
end

local function check_concatenate(self, inputs)
  local first = inputs[1].shape
  local axis = shapes.axis(self.axis, #first)
  if not axis then
    err.raise("Concatenate: axis %d, the inputs have %d axes", self.axis, #first)
  end
  for i = 2, #inputs do
    local s, fits = inputs[i].shape, #inputs[i].shape == #first
    for k = 1, #s do fits = fits and (k == axis or s[k] == first[k]) end
    if not fits then
      first[1], s[1] = false, false
      err.raise("Concatenate: %s and %s differ off the axis %d", shapes.text(first, "batch"),
        shapes.text(s, "batch"), self.axis)
    end
  end
  return axis
end

function M.Concatenate:call(inputs)
  check_list(self, inputs)
  local axis = check_concatenate(self, inputs)
  return ops().concatenate{inputs, axis = axis}
end

function M.Concatenate:compute_mask(inputs)
  local any, list = false, {}
  for i, t in ipairs(inputs) do
    local m = mask.get(t)
    any = any or m
    list[i] = m
  end
  if not any then return nil end
  for i, t in ipairs(inputs) do
    if not list[i] then list[i] = ops().ones({t.shape[1], t.shape[2]}, "uint8") end
    while list[i].ndim < t.ndim do list[i] = ops().expand_dims(list[i], -1) end
    list[i] = ops().broadcast_to(list[i], t.shape)
  end
  return ops().all(ops().concatenate{list, axis = self.axis}, {axis = -1})
end

-- Dot -----------------------------------------------------------------------------------------

-- Contracts axis axes[1] of x with axes[2] of y, row by row (axes count the batch as 1).
M.Dot = Layer:extend("Dot", {args = "axes, normalize=False"})

function M.Dot:init(a)
  Layer.init(self, a)
  self.axes, self.normalize = a.axes, a.normalize
  self.built = true
end

local function last_axis(t, axis)
  local order = {}
  for i = 1, t.ndim do if i ~= axis then order[#order + 1] = i end end
  order[#order + 1] = axis
  return ops().transpose(t, order)
end

function M.Dot:call(inputs)
  check_list(self, inputs)
  if #inputs ~= 2 then err.raise("Dot: expected 2 inputs, got %d", #inputs) end
  local x, y = inputs[1], inputs[2]
  local axes = type(self.axes) == "number" and {self.axes, self.axes} or self.axes
  local ax, ay = shapes.axis(axes[1], x.ndim), shapes.axis(axes[2], y.ndim)
  err.check(ax and ay, "Dot: axes (%d, %d) are outside the inputs' axes", axes[1], axes[2])
  if x.shape[ax] ~= y.shape[ay] then
    err.raise("Dot: axis %d has %d elements, axis %d of the other input %d", ax, x.shape[ax], ay,
      y.shape[ay])
  end
  if self.normalize then
    x, y = ops().normalize{x, axis = ax}, ops().normalize{y, axis = ay}
  end
  x, y = last_axis(x, ax), last_axis(y, ay)
  local xs, ys = x.shape, y.shape
  local n, k = xs[1], xs[#xs]
  local rows = shapes.product(xs, 2) // math.max(k, 1)
  local columns = shapes.product(ys, 2) // math.max(k, 1)
  local product = ops().matmul(ops().reshape(x, {n, rows, k}),
    ops().transpose(ops().reshape(y, {n, columns, k}), {1, 3, 2}))
  local shape = {n}
  for i = 2, #xs - 1 do shape[#shape + 1] = xs[i] end
  for i = 2, #ys - 1 do shape[#shape + 1] = ys[i] end
  if #shape == 1 then shape[2] = 1 end
  return ops().reshape(product, shape)
end

-- Functions: nn.layers.add{{a, b}} builds the layer and calls it.
for name, cls in pairs {add = "Add", subtract = "Subtract", multiply = "Multiply",
  average = "Average", maximum = "Maximum", minimum = "Minimum", concatenate = "Concatenate",
  dot = "Dot"} do
  M[name] = function(inputs, options)
    if type(inputs[1]) == "table" and getmetatable(inputs[1]) == nil then
      options = {}
      for key, value in pairs(inputs) do
        if key ~= 1 then options[key == 2 and 1 or key] = value end
      end
      inputs = inputs[1]
    end
    return M[cls](options or {})(inputs)
  end
end

return M
