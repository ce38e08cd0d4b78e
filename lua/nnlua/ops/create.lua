-- Ops that make tensors from numbers, and conversions. What they give is a constant where a call is
-- traced, except where an argument is traced.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local tensor = common.tensor

local function define(name, text, fn, opts) M[name] = args.fn(name, text, fn, opts) end

local function check_dtype(op, dtype)
  if dtype == "bool" then return "uint8" end
  if dtype then common.dtype_number(op, dtype) end
  return dtype
end

-- filled -----------------------------------------------------------------------------------------

local function full(op, shape, value, dtype)
  shape, dtype = common.shape(op, shape), check_dtype(op, dtype)
  if type(value) == "number" or type(value) == "boolean" then
    if type(value) == "boolean" then value = value and 1 or 0 end
    return core.full(shape, value, dtype or "float32")
  end
  value = tensor(value)
  return common.broadcast_to(common.cast(value, dtype or value.dtype), shape)
end

define("full", "shape, fill_value, dtype=None", function(shape, value, dtype)
  return full("full", shape, value, dtype)
end)
-- {2, 3}: integers in positions, at most a dtype by name.
local function is_shape(v)
  if not args.is_record(v) then return false end
  for key, item in pairs(v) do
    if math.type(key) == "integer" then
      if math.type(item) ~= "integer" then return false end
    elseif key ~= "dtype" then
      return false
    end
  end
  return true
end

