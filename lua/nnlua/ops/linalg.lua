-- Products of tensors and norms. All products come down to matmul on reshaped operands.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local tensor, cast, reshape, product = common.tensor, common.cast, common.reshape, common.product

local function define(name, text, fn, opts) M[name] = args.fn(name, text, fn, opts) end
local function float(x) return cast(tensor(x), "float32") end
local function matmul(a, b) return core.apply("matmul", {a, b}) end

define("matmul", "x1, x2", function(a, b) return matmul(tensor(a), tensor(b)) end)

-- order: axes from 0; nothing to do when they stand in order already.
local function permute(x, order)
  for i, at in ipairs(order) do
    if at ~= i - 1 then return core.apply("transpose", {x}, order) end
  end
  return x
end

local function append(list, more)
  return table.move(more, 1, #more, #list + 1, table.move(list, 1, #list, 1, {}))
end

local function pick(shape, axes)
  local out = {}
  for i, at in ipairs(axes) do out[i] = shape[at + 1] end
  return out
end

local function others(n, axes)
  local taken, out = {}, {}
  for _, at in ipairs(axes) do taken[at] = true end
  for at = 0, n - 1 do if not taken[at] then out[#out + 1] = at end end
  return out
end

-- Sums over axes_a of a and axes_b of b (lists from 0).
local function contract(name, a, b, axes_a, axes_b)
  err.check(#axes_a == #axes_b, "%s: %d axes of x1 and %d of x2", name, #axes_a, #axes_b)
  local sizes_a, sizes_b = pick(a.shape, axes_a), pick(b.shape, axes_b)
  for i, n in ipairs(sizes_a) do
    err.check(n == sizes_b[i], "%s: axis %d of x1 has %d elements, axis %d of x2 has %d", name,
      axes_a[i] + 1, n, axes_b[i] + 1, sizes_b[i])
  end
  local free_a, free_b = others(a.ndim, axes_a), others(b.ndim, axes_b)
  local k = product(sizes_a)
  local shape = append(pick(a.shape, free_a), pick(b.shape, free_b))
  a = reshape(permute(a, append(free_a, axes_a)), {product(pick(a.shape, free_a)), k})
  b = reshape(permute(b, append(axes_b, free_b)), {k, product(pick(b.shape, free_b))})
  return reshape(matmul(a, b), shape)
end

define("tensordot", "x1, x2, axes=2", function(a, b, axes)
  a, b = tensor(a), tensor(b)
  if type(axes) == "table" then
    err.check(#axes == 2, "tensordot: %d lists of axes, expected 2", #axes)
    return contract("tensordot", a, b, common.axes("tensordot", axes[1], a.ndim),
      common.axes("tensordot", axes[2], b.ndim))
  end
  local n = common.integer("tensordot", "axes", axes, 0)
  err.check(n <= a.ndim and n <= b.ndim, "tensordot: %d axes of %d and %d dimensions", n, a.ndim,
    b.ndim)
  local axes_a, axes_b = {}, {}
  for i = 1, n do axes_a[i], axes_b[i] = a.ndim - n + i - 1, i - 1 end
  return contract("tensordot", a, b, axes_a, axes_b)
end)

define("dot", "x1, x2", function(a, b)
  a, b = tensor(a), tensor(b)
  if a.ndim == 0 or b.ndim == 0 then return a * b end
  if b.ndim <= 2 then return matmul(a, b) end
  return contract("dot", a, b, {a.ndim - 1}, {b.ndim - 2})
end)

define("inner", "x1, x2", function(a, b)
  a, b = tensor(a), tensor(b)
  if a.ndim == 0 or b.ndim == 0 then return a * b end
  return contract("inner", a, b, {a.ndim - 1}, {b.ndim - 1})
end)

define("outer", "x1, x2", function(a, b)
  return reshape(tensor(a), {-1, 1}) * reshape(tensor(b), {1, -1})
end)

define("vdot", "x1, x2", function(a, b)
  return matmul(reshape(tensor(a), {-1}), reshape(tensor(b), {-1}))
end)

define("trace", "x, offset=0, axis1=1, axis2=2", function(x, offset, axis1, axis2)
  local d = require("nnlua.ops").diagonal(x, offset, axis1, axis2)
  return core.apply("sum", {d}, {1 << (d.ndim - 1), 0})
end)

-- norms -------------------------------------------------------------------------------------------

local function reduce(op, x, axes, keepdims)
  local bits = 0
  for _, at in ipairs(axes) do bits = bits | 1 << at end
  return core.apply(op, {x}, {bits, keepdims and 1 or 0})
end

local function abs(x) return core.apply("abs", {x}) end

local function euclidean(x, axes, keepdims)
  return core.apply("sqrt", {reduce("sum", core.apply("square", {x}), axes, keepdims)})
end

local function vector_norm(x, ord, axes, keepdims)
  if ord == nil or ord == 2 or ord == "euclidean" then return euclidean(x, axes, keepdims) end
  if ord == math.huge then return reduce("max", abs(x), axes, keepdims) end
  if ord == -math.huge then return reduce("min", abs(x), axes, keepdims) end
  if ord == 0 then
    return reduce("sum", cast(core.apply("not_equal", {x, 0}), "float32"), axes, keepdims)
  end
  if ord == 1 then return reduce("sum", abs(x), axes, keepdims) end
  err.check(type(ord) == "number", "norm: ord is '%s', expected a number for vectors", ord)
  return reduce("sum", abs(x) ^ ord, axes, keepdims) ^ (1 / ord)
end

-- Largest or smallest sum along the rows or the columns.
local matrix_norms = {
  [1] = {1, "max"}, [-1] = {1, "min"}, [math.huge] = {2, "max"}, [-math.huge] = {2, "min"},
}

local function matrix_norm(x, ord, axes, keepdims)
  if ord == nil or ord == "fro" then return euclidean(x, axes, keepdims) end
  local which = matrix_norms[ord]
  err.check(which, "norm: ord is %s, expected 'fro', 1, -1, inf or -inf for matrices",
    tostring(ord))
  local sums = reduce("sum", abs(x), {axes[which[1]]}, true)
  local y = reduce(which[2], sums, {axes[3 - which[1]]}, true)
  if keepdims then return y end
  local shape = {}
  for _, at in ipairs(others(x.ndim, axes)) do shape[#shape + 1] = x.shape[at + 1] end
  return reshape(y, shape)
end

local function norm(x, ord, axis, keepdims)
  local axes = axis == nil and others(x.ndim, {}) or common.axes("norm", axis, x.ndim)
  if #axes == 2 and ord ~= "euclidean" then return matrix_norm(x, ord, axes, keepdims) end
  err.check(#axes == 1 or ord == nil, "norm: ord is %s with %d axes, expected 1 or 2",
    tostring(ord), #axes)
  return vector_norm(x, ord, axes, keepdims)
end

define("norm", "x, ord=None, axis=None, keepdims=False", function(x, ord, axis, keepdims)
  return norm(float(x), ord, axis, keepdims)
end)

-- Euclidean distances of the rows of x (.., m, d) and of y (.., n, d): (.., m, n).
define("cdist", "x, y", function(x, y)
  x, y = float(x), float(y)
  local s, t = x.shape, y.shape
  table.insert(s, #s, 1)
  table.insert(t, #t - 1, 1)
  local apart = reshape(x, s) - reshape(y, t)
  return euclidean(apart, {apart.ndim - 1}, false)
end)

define("normalize", "x, axis=-1, order=2, epsilon=None", function(x, axis, order, epsilon)
  x, epsilon = float(x), epsilon or 1e-7
  if order == 2 then
    local axes = common.axes("normalize", axis, x.ndim)
    local scale = core.apply("rsqrt", {reduce("sum", core.apply("square", {x}), axes, true)})
    return x * core.apply("minimum", {scale, 1 / epsilon})
  end
  return x / core.apply("maximum", {norm(x, order, axis, true), epsilon})
end)

-- einsum ------------------------------------------------------------------------------------------
--
-- Every axis has a label: a letter, or "." and a number from the end for those under an ellipsis.

local function labels_of(text, ndim)
  local out, before, after = {}, text:match("^(%a*)%.%.%.(%a*)$")
  if not before then
    err.check(text:match "^%a*$", "einsum: cannot read '%s'", text)
    before, after = text, ""
    err.check(ndim == nil or #text == ndim, "einsum: '%s' for %d dimensions", text, ndim or 0)
  end
  for c in before:gmatch "." do out[#out + 1] = c end
  local hidden = ndim and ndim - #before - #after or 0
  err.check(hidden >= 0, "einsum: '%s' for %d dimensions", text, ndim or 0)
  for i = hidden, 1, -1 do out[#out + 1] = "." .. i end
  for c in after:gmatch "." do out[#out + 1] = c end
  return out
end

local function index_of(labels)
  local at = {}
  for i, label in ipairs(labels) do at[label] = at[label] or i end
  return at
end

-- A label that stands twice is a diagonal, which becomes the last axis.
local function without_repeats(x, labels)
  local seen = {}
  for i, label in ipairs(labels) do
    local first = seen[label]
    if first then
      local left = {}
      for k, other in ipairs(labels) do
        if k ~= first and k ~= i then left[#left + 1] = other end
      end
      left[#left + 1] = label
      return without_repeats(require("nnlua.ops").diagonal(x, 0, first, i), left)
    end
    seen[label] = i
  end
  return x, labels
end

-- Sums over the axes whose label is not needed.
local function sum_unneeded(x, labels, needed)
  local axes, left = {}, {}
  for i, label in ipairs(labels) do
    if needed[label] then left[#left + 1] = label else axes[#axes + 1] = i - 1 end
  end
  if #axes == 0 then return x, labels end
  return reduce("sum", x, axes), left
end

-- An axis of one element beside a longer one of the same label is repeated.
local function match_sizes(x, labels, sizes)
  local shape, same = {}, true
  for i, label in ipairs(labels) do
    local n = x.shape[i]
    shape[i] = sizes[label]
    same = same and n == shape[i]
    err.check(n == shape[i] or n == 1, "einsum: '%s' stands for %d and for %d elements", label, n,
      shape[i])
  end
  return same and x or common.broadcast_to(x, shape)
end

local function arranged(x, labels, ...)
  local at, order, shape = index_of(labels), {}, {}
  for _, group in ipairs {...} do
    local n = 1
    for _, label in ipairs(group) do
      order[#order + 1] = at[label] - 1
      n = n * x.shape[at[label]]
    end
    shape[#shape + 1] = n
  end
  return reshape(permute(x, order), shape)
end

local function contract_pair(a, la, b, lb, needed, sizes)
  local in_a, in_b = index_of(la), index_of(lb)
  local batch, sum, free_a, free_b, shape = {}, {}, {}, {}, {}
  for _, label in ipairs(la) do
    local group = not in_b[label] and free_a or needed[label] and batch or sum
    group[#group + 1] = label
  end
  for _, label in ipairs(lb) do if not in_a[label] then free_b[#free_b + 1] = label end end
  a, b = match_sizes(a, la, sizes), match_sizes(b, lb, sizes)
  local y
  if #batch == 0 then
    y = matmul(arranged(a, la, free_a, sum), arranged(b, lb, sum, free_b))
  else
    y = matmul(arranged(a, la, batch, free_a, sum), arranged(b, lb, batch, sum, free_b))
  end
  local labels = append(append(batch, free_a), free_b)
  for i, label in ipairs(labels) do shape[i] = sizes[label] end
  return reshape(y, shape), labels
end

-- Labels that stand once, in alphabetical order behind those of an ellipsis.
local function implied_output(inputs)
  local count, hidden, letters = {}, 0, {}
  for _, labels in ipairs(inputs) do
    for _, label in ipairs(labels) do
      count[label] = (count[label] or 0) + 1
      if label:sub(1, 1) == "." then hidden = math.max(hidden, tonumber(label:sub(2))) end
    end
  end
  for label, n in pairs(count) do
    if n == 1 and label:sub(1, 1) ~= "." then letters[#letters + 1] = label end
  end
  table.sort(letters)
  local out = {}
  for i = hidden, 1, -1 do out[#out + 1] = "." .. i end
  return append(out, letters)
end

local function parse(subscripts, operands)
  local left, right = subscripts:gsub("%s", ""):match "^([^-]*)%->(.*)$"
  left = left or subscripts:gsub("%s", "")
  local inputs, sizes, hidden = {}, {}, 0
  for text in (left .. ","):gmatch "([^,]*)," do
    local x = operands[#inputs + 1]
    err.check(x, "einsum: '%s' for %d operands", subscripts, #operands)
    local labels = labels_of(text, x.ndim)
    for i, label in ipairs(labels) do
      local known = sizes[label]
      if not known or known == 1 then sizes[label] = x.shape[i] end
      if label:sub(1, 1) == "." then hidden = math.max(hidden, tonumber(label:sub(2))) end
    end
    inputs[#inputs + 1] = labels
  end
  err.check(#inputs == #operands, "einsum: '%s' for %d operands", subscripts, #operands)
  if not right then return inputs, implied_output(inputs), sizes end
  local letters = #right:gsub("%.", "")
  local output = labels_of(right, right:find("...", 1, true) and letters + hidden or letters)
  for _, label in ipairs(output) do
    err.check(sizes[label], "einsum: '%s' in the output stands in no input", label)
  end
  return inputs, output, sizes
end

local einsum = args.fn("einsum", "subscripts, operands", function(subscripts, operands)
  local values = {}
  for i, x in ipairs(operands) do values[i] = tensor(x) end
  local inputs, output, sizes = parse(subscripts, values)
  local function needed_after(k)
    local needed = index_of(output)
    for i = k, #inputs do for _, label in ipairs(inputs[i]) do needed[label] = true end end
    return needed
  end
  local x, labels
  for i, value in ipairs(values) do
    local y, own = without_repeats(value, inputs[i])
    if x then
      local needed = needed_after(i + 1)
      for _, label in ipairs(labels) do needed[label] = true end
      y, own = sum_unneeded(y, own, needed)
      x, labels = contract_pair(x, labels, y, own, needed_after(i + 1), sizes)
    else
      x, labels = sum_unneeded(y, own, needed_after(2))
    end
  end
  local at, order = index_of(labels), {}
  for i, label in ipairs(output) do order[i] = at[label] - 1 end
  return permute(x, order)
end)

--- einsum("ij,jk->ik", a, b), or in one record.
function M.einsum(subscripts, ...)
  if args.is_record(subscripts) then
    if subscripts.operands then return einsum(subscripts) end
    return einsum(subscripts[1] or subscripts.subscripts, {table.unpack(subscripts, 2)})
  end
  return einsum(subscripts, {...})
end
args.declare(M.einsum, args.describe(einsum))

return M
