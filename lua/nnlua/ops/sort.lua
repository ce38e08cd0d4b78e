-- Ops on the order of values. Positions count from 1.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local tensor, reshape = common.tensor, common.reshape

local function define(name, text, fn) M[name] = args.fn(name, text, fn) end

local function sorted(op, x, axis, descending)
  x = tensor(x)
  if axis == nil or x.ndim == 0 then x, axis = reshape(x, {-1}), 1 end
  return core.apply("sort", {x}, {common.axis(op, axis, x.ndim), descending and 1 or 0, 1})
end

define("sort", "x, axis=-1", function(x, axis) return (sorted("sort", x, axis)) end)

define("argsort", "x, axis=-1", function(x, axis)
  local _, places = sorted("argsort", x, axis)
  return places
end)

--- A full sort also holds what argpartition promises.
define("argpartition", "x, kth, axis=-1", function(x, kth, axis)
  x = tensor(x)
  local n = axis == nil and x.size or x.shape[common.axis("argpartition", axis, x.ndim) + 1]
  kth = common.integer("argpartition", "kth", kth)
  if kth == 0 or kth > n or kth < -n then
    err.raise("argpartition: kth is %d, expected 1 to %d", kth, n)
  end
  return M.argsort(x, {axis = axis or args.None})
end)

--- The k largest of the last axis, largest first, and their positions.
define("top_k", "x, k, sorted=True", function(x, k)
  return core.apply("top_k", {tensor(x)}, {common.integer("top_k", "k", k, 0), 1})
end)

-- Positions (from 1) of what is not 0 in a flat tensor.
local function true_positions(flags)
  local ops = require "nnlua.ops"
  local is_zero = common.cast(ops.equal(flags, 0), "uint8")
  local _, places = core.apply("sort", {is_zero}, {0, 0, 1}) -- stable: they stand first, in order
  local n = is_zero.size - math.tointeger(core.item(ops.sum(common.cast(is_zero, "int32"))))
  return common.part(places, 0, 0, n)
end

--- A list with the positions on each axis of the elements that are not 0.
define("nonzero", "x", function(x)
  x = tensor(x)
  common.eager_only("nonzero", x)
  local places = true_positions(reshape(x, {-1}))
  return require("nnlua.ops").unravel_index(places, x.ndim > 0 and x.shape or {1})
end)

-- unique -----------------------------------------------------------------------------------------

-- Rows of a matrix as one number each: the rank among the different rows.
local function row_ranks(x)
  local seen, list = {}, {}
  for i, row in ipairs(core.totable(x)) do
    local parts = {}
    for k, v in ipairs(row) do parts[k] = ("%.9g"):format(v) end
    local key = table.concat(parts, " ")
    if not seen[key] then
      seen[key] = {row = row}
      list[#list + 1] = seen[key]
    end
    list[-i] = seen[key]
  end
  table.sort(list, function(a, b)
    for k, v in ipairs(a.row) do if v ~= b.row[k] then return v < b.row[k] end end
    return false
  end)
  for rank, item in ipairs(list) do item.rank = rank end
  local ranks = {}
  for i = 1, x.shape[1] do ranks[i] = list[-i].rank end
  return core.new(ranks, "int32")
end

-- Of a flat tensor: where each value first stands, the number of each element's value, the counts.
local function groups(flat)
  local ops = require "nnlua.ops"
  local n = flat.size
  local values, order = core.apply("sort", {flat}, {0, 0, 1})
  local new = core.full({n}, 1, "int32")
  if n > 1 then
    local changed = ops.not_equal(common.part(values, 0, 1, n - 1),
      common.part(values, 0, 0, n - 1))
    new = common.concat({core.full({1}, 1, "int32"), common.cast(changed, "int32")}, 0)
  end
  local starts = true_positions(new)
  local ends = common.concat({common.part(starts, 0, 1, starts.size - 1),
    core.full({1}, n + 1, "int32")}, 0)
  local numbers = common.cast(ops.cumsum(new), "int32")
  local zeros = core.full({n}, 0, "int32")
  local inverse = core.apply("scatter", {zeros, reshape(order, {n, 1}), numbers}, {0, 1})
  local first = core.apply("take", {order, starts}, {0, 1})
  return first, inverse, ops.subtract(ends, starts)
end

-- Cuts or fills to `size` rows.
local function to_size(x, size, fill)
  local n = x.shape[1]
  if not size or n == size then return x end
  if n > size then return common.part(x, 0, 0, size) end
  local shape = x.shape
  shape[1] = size - n
  local rest
  if fill then rest = core.full(shape, fill, x.dtype)
  else rest = common.broadcast_to(common.part(x, 0, 0, 1), shape) end
  return common.concat({x, rest}, 0)
end

define("unique", [[x, sorted=True, return_index=False, return_inverse=False, return_counts=False,
  axis=None, size=None, fill_value=None]],
  function(x, _, with_index, with_inverse, with_counts, axis, size, fill)
    x = tensor(x)
    common.eager_only("unique", x)
    local a = axis and common.axis("unique", axis, x.ndim) or 0
    local base = axis and x or reshape(x, {-1})
    local n = base.shape[a + 1]
    if n == 0 then return base end
    local keys = base
    if axis and base.ndim > 1 then
      local front = require("nnlua.ops").moveaxis(base, a + 1, 1)
      keys = row_ranks(reshape(front, {n, -1}))
    end
    local first, inverse, counts = groups(keys)
    local values = core.apply("take", {base, first}, {a, 1})
    if size and a == 0 then values = to_size(values, size, fill) end
    local out = {values}
    if with_index then out[#out + 1] = to_size(first, size) end
    if with_inverse then out[#out + 1] = axis and inverse or reshape(inverse, x.shape) end
    if with_counts then out[#out + 1] = to_size(counts, size, 0) end
    return table.unpack(out)
  end)

define("isin", "x1, x2, assume_unique=False, invert=False", function(x1, x2, _, invert)
  local ops = require "nnlua.ops"
  x1, x2 = tensor(x1), reshape(tensor(x2), {-1})
  if x2.size == 0 then return core.full(x1.shape, invert and 1 or 0, "uint8") end
  local values = core.apply("sort", {x2}, {0, 0, 1})
  local at = core.apply("searchsorted", {values, x1}, {0, 0})
  at = ops.minimum(at, core.new(x2.size - 1, "int32"))
  local found = ops.equal(core.apply("take", {values, at}, {0, 0}), x1)
  return invert and ops.logical_not(found) or found
end)

return M