-- zeros{2, 3} takes the shape itself; zeros{{2, 3}, "int32"} and zeros{shape=, dtype=} work too.
for name, value in pairs {zeros = 0, ones = 1, empty = 0} do
  local fn = args.fn(name, "shape, dtype=None", function(shape, dtype)
    return full(name, shape, value, dtype)
  end)
  M[name] = function(shape, ...)
    if not is_shape(shape) then return fn(shape, ...) end
    return fn{table.move(shape, 1, #shape, 1, {}), dtype = ... or shape.dtype}
  end
end

local function like(name, value)
  define(name, "x, dtype=None", function(x, dtype)
    x = tensor(x)
    return full(name, x.shape, value, dtype or x.dtype)
  end)
end

like("zeros_like", 0)
like("ones_like", 1)
like("empty_like", 0)

define("full_like", "x, fill_value, dtype=None", function(x, value, dtype)
  x = tensor(x)
  return full("full_like", x.shape, value, dtype or x.dtype)
end)

-- diagonals --------------------------------------------------------------------------------------

local function matrix(op, rows, columns, dtype, one)
  rows = common.integer(op, "N", rows, 0)
  columns = columns and common.integer(op, "M", columns, 0) or rows
  local t = core.full({rows, columns}, 0, check_dtype(op, dtype) or "float32")
  for i = 1, rows do
    local r = columns > 0 and t[i]
    local from, to = one(i, columns)
    for j = math.max(from, 1), math.min(to, columns) do r[j] = 1 end
  end
  return t
end

local function eye(op, rows, columns, k, dtype)
  common.integer(op, "k", k)
  return matrix(op, rows, columns, dtype, function(i) return i + k, i + k end)
end

define("eye", "N, M=None, k=0, dtype=None", function(rows, columns, k, dtype)
  return eye("eye", rows, columns, k, dtype)
end)
define("identity", "n, dtype=None", function(n, dtype) return eye("identity", n, nil, 0, dtype) end)
define("tri", "N, M=None, k=0, dtype=None", function(rows, columns, k, dtype)
  common.integer("tri", "k", k)
  return matrix("tri", rows, columns, dtype, function(i) return 1, i + k end)
end)

-- ranges -----------------------------------------------------------------------------------------

local function number(op, name, v)
  if core.is_tensor(v) and not core.is_traced(v) then v = core.item(v) end
  if type(v) ~= "number" then
    err.raise("%s: %s is %s, expected a number", op, name, err.show(v))
  end
  return v
end

define("arange", "start, stop=None, step=None, dtype=None", function(start, stop, step, dtype)
  start = number("arange", "start", start)
  if stop == nil then start, stop = 0, start end
  stop = number("arange", "stop", stop)
  step = step and number("arange", "step", step) or 1
  if step == 0 then err.raise("arange: step is 0, expected another number") end
  local whole = math.type(start) == "integer" and math.type(stop) == "integer"
    and math.type(step) == "integer"
  local n = math.max(math.ceil((stop - start) / step), 0)
  dtype = check_dtype("arange", dtype) or (whole and "int32" or "float32")
  return core.arange(n, start, step, dtype)
end)

-- start + (stop - start) * k / n along a new axis; tensors broadcast against each other.
local function linspace(op, start, stop, num, endpoint, axis)
  num = common.integer(op, "num", num, 0)
  local steps = endpoint and num - 1 or num
  local a, b = tensor(start), tensor(stop)
  a, b = common.cast(a, "float32"), common.cast(b, "float32")
  local delta = b - a
  local rank = delta.ndim + 1
  local at = common.axis(op, axis, rank)
  local grid, shape = {}, delta.shape
  for i = 1, rank do grid[i] = i == at + 1 and num or 1 end
  table.insert(shape, at + 1, 1)
  local ks = core.reshape(core.arange(num, 0, 1, "float32"), grid)
  local step = delta / math.max(steps, 1)
  local low = common.broadcast_to(a, delta.shape)
  local y = common.reshape(low, shape) + common.reshape(step, shape) * ks
  if endpoint and num > 1 then -- the last one is exact
    local high = common.reshape(common.broadcast_to(b, delta.shape), shape)
    y = common.concat({common.part(y, at, 0, num - 1), high}, at)
  end
  return y, step
end

define("linspace",
  "start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=1",
  function(start, stop, num, endpoint, retstep, dtype, axis)
    local y, step = linspace("linspace", start, stop, num, endpoint, axis)
    if dtype then y = common.cast(y, check_dtype("linspace", dtype)) end
    if retstep then return y, step end
    return y
  end)

local function power(base, x) return require("nnlua.ops").power(base, x) end

define("logspace", "start, stop, num=50, endpoint=True, base=10, dtype=None, axis=1",
  function(start, stop, num, endpoint, base, dtype, axis)
    local y = power(base, (linspace("logspace", start, stop, num, endpoint, axis)))
    return dtype and common.cast(y, check_dtype("logspace", dtype)) or y
  end)

define("geomspace", "start, stop, num=50, endpoint=True, dtype=None, axis=1",
  function(start, stop, num, endpoint, dtype, axis)
    local ops = require "nnlua.ops"
    local sign = ops.sign(tensor(start))
    local low, high = ops.log10(ops.abs(tensor(start))), ops.log10(ops.abs(tensor(stop)))
    local y = sign * power(10, (linspace("geomspace", low, high, num, endpoint, axis)))
    return dtype and common.cast(y, check_dtype("geomspace", dtype)) or y
  end)

-- windows ----------------------------------------------------------------------------------------

local function window(name, weight)
  define(name, "x", function(x)
    local n = common.integer(name, "x", core.is_tensor(x) and core.item(x) or x, 0)
    local list = {}
    for k = 0, n - 1 do list[k + 1] = n == 1 and 1 or weight(k, n - 1) end
    return n == 0 and core.full({0}, 0) or core.new(list, "float32")
  end)
end

local function turn(k, n) return 2 * math.pi * k / n end

window("bartlett", function(k, n) return 1 - math.abs(2 * k / n - 1) end)
window("hanning", function(k, n) return 0.5 - 0.5 * math.cos(turn(k, n)) end)
window("hamming", function(k, n) return 0.54 - 0.46 * math.cos(turn(k, n)) end)
window("blackman", function(k, n)
  return 0.42 - 0.5 * math.cos(turn(k, n)) + 0.08 * math.cos(2 * turn(k, n))
end)

-- The modified Bessel function of order 0, by its power series.
local function bessel0(x)
  local term, sum, k = 1.0, 1.0, 0
  repeat
    k = k + 1
    term = term * (x / (2 * k)) ^ 2
    sum = sum + term
  until term < sum * 1e-17
  return sum
end

define("kaiser", "x, beta", function(x, beta)
  local n = common.integer("kaiser", "x", core.is_tensor(x) and core.item(x) or x, 0)
  beta = number("kaiser", "beta", beta)
  local list = {}
  for k = 0, n - 1 do
    local r = n == 1 and 0 or 2 * k / (n - 1) - 1
    list[k + 1] = bessel0(beta * math.sqrt(math.max(1 - r * r, 0))) / bessel0(beta)
  end
  return n == 0 and core.full({0}, 0) or core.new(list, "float32")
end)

-- conversions ------------------------------------------------------------------------------------

define("cast", "x, dtype", function(x, dtype)
  x = tensor(x)
  if dtype == "bool" then return require("nnlua.ops").not_equal(x, 0) end
  return core.apply("cast", {x}, {common.dtype_number("cast", dtype)})
end)

define("saturate_cast", "x, dtype", function(x, dtype)
  return core.apply("cast", {tensor(x)}, {common.dtype_number("saturate_cast", dtype)})
end)

-- As nn.tensor: a table is the data itself, or {data, dtype=} when a dtype is named.
local function converter(name)
  M[name] = function(x, dtype)
    if args.is_record(x) and x.dtype then x, dtype = x[1] or x.x, x.dtype end
    if type(x) == "table" and x.__keras_tensor then return dtype and M.cast(x, dtype) or x end
    dtype = check_dtype(name, dtype)
    x = common.number_tensor(x)
    return dtype and common.cast(x, dtype) or x
  end
end

converter "array"
converter "convert_to_tensor"

--- The values as nested Lua tables, or a number.
define("convert_to_numpy", "x", function(x)
  x = tensor(x)
  common.eager_only("convert_to_numpy", x)
  return core.totable(x)
end)

define("copy", "x", function(x) return core.apply("copy", {tensor(x)}) end)
define("stop_gradient", "variable", function(x) return core.apply("stop_gradient", {tensor(x)}) end)
common.inspect(M, "dtype", function(x) return x.dtype end)

function M.is_tensor(x) return core.is_tensor(x) end

return M
