-- Ops on elements: arithmetic, functions of one and of two numbers, comparisons, choices.

local core = require "nnlua.core"
local args = require "nnlua.args"
local common = require "nnlua.ops.common"

local M = {}

local tensor, cast = common.tensor, common.cast

local function define(name, text, fn, opts) M[name] = args.fn(name, text, fn, opts) end
local function float(x) return cast(tensor(x), "float32") end

-- An integer beside an integer tensor is one too.
local function pair(a, b)
  if math.type(a) == "integer" or math.type(b) == "integer" then
    local other = math.type(a) == "integer" and b or a
    if core.is_tensor(other) and other.dtype ~= "float32" then
      return common.number_tensor(a), common.number_tensor(b)
    end
  end
  return tensor(a), tensor(b)
end

-- one input ---------------------------------------------------------------------------------------

for name in ([[abs negative square sign ceil floor trunc reciprocal sqrt rsqrt exp exp2 expm1 log
  log1p log2 log10 cbrt sin cos tan arcsin arccos arctan sinh cosh arcsinh arccosh arctanh erf erfc
  erfinv logical_not isnan isinf isfinite isposinf isneginf signbit]]):gmatch "%S+" do
  define(name, "x", function(x) return core.apply(name, {tensor(x)}) end)
end
M.absolute = M.abs

define("fabs", "x", function(x) return core.apply("abs", {float(x)}) end)

-- Halves go to the even neighbour.
define("round", "x, decimals=0", function(x, decimals)
  x = tensor(x)
  if decimals == 0 then
    return x.dtype == "float32" and core.apply("round", {x}) or x
  end
  local scale = 10.0 ^ decimals
  local y = core.apply("divide", {core.apply("round", {float(x) * scale}), scale})
  return x.dtype == "float32" and y or cast(y, "int32")
end)

local LARGEST = 3.4028234663852886e38

define("nan_to_num", "x, nan=0.0, posinf=None, neginf=None", function(x, nan, posinf, neginf)
  return core.apply("nan_to_num", {tensor(x)}, nil, {nan, posinf or LARGEST, neginf or -LARGEST})
end)

define("deg2rad", "x", function(x) return float(x) * (math.pi / 180) end)
define("rad2deg", "x", function(x) return float(x) * (180 / math.pi) end)

-- sin(pi x) / (pi x), 1 at 0
define("sinc", "x", function(x)
  x = float(x)
  local at_zero = M.equal(x, 0)
  local angle = M.where(at_zero, 1.0, x) * math.pi
  return M.where(at_zero, 1.0, M.sin(angle) / angle)
end)

for name in ("real conj conjugate"):gmatch "%S+" do define(name, "x", tensor) end
define("imag", "x", function(x) return float(x) * 0 end)
define("isreal", "x", function(x)
  return common.broadcast_to(core.new(1, "uint8"), tensor(x).shape)
end)
define("angle", "x", function(x) return M.where(M.less(tensor(x), 0), math.pi, 0.0) end)

-- two inputs --------------------------------------------------------------------------------------

for name in ([[add subtract multiply divide divide_no_nan floor_divide mod fmod power maximum
  minimum arctan2 logaddexp hypot equal not_equal greater greater_equal less less_equal logical_and
  logical_or logical_xor]]):gmatch "%S+" do
  define(name, "x1, x2", function(a, b)
    a, b = pair(a, b)
    return core.apply(name, {a, b})
  end)
end

M.true_divide = args.fn("true_divide", "x1, x2", function(a, b) return M.divide(a, b) end)

local LN2 = math.log(2)

define("logaddexp2", "x1, x2", function(a, b)
  return core.apply("logaddexp", {float(a) * LN2, float(b) * LN2}) / LN2
end)

define("ldexp", "x1, x2", function(a, b)
  return float(a) * core.apply("exp2", {float(b)})
end)

-- Where x1 is 0 the value is x2, else 0 below and 1 above.
define("heaviside", "x1, x2", function(a, b)
  a, b = pair(a, b)
  return M.where(M.equal(a, 0), b, M.greater(a, 0))
end)

-- The one that is a number, where the other is NaN.
local function ignoring_nan(name, plain)
  define(name, "x1, x2", function(a, b)
    a, b = pair(a, b)
    return M.where(M.isnan(a), b, M.where(M.isnan(b), a, core.apply(plain, {a, b})))
  end)
end
ignoring_nan("fmax", "maximum")
ignoring_nan("fmin", "minimum")

define("isclose", "x1, x2, rtol=1e-05, atol=1e-08, equal_nan=False",
  function(a, b, rtol, atol, equal_nan)
    a, b = float(a), float(b)
    local near = M.less_equal(M.abs(a - b), M.abs(b) * rtol + atol)
    near = M.logical_and(near, M.logical_and(M.isfinite(a), M.isfinite(b)))
    local same = M.logical_or(near, M.equal(a, b))
    if not equal_nan then return same end
    return M.logical_or(same, M.logical_and(M.isnan(a), M.isnan(b)))
  end)

-- Choices -----------------------------------------------------------------------------------------

define("where", "condition, x1=None, x2=None", function(condition, a, b)
  if a == nil and b == nil then return require("nnlua.ops").nonzero(condition) end
  a, b = pair(a, b)
  return core.apply("where", {tensor(condition), a, b})
end)

local function bound(v, x, otherwise)
  if v == nil then return core.new(otherwise) end
  local _, t = pair(x, v)
  return t
end

define("clip", "x, x_min, x_max", function(x, low, high)
  x = tensor(x)
  low, high = bound(low, x, -math.huge), bound(high, x, math.huge)
  return core.apply("clip", {x, low, high})
end)

return M
