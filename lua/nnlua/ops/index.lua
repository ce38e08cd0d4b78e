-- Ops that pick or place elements by number. Positions count from 1, or from the end when they are
-- negative; class and segment ids are data and count from 0.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local tensor, axis_of, reshape = common.tensor, common.axis, common.reshape

local function define(name, text, fn, opts) M[name] = args.fn(name, text, fn, opts) end

local function lazy(name) return function(...) return require("nnlua.ops")[name](...) end end
local add, where = lazy "add", lazy "where"

-- picked -----------------------------------------------------------------------------------------

define("take", "x, indices, axis=None", function(x, indices, axis)
  x = tensor(x)
  if axis == nil then x, axis = reshape(x, {-1}), 1 end
  return core.apply("take", {x, tensor(indices)}, {axis_of("take", axis, x.ndim), 1})
end)

-- The shape that both broadcast to, without axis a (from 0), where each keeps its own size.
local function align(op, x, indices, a)
  local sx, si = x.shape, indices.shape
  if #sx ~= #si then
    err.raise("%s: x has %d dimensions and indices %d, expected as many", op, #sx, #si)
  end
  for i = 1, #sx do
    if i ~= a + 1 then
      local n = math.max(sx[i], si[i])
      if sx[i] == 0 or si[i] == 0 then n = 0 end
      sx[i], si[i] = n, n
    end
  end
  return common.broadcast_to(x, sx), common.broadcast_to(indices, si)
end

define("take_along_axis", "x, indices, axis=None", function(x, indices, axis)
  x, indices = tensor(x), tensor(indices)
  if axis == nil then x, indices, axis = reshape(x, {-1}), reshape(indices, {-1}), 1 end
  local a = axis_of("take_along_axis", axis, x.ndim)
  x, indices = align("take_along_axis", x, indices, a)
  return core.apply("take_along_axis", {x, indices}, {a, 1})
end)

-- The number of elements of first .. last by step; the start from 0.
local function range(op, r, n, i)
  local first, last, step = r[1] or r.first, r[2] or r.last, r[3] or r.step or 1
  if math.tointeger(step) == nil or step == 0 then
    err.raise("%s: the step of range %d is %s, expected an integer but 0", op, i, err.show(step))
  end
  first, last = first or (step > 0 and 1 or n), last or (step > 0 and n or 1)
  local empty = step > 0 and last == first - 1
  local function place(v)
    local at = math.tointeger(v)
    at = at and (at < 0 and at + n or at - 1)
    if not at or v == 0 or at < 0 or at >= n then
      err.raise("%s: index %s of dimension %d, expected 1 to %d", op, tostring(v), i, n)
    end
    return at
  end
  if empty or n == 0 then return 0, 0, 1 end
  local from, to = place(first), place(last)
  return from, math.max((to - from) // step + 1, 0), step
end

--- ranges[i] is {first, last[, step]} (inclusive); absent: all of axis i.
define("slice_ranges", "x, ranges", function(x, ranges)
  x = tensor(x)
  local first, count, step, shape = {}, {}, {}, x.shape
  for i, r in pairs(ranges) do
    if math.type(i) ~= "integer" or i < 1 or i > #shape then
      err.raise("slice: range %s, the tensor has %d axes", tostring(i), #shape)
    end
    if type(r) == "table" then
      first[i], count[i], step[i] = range("slice", r, shape[i], i)
    elseif r then
      err.raise("slice: range %d is %s, expected {first, last}", i, err.show(r))
    end
  end
  return common.cut(x, first, count, step)
end)

--- key: a position or a range of the first axis, or a list of them; `false` takes an axis whole.
define("get_item", "x, key", function(x, key)
  x = tensor(x)
  if core.is_tensor(key) then return core.apply("take", {x, key}, {0, 1}) end
  if type(key) ~= "table" then key = {key} end
  local ranges, dropped, shape = {}, {}, x.shape
  for i, k in pairs(key) do
    if type(k) == "number" then ranges[i], dropped[i] = {k, k}, true else ranges[i] = k end
  end
  local y = M.slice_ranges{x, ranges = ranges}
  local new = {}
  for i, n in ipairs(y.shape) do if not dropped[i] then new[#new + 1] = n end end
  return #new == #shape and y or reshape(y, new)
end)

-- start (a list or a tensor) and sizes of a block; the starts come from 0, or are traced.
local function block(op, x, start, shape)
  if core.is_tensor(start) and not core.is_traced(start) then start = core.totable(start) end
  local n = x.ndim
  local count = common.shape(op, shape)
  if #count ~= n or not core.is_tensor(start) and #start ~= n then
    err.raise("%s: expected %d starts and %d sizes", op, n, n)
  end
  return start, count
end

define("slice", "inputs, start_indices, shape", function(x, start, shape)
  x = tensor(x)
  local count
  start, count = block("slice", x, start, shape)
  if core.is_tensor(start) then -- traced: positions are known when it runs
    for i = 1, x.ndim do
      local first = common.reshape(common.part(start, 0, i - 1, 1), {})
      local rows = add(first, core.arange(count[i], 0, 1, "int32"))
      x = core.apply("take", {x, rows}, {i - 1, 1})
    end
    return x
  end
  local first = {}
  for i, s in ipairs(start) do
    first[i] = common.integer("slice", "a start", s)
    first[i] = first[i] < 0 and first[i] + x.shape[i] or first[i] - 1
    if count[i] == -1 then count[i] = x.shape[i] - first[i] end
  end
  return common.cut(x, first, count)
end)

-- The numbers (from 0) in the flat x of a block at `first` (from 0) of `count` elements.
local function block_numbers(x, first, count)
  local numbers, step = nil, 1
  local shape = x.shape
  for i = #shape, 1, -1 do
    local along, grid = core.arange(count[i], first[i] * step, step, "int32"), {}
    for k = 1, #shape do grid[k] = k == i and count[i] or 1 end
    along = core.reshape(along, grid)
    numbers = numbers and add(numbers, along) or along
    step = step * shape[i]
  end
  return common.reshape(numbers, {-1, 1})
end

local function put(x, numbers, updates)
  local flat = reshape(x, {-1})
  updates = reshape(common.cast(updates, x.dtype), {-1})
  local y = core.apply("scatter", {flat, numbers, updates}, {0, 0})
  return reshape(y, x.shape)
end

define("slice_update", "inputs, start_indices, updates", function(x, start, updates)
  x, updates = tensor(x), tensor(updates)
  local first, count = block("slice_update", x, start, updates.shape)
  common.eager_only("slice_update", first)
  for i, s in ipairs(first) do
    s = common.integer("slice_update", "a start", s)
    first[i] = s < 0 and s + x.shape[i] or s - 1
    if first[i] < 0 or first[i] + count[i] > x.shape[i] then
      err.raise("slice_update: axis %d has %d elements, expected %d from %d on", i, x.shape[i],
        count[i], s)
    end
  end
  if x.ndim == 0 then return common.cast(updates, x.dtype) end
  return put(x, block_numbers(x, first, count), updates)
end)

-- placed -----------------------------------------------------------------------------------------

define("scatter", "indices, values, shape", function(indices, values, shape)
  values = tensor(values)
  local zeros = core.full(common.shape("scatter", shape), 0, values.dtype)
  return core.apply("scatter", {zeros, tensor(indices), values}, {1, 1})
end)

local reductions = {add = 1, max = 2, min = 3, mul = 4}

define("scatter_update", "inputs, indices, updates, reduction=None",
  function(x, indices, updates, reduction)
    x = tensor(x)
    local how = reduction == nil and 0 or reductions[reduction]
    if not how then
      err.raise("scatter_update: reduction is '%s', expected nil, add, max, min or mul",
        tostring(reduction))
    end
    updates = common.cast(tensor(updates), x.dtype)
    return core.apply("scatter", {x, tensor(indices), updates}, {how, 1})
  end)

define("searchsorted", 'sorted_sequence, values, side="left"', function(sorted, values, side)
  if side ~= "left" and side ~= "right" then
    err.raise("searchsorted: side is '%s', expected left or right", tostring(side))
  end
  local right = side == "right" and 1 or 0
  return core.apply("searchsorted", {tensor(sorted), tensor(values)}, {right, 1})
end)

--- The number of the bin, from 0 (left of the first border).
define("digitize", "x, bins", function(x, bins)
  return core.apply("searchsorted", {tensor(bins), tensor(x)}, {1, 0})
end)

-- classes ----------------------------------------------------------------------------------------

local function one_hot(op, x, classes, axis, dtype)
  x = tensor(x)
  common.integer(op, "num_classes", classes, 1)
  local a = axis_of(op, axis, x.ndim + 1)
  return core.apply("one_hot", {x}, {classes, a, common.dtype_number(op, dtype or "float32")})
end

define("one_hot", "x, num_classes, axis=-1, dtype=None, sparse=False",
  function(x, classes, axis, dtype) return one_hot("one_hot", x, classes, axis, dtype) end)

define("multi_hot", "inputs, num_classes=None, axis=-1, dtype=None, sparse=False, num_tokens=None",
  function(x, classes, axis, dtype, _, tokens)
    x = tensor(x)
    local hot = one_hot("multi_hot", x, classes or tokens, axis, dtype)
    if x.ndim == 0 then return hot end
    -- ids in the last axis of x are joined: the one before the classes
    local a = axis_of("multi_hot", axis, x.ndim + 1)
    return require("nnlua.ops").max(hot, {axis = a == x.ndim and -2 or x.ndim + 1})
  end)

define("in_top_k", "targets, predictions, k", function(targets, predictions, k)
  local ops = require "nnlua.ops"
  targets, predictions = tensor(targets), tensor(predictions)
  local classes = predictions.shape[predictions.ndim]
  local own = common.reshape(targets, {targets.size, 1})
  local score = core.apply("take_along_axis", {predictions, common.cast(own, "int32")}, {1, 0})
  local better = ops.sum(common.cast(ops.greater(predictions, score), "int32"), {axis = -1})
  local fits = ops.logical_and(ops.less(better, common.integer("in_top_k", "k", k, 0)),
    ops.logical_and(ops.greater_equal(targets, 0), ops.less(targets, classes)))
  return ops.logical_and(fits, ops.isfinite(common.reshape(score, targets.shape)))
end)

--- The first of choicelist whose condition holds, else default.
define("select", "condlist, choicelist, default=0", function(conditions, choices, default)
  err.check(#conditions == #choices, "select: %d conditions and %d choices, expected as many",
    #conditions, #choices)
  local y = default
  for i = #conditions, 1, -1 do y = where(conditions[i], choices[i], y) end
  return y
end)

-- segments ---------------------------------------------------------------------------------------

local function segment(name, kind)
  define(name, "data, segment_ids, num_segments=None, sorted=False", function(data, ids, n)
    data, ids = tensor(data), tensor(ids)
    if n == nil then
      common.eager_only(name, ids)
      n = ids.size == 0 and 0 or math.floor(core.item(require("nnlua.ops").max(ids))) + 1
    end
    common.integer(name, "num_segments", n, 0)
    if data.dtype == "uint8" then data = common.cast(data, "int32") end
    return core.apply("segment", {data, ids}, {n, kind})
  end)
end

segment("segment_sum", 0)
segment("segment_max", 1)
segment("segment_min", 2)
segment("segment_prod", 3)

-- diagonals and triangles ------------------------------------------------------------------------

local ALL = 1 << 40

local function triangle(name, bounds)
  define(name, "x, k=0", function(x, k)
    x = tensor(x)
    if x.ndim == 1 then x = common.broadcast_to(x, {x.size, x.size}) end
    return core.apply("band", {x}, bounds(common.integer(name, "k", k)))
  end)
end

triangle("tril", function(k) return {-ALL, k} end)
triangle("triu", function(k) return {k, ALL} end)

define("diagonal", "x, offset=0, axis1=1, axis2=2", function(x, offset, axis1, axis2)
  x = tensor(x)
  return core.apply("diagonal", {x}, {common.integer("diagonal", "offset", offset),
    axis_of("diagonal", axis1, x.ndim), axis_of("diagonal", axis2, x.ndim)})
end)

define("diag", "x, k=0", function(x, k)
  x = tensor(x)
  if x.ndim == 1 then return core.apply("diag", {x}, {common.integer("diag", "k", k)}) end
  if x.ndim ~= 2 then err.raise("diag: x has %d dimensions, expected 1 or 2", x.ndim) end
  return core.apply("diagonal", {x}, {common.integer("diag", "k", k), 0, 1})
end)

define("diagflat", "x, k=0", function(x, k)
  return core.apply("diag", {reshape(tensor(x), {-1})}, {common.integer("diagflat", "k", k)})
end)

--- Flat positions (from 1) as a list of positions on each axis of `shape`.
define("unravel_index", "indices, shape", function(indices, shape)
  local ops = require "nnlua.ops"
  local dims = common.shape("unravel_index", shape)
  local total = common.product(dims)
  local at = ops.mod(ops.subtract(common.cast(tensor(indices), "int32"), core.new(1, "int32")),
    core.new(math.max(total, 1), "int32"))
  local out = {}
  for i = #dims, 1, -1 do
    local n = core.new(dims[i], "int32")
    out[i] = ops.add(ops.mod(at, n), core.new(1, "int32"))
    at = ops.floor_divide(at, n)
  end
  return out
end)

return M
