-- Ops that make fewer elements of many: sums, means, extremes, where they are; running sums.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local tensor, cast = common.tensor, common.cast

local function define(name, text, fn, opts) M[name] = args.fn(name, text, fn, opts) end

-- The axes as bits; nil is all of them.
local function bits(name, axis, n)
  if axis == nil then return -1 end
  local sum = 0
  for _, at in ipairs(common.axes(name, axis, n)) do
    err.check(sum & (1 << at) == 0, "%s: axis %d is given twice", name, at + 1)
    sum = sum | (1 << at)
  end
  return sum
end

local function reduce(name, x, axis, keepdims)
  return core.apply(name, {x}, {bits(name, axis, x.ndim), keepdims and 1 or 0})
end

for name in ("sum mean var std any all logsumexp"):gmatch "%S+" do
  define(name, "x, axis=None, keepdims=False", function(x, axis, keepdims)
    return reduce(name, tensor(x), axis, keepdims)
  end)
end

define("prod", "x, axis=None, keepdims=False, dtype=None", function(x, axis, keepdims, dtype)
  x = tensor(x)
  return reduce("prod", dtype and cast(x, dtype) or x, axis, keepdims)
end)

define("count_nonzero", "x, axis=None", function(x, axis)
  return reduce("count_nonzero", tensor(x), axis)
end)

local function extreme(name, op, pairwise)
  define(name, "x, axis=None, keepdims=False, initial=None", function(x, axis, keepdims, initial)
    local y = reduce(op, tensor(x), axis, keepdims)
    if initial == nil then return y end
    return core.apply(pairwise, {y, common.number_tensor(initial)})
  end)
end
extreme("max", "max", "maximum")
extreme("min", "min", "minimum")

for alias, name in pairs {amax = "max", amin = "min"} do
  define(alias, "x, axis=None, keepdims=False", function(x, axis, keepdims)
    return reduce(name, tensor(x), axis, keepdims)
  end)
end

define("ptp", "x, axis=None, keepdims=False", function(x, axis, keepdims)
  x = tensor(x)
  return reduce("max", x, axis, keepdims) - reduce("min", x, axis, keepdims)
end)

-- Positions count from 1.
local function position(op, x, axis, keepdims)
  local n = x.ndim
  if axis == nil then
    local y = core.apply(op, {common.reshape(x, {-1})}, {0, 0, 1})
    if not keepdims then return y end
    local ones = {}
    for i = 1, n do ones[i] = 1 end
    return common.reshape(y, ones)
  end
  return core.apply(op, {x}, {common.axis(op, axis, n), keepdims and 1 or 0, 1})
end

for _, name in ipairs {"argmax", "argmin"} do
  define(name, "x, axis=None, keepdims=False", function(x, axis, keepdims)
    return position(name, tensor(x), axis, keepdims)
  end)
end

define("average", "x, axis=None, weights=None", function(x, axis, weights)
  x = tensor(x)
  if weights == nil then return reduce("mean", x, axis) end
  x, weights = cast(x, "float32"), cast(tensor(weights), "float32")
  if weights.ndim < x.ndim then
    local at = common.axis("average", axis, x.ndim)
    local shape = {}
    for i = 1, x.ndim do shape[i] = i == at + 1 and -1 or 1 end
    weights = common.reshape(weights, shape)
  end
  local total = reduce("sum", common.broadcast_to(weights, x.shape), axis)
  return core.apply("divide", {reduce("sum", x * weights, axis), total})
end)

-- (mean, population variance)
define("moments", "x, axes, keepdims=False, synchronized=False", function(x, axes, keepdims)
  x = tensor(x)
  return reduce("mean", x, axes, keepdims), reduce("var", x, axes, keepdims)
end)

-- running -----------------------------------------------------------------------------------------

local function running(op, x, axis, dtype)
  x = dtype and cast(x, dtype) or x
  if axis == nil then return core.apply(op, {common.reshape(x, {-1})}, {0}) end
  return core.apply(op, {x}, {common.axis(op, axis, x.ndim)})
end

for _, name in ipairs {"cumsum", "cumprod"} do
  define(name, "x, axis=None, dtype=None", function(x, axis, dtype)
    return running(name, tensor(x), axis, dtype)
  end)
end

-- without NaN -------------------------------------------------------------------------------------

local function replaced(x, value)
  return core.apply("where", {core.apply("isnan", {x}), core.new(value), x})
end

local function present(x, axis, keepdims)
  local is = core.apply("logical_not", {core.apply("isnan", {x})})
  return reduce("sum", cast(is, "float32"), axis, keepdims)
end

-- What has no numbers at all is NaN.
local function or_nan(y, x, axis, keepdims)
  local none = core.apply("equal", {present(x, axis, keepdims), core.new(0)})
  return core.apply("where", {none, core.new(0 / 0), y})
end

local function float(x) return cast(tensor(x), "float32") end

define("nansum", "x, axis=None, keepdims=False", function(x, axis, keepdims)
  return reduce("sum", replaced(float(x), 0), axis, keepdims)
end)

define("nanprod", "x, axis=None, keepdims=False", function(x, axis, keepdims)
  return reduce("prod", replaced(float(x), 1), axis, keepdims)
end)

define("nanmax", "x, axis=None, keepdims=False", function(x, axis, keepdims)
  x = float(x)
  return or_nan(reduce("max", replaced(x, -math.huge), axis, keepdims), x, axis, keepdims)
end)

define("nanmin", "x, axis=None, keepdims=False", function(x, axis, keepdims)
  x = float(x)
  return or_nan(reduce("min", replaced(x, math.huge), axis, keepdims), x, axis, keepdims)
end)

local function nanmean(x, axis, keepdims)
  return reduce("sum", replaced(x, 0), axis, keepdims) / present(x, axis, keepdims)
end

local function nanvar(x, axis, keepdims)
  local d = x - nanmean(x, axis, true)
  return reduce("sum", replaced(d * d, 0), axis, keepdims) / present(x, axis, keepdims)
end

define("nanmean", "x, axis=None, keepdims=False", function(x, axis, keepdims)
  return nanmean(float(x), axis, keepdims)
end)

define("nanvar", "x, axis=None, keepdims=False", function(x, axis, keepdims)
  return nanvar(float(x), axis, keepdims)
end)

define("nanstd", "x, axis=None, keepdims=False", function(x, axis, keepdims)
  return core.apply("sqrt", {nanvar(float(x), axis, keepdims)})
end)

define("nanargmax", "x, axis=None, keepdims=False", function(x, axis, keepdims)
  return position("argmax", replaced(float(x), -math.huge), axis, keepdims)
end)

define("nanargmin", "x, axis=None, keepdims=False", function(x, axis, keepdims)
  return position("argmin", replaced(float(x), math.huge), axis, keepdims)
end)

define("nancumsum", "x, axis=None, dtype=None", function(x, axis, dtype)
  return running("cumsum", replaced(float(x), 0), axis, dtype)
end)

define("nancumprod", "x, axis=None, dtype=None", function(x, axis, dtype)
  return running("cumprod", replaced(float(x), 1), axis, dtype)
end)

return M
