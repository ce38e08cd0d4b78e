-- Order statistics, counting, differences and products that are made of other ops.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local tensor, reshape, part = common.tensor, common.reshape, common.part

local function ops() return require "nnlua.ops" end

local function define(name, text, fn) M[name] = args.fn(name, text, fn) end

define("allclose", "x1, x2, rtol=1e-05, atol=1e-08, equal_nan=False",
  function(x1, x2, rtol, atol, equal_nan)
    return ops().all(ops().isclose{x1, x2, rtol, atol, equal_nan})
  end)

-- quantiles --------------------------------------------------------------------------------------

-- x with the axes to look at joined into the last one; the shape of the others, and with them kept.
local function reduced(op, x, axis)
  local shape, away, order = x.shape, {}, {}
  local axes = {}
  if axis == nil then
    for i = 1, #shape do axes[i] = i - 1 end
  else
    axes = common.axes(op, axis, #shape)
  end
  for _, a in ipairs(axes) do away[a] = true end
  local rest, kept, n = {}, {}, 1
  for i, size in ipairs(shape) do
    if away[i - 1] then
      n, kept[i] = n * size, 1
    else
      rest[#rest + 1], kept[i] = size, size
      order[#order + 1] = i - 1
    end
  end
  for i = 0, #shape - 1 do if away[i] then order[#order + 1] = i end end
  local last = table.move(rest, 1, #rest, 1, {})
  last[#last + 1] = n
  x = #shape > 0 and core.apply("transpose", {x}, order) or x
  return reshape(x, last), rest, kept, n
end

-- Which two sorted elements (places from 0) and how far between them.
local methods = {
  linear = function(at) return math.floor(at), math.ceil(at), at - math.floor(at) end,
  lower = function(at) return math.floor(at), math.floor(at), 0 end,
  higher = function(at) return math.ceil(at), math.ceil(at), 0 end,
  midpoint = function(at)
    local low, high = math.floor(at), math.ceil(at)
    return low, high, low == high and 0 or 0.5
  end,
  nearest = function(at)
    local low = math.floor(at)
    local half = at - low == 0.5
    local near = half and low + low % 2 or math.floor(at + 0.5) -- half to even
    return near, near, 0
  end,
}

local function between(sorted, axis, q, n, method)
  local low, high, t = methods[method](q * (n - 1))
  local a = part(sorted, axis, low, 1)
  if t == 0 then return a end
  return a * (1 - t) + part(sorted, axis, high, 1) * t
end

local function one_quantile(sorted, q, n, method)
  local axis = sorted.ndim - 1
  local y = between(sorted, axis, q, n, method)
  local last = part(sorted, axis, n - 1, 1) -- NaN stands last: then the result is NaN
  return ops().where(ops().isnan(last), last, y)
end

-- NaN left out: the number of elements differs from row to row.
local function one_nanquantile(sorted, q, _, method)
  local axis, o = sorted.ndim - 1, ops()
  local count = o.sum(common.cast(o.logical_not(o.isnan(sorted)), "float32"),
    {axis = -1, keepdims = true})
  local at = o.maximum((count - 1) * q, 0)
  local low, high = o.floor(at), o.ceil(at)
  local t = at - low
  if method == "lower" then high = low
  elseif method == "higher" then low = high
  elseif method == "midpoint" then t = o.cast(o.not_equal(low, high), "float32") * 0.5
  elseif method == "nearest" then
    low = o.round(at)
    high = low
  end
  if low == high then t = 0 end
  local function at_place(p)
    return core.apply("take_along_axis", {sorted, common.cast(p, "int32")}, {axis, 0})
  end
  return at_place(low) * (1 - t) + at_place(high) * t
end

local function quantile(op, pick, x, q, axis, method, keepdims)
  x = common.cast(tensor(x), "float32")
  if not methods[method] then
    err.raise("%s: method is '%s', expected linear, lower, higher, midpoint or nearest", op,
      tostring(method))
  end
  if core.is_tensor(q) then
    common.eager_only(op, q)
    q = core.totable(q)
  end
  local flat, rest, kept, n = reduced(op, x, axis)
  err.check(n > 0, "%s: no elements", op)
  local sorted = core.apply("sort", {flat}, {flat.ndim - 1, 0, 1})
  local list, shape = {}, keepdims and kept or rest
  for i, v in ipairs(type(q) == "table" and q or {q}) do
    if type(v) ~= "number" or not (v >= 0 and v <= 1) then
      local most = op:find "percent" and 100 or 1
      err.raise("%s: q is %s, expected 0 to %d", op,
        type(v) == "number" and ("%g"):format(v * most) or err.show(v), most)
    end
    list[i] = reshape(pick(sorted, v, n, method), shape)
  end
  return type(q) == "table" and ops().stack(list) or list[1]
end

local function percent(q)
  if core.is_tensor(q) then q = core.totable(q) end
  if type(q) == "number" then return q / 100 end
  local out = {}
  for i, v in ipairs(q) do out[i] = v / 100 end
  return out
end

for prefix, pick in pairs {[""] = one_quantile, nan = one_nanquantile} do
  local name = prefix .. "quantile"
  define(name, 'x, q, axis=None, method="linear", keepdims=False',
    function(x, q, axis, method, keepdims)
      return quantile(name, pick, x, q, axis, method, keepdims)
    end)
  define(prefix .. "percentile", 'x, q, axis=None, method="linear", keepdims=False',
    function(x, q, axis, method, keepdims)
      return quantile(prefix .. "percentile", pick, x, percent(q), axis, method, keepdims)
    end)
  define(prefix .. "median", "x, axis=None, keepdims=False", function(x, axis, keepdims)
    return quantile(prefix .. "median", pick, x, 0.5, axis, "linear", keepdims)
  end)
end

-- counting ---------------------------------------------------------------------------------------

--- How often each number from 0 occurs; the last axis of a matrix row by row.
define("bincount", "x, weights=None, minlength=0, sparse=False", function(x, weights, minlength)
  x = tensor(x)
  common.eager_only("bincount", x)
  local n = common.integer("bincount", "minlength", minlength, 0)
  if x.size > 0 then n = math.max(n, math.floor(core.item(ops().max(x))) + 1) end
  if x.ndim < 1 or x.ndim > 2 then
    err.raise("bincount: x has %d dimensions, expected 1 or 2", x.ndim)
  end
  local rows = x.ndim == 2 and x.shape[1] or 1
  local ids = common.cast(x, "int32")
  if rows > 1 then
    ids = ids + core.reshape(core.arange(rows, 0, n, "int32"), {rows, 1})
  end
  local data = weights and common.cast(tensor(weights), "float32") or core.full(x.shape, 1, "int32")
  local counts = core.apply("segment", {reshape(data, {-1}), reshape(ids, {-1})}, {n * rows, 0})
  return x.ndim == 2 and reshape(counts, {rows, n}) or counts
end)

--- The counts of equally wide bins, and their borders.
define("histogram", "x, bins=10, range=None", function(x, bins, range)
  local o = ops()
  x = reshape(common.cast(tensor(x), "float32"), {-1})
  common.eager_only("histogram", x)
  common.integer("histogram", "bins", bins, 1)
  local low, high = 0, 1
  if range then
    low, high = range[1], range[2]
  elseif x.size > 0 then
    low, high = core.item(o.min(x)), core.item(o.max(x))
  end
  if low > high then
    err.raise("histogram: range is %g to %g, expected the other order", low, high)
  end
  if low == high then low, high = low - 0.5, high + 0.5 end
  local borders = o.linspace(low, high, bins + 1)
  local inside = o.nonzero(o.logical_and(o.greater_equal(x, low), o.less_equal(x, high)))[1]
  local kept = o.take(x, inside)
  local at = core.apply("searchsorted", {borders, kept}, {1, 0})
  -- the last bin holds its upper border too
  at = o.minimum(at, core.new(bins, "int32")) - core.new(1, "int32")
  local ones = core.full({kept.size}, 1, "int32")
  return core.apply("segment", {ones, at}, {bins, 0}), borders
end)

-- differences and areas --------------------------------------------------------------------------

define("diff", "a, n=1, axis=-1", function(x, n, axis)
  x = tensor(x)
  local a = common.axis("diff", axis, x.ndim)
  for _ = 1, common.integer("diff", "n", n, 0) do
    local m = math.max(x.shape[a + 1] - 1, 0)
    x = part(x, a, m > 0 and 1 or 0, m) - part(x, a, 0, m)
  end
  return x
end)

define("trapezoid", "y, x=None, dx=1.0, axis=-1", function(y, x, dx, axis)
  y = common.cast(tensor(y), "float32")
  local a = common.axis("trapezoid", axis, y.ndim)
  local n = y.shape[a + 1]
  local width = dx
  if x ~= nil then
    x = tensor(x)
    width = M.diff(x, {axis = x.ndim == 1 and -1 or axis})
    if x.ndim == 1 and y.ndim > 1 then
      local grid = {}
      for i = 1, y.ndim do grid[i] = i == a + 1 and n - 1 or 1 end
      width = reshape(width, grid)
    end
  end
  return ops().sum((part(y, a, 1, n - 1) + part(y, a, 0, n - 1)) * width * 0.5, {axis = a + 1})
end)

-- products ---------------------------------------------------------------------------------------

define("cross", "x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None",
  function(x1, x2, axisa, axisb, axisc, axis)
    local o = ops()
    x1, x2 = tensor(x1), tensor(x2)
    x1 = o.moveaxis(x1, axis or axisa, -1)
    x2 = o.moveaxis(x2, axis or axisb, -1)
    local n1, n2 = x1.shape[x1.ndim], x2.shape[x2.ndim]
    if n1 < 2 or n1 > 3 or n2 < 2 or n2 > 3 then
      err.raise("cross: vectors of %d and %d elements, expected 2 or 3", n1, n2)
    end
    local a, b = o.unstack(x1, {axis = -1}), o.unstack(x2, {axis = -1})
    local z = a[1] * b[2] - a[2] * b[1]
    if n1 == 2 and n2 == 2 then return z end
    a[3], b[3] = a[3] or a[1] * 0, b[3] or b[1] * 0
    local y = o.stack({a[2] * b[3] - a[3] * b[2], a[3] * b[1] - a[1] * b[3], z}, {axis = -1})
    return o.moveaxis(y, -1, axis or axisc)
  end)

define("kron", "x1, x2", function(x1, x2)
  x1, x2 = tensor(x1), tensor(x2)
  local n = math.max(x1.ndim, x2.ndim)
  local function lead(shape)
    while #shape < n do table.insert(shape, 1, 1) end
    return shape
  end
  local s1, s2 = lead(x1.shape), lead(x2.shape)
  local wide1, wide2, all = {}, {}, {}
  for i = 1, n do
    wide1[2 * i - 1], wide1[2 * i] = s1[i], 1
    wide2[2 * i - 1], wide2[2 * i] = 1, s2[i]
    all[i] = s1[i] * s2[i]
  end
  return reshape(reshape(x1, wide1) * reshape(x2, wide2), all)
end)

define("vander", "x, N=None, increasing=False", function(x, n, increasing)
  x = tensor(x)
  if x.ndim ~= 1 then err.raise("vander: x has %d dimensions, expected 1", x.ndim) end
  n = n or x.size
  local power = increasing and core.arange(n, 0, 1, x.dtype) or core.arange(n, n - 1, -1, x.dtype)
  return ops().power(reshape(x, {-1, 1}), power)
end)

--- The correlation matrix of the rows of x.
define("corrcoef", "x", function(x)
  local o = ops()
  x = common.cast(tensor(x), "float32")
  if x.ndim == 1 then x = reshape(x, {1, -1}) end
  if x.ndim ~= 2 then err.raise("corrcoef: x has %d dimensions, expected 1 or 2", x.ndim) end
  local centred = x - o.mean(x, {axis = 2, keepdims = true})
  local products = o.matmul(centred, o.transpose(centred))
  local scale = o.sqrt(core.apply("diagonal", {products}, {0, 0, 1}))
  local n = x.shape[1]
  local y = products / reshape(scale, {n, 1}) / scale
  return n == 1 and reshape(y, {}) or y
end)

define("correlate", 'x1, x2, mode="valid"', function(x1, x2, mode)
  local o = ops()
  x1, x2 = tensor(x1), tensor(x2)
  if x1.ndim ~= 1 or x2.ndim ~= 1 then
    err.raise("correlate: %d and %d dimensions, expected 1 and 1", x1.ndim, x2.ndim)
  end
  if x1.size < x2.size then return o.flip(M.correlate(x2, x1, mode)) end
  local m = x2.size
  local before = ({valid = 0, same = m // 2, full = m - 1})[mode]
  local after = ({valid = 0, same = m - m // 2 - 1, full = m - 1})[mode]
  if not before then
    err.raise("correlate: mode is '%s', expected valid, same or full", tostring(mode))
  end
  local padded = o.pad(x1, {{before, after}})
  local windows = o.extract_sequences(padded, m, 1)
  return o.sum(windows * x2, {axis = -1})
end)

return M
