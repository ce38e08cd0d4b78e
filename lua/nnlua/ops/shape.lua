-- Ops on shapes: where elements stand, not what they are.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local tensor, axis_of, cut, part = common.tensor, common.axis, common.cut, common.part
local reshape, broadcast_to, concat = common.reshape, common.broadcast_to, common.concat

local function define(name, text, fn, opts) M[name] = args.fn(name, text, fn, opts) end

-- shapes -----------------------------------------------------------------------------------------

common.inspect(M, "shape", function(x) return x.shape end)
common.inspect(M, "ndim", function(x) return #x.shape end)
common.inspect(M, "size", function(x) return require("nnlua.shapes").product(x.shape) end)

define("reshape", "x, newshape", function(x, newshape)
  return reshape(tensor(x), common.shape("reshape", newshape))
end)

define("ravel", "x", function(x) return reshape(tensor(x), {-1}) end)

define("expand_dims", "x, axis", function(x, axis)
  x = tensor(x)
  local added = type(axis) == "table" and axis or {axis}
  local n, new, shape, at = x.ndim + #added, {}, {}, 0
  for _, a in ipairs(added) do new[axis_of("expand_dims", a, n) + 1] = true end
  for i = 1, n do
    if new[i] then
      shape[i] = 1
    else
      at = at + 1
      shape[i] = x.shape[at]
    end
  end
  return reshape(x, shape)
end)

define("squeeze", "x, axis=None", function(x, axis)
  x = tensor(x)
  local old, gone, shape = x.shape, {}, {}
  if axis == nil then
    for i, n in ipairs(old) do gone[i] = n == 1 end
  else
    for _, a in ipairs(common.axes("squeeze", axis, #old)) do
      if old[a + 1] ~= 1 then
        err.raise("squeeze: axis %d has %d elements, expected 1", a + 1, old[a + 1])
      end
      gone[a + 1] = true
    end
  end
  for i, n in ipairs(old) do if not gone[i] then shape[#shape + 1] = n end end
  return reshape(x, shape)
end)

define("broadcast_to", "x, shape", function(x, shape)
  return broadcast_to(tensor(x), common.shape("broadcast_to", shape))
end)

-- the order of axes ------------------------------------------------------------------------------

local function permute(x, order) return core.apply("transpose", {x}, order) end

define("transpose", "x, axes=None", function(x, axes)
  x = tensor(x)
  local order, n = {}, x.ndim
  if axes == nil then
    for i = 1, n do order[i] = n - i end
  else
    order = common.axes("transpose", axes, n)
    if #order ~= n then err.raise("transpose: %d axes, the tensor has %d", #order, n) end
  end
  return permute(x, order)
end)

define("swapaxes", "x, axis1, axis2", function(x, axis1, axis2)
  x = tensor(x)
  local a, b = axis_of("swapaxes", axis1, x.ndim), axis_of("swapaxes", axis2, x.ndim)
  local order = {}
  for i = 1, x.ndim do order[i] = i - 1 end
  order[a + 1], order[b + 1] = b, a
  return permute(x, order)
end)

define("moveaxis", "x, source, destination", function(x, source, destination)
  x = tensor(x)
  local from = common.axes("moveaxis", source, x.ndim)
  local to = common.axes("moveaxis", destination, x.ndim)
  if #from ~= #to then
    err.raise("moveaxis: %d sources and %d destinations, expected as many", #from, #to)
  end
  local order, moved = {}, {}
  for i, a in ipairs(from) do order[to[i] + 1], moved[a] = a, true end
  local at = 0
  for i = 1, x.ndim do
    if not order[i] then
      while moved[at] do at = at + 1 end
      order[i], at = at, at + 1
    end
  end
  return permute(x, order)
end)

-- turned round -----------------------------------------------------------------------------------

local function flip(x, axes)
  local first, step = {}, {}
  for _, a in ipairs(axes) do first[a + 1], step[a + 1] = math.max(x.shape[a + 1] - 1, 0), -1 end
  return cut(x, first, {}, step)
end

define("flip", "x, axis=None", function(x, axis)
  x = tensor(x)
  local axes = {}
  if axis == nil then
    for i = 1, x.ndim do axes[i] = i - 1 end
  else
    axes = common.axes("flip", axis, x.ndim)
  end
  return flip(x, axes)
end)

for name, axis in pairs {flipud = 1, fliplr = 2} do
  define(name, "x", function(x)
    x = tensor(x)
    return flip(x, {axis_of(name, axis, x.ndim)})
  end)
end

define("rot90", "array, k=1, axes=(1, 2)", function(array, k, axes)
  local x = tensor(array)
  local plane = common.axes("rot90", axes, x.ndim)
  if #plane ~= 2 or plane[1] == plane[2] then err.raise("rot90: expected two different axes") end
  k = common.integer("rot90", "k", k) % 4
  local order = {}
  for i = 1, x.ndim do order[i] = i - 1 end
  order[plane[1] + 1], order[plane[2] + 1] = plane[2], plane[1]
  if k == 0 then return x end
  if k == 2 then return flip(x, plane) end
  if k == 1 then return permute(flip(x, {plane[2]}), order) end
  return flip(permute(x, order), {plane[2]})
end)

local function roll_axis(x, shift, a)
  local n = x.shape[a + 1]
  shift = n > 0 and shift % n or 0
  if shift == 0 then return x end
  return concat({part(x, a, n - shift, shift), part(x, a, 0, n - shift)}, a)
end

define("roll", "x, shift, axis=None", function(x, shift, axis)
  x = tensor(x)
  if axis == nil then
    return reshape(roll_axis(reshape(x, {-1}), common.integer("roll", "shift", shift), 0), x.shape)
  end
  for i, a in ipairs(common.axes("roll", axis, x.ndim)) do
    local k = type(shift) == "table" and shift[i] or shift
    x = roll_axis(x, common.integer("roll", "shift", k), a)
  end
  return x
end)

-- repeated ---------------------------------------------------------------------------------------

-- x with the elements along an axis (from 0) repeated: all of them in turn (whole), or each one.
local function repeated(x, a, times, whole)
  local shape = x.shape
  local outer, n = common.product(shape, 1, a), shape[a + 1]
  local inner = common.product(shape, a + 2)
  local middle = whole and {outer, 1, n * inner} or {outer * n, 1, inner}
  local wide = broadcast_to(reshape(x, middle), {middle[1], times, middle[3]})
  shape[a + 1] = n * times
  return reshape(wide, shape)
end

define("tile", "x, repeats", function(x, repeats)
  x = tensor(x)
  local times = common.shape("tile", repeats)
  while #times < x.ndim do table.insert(times, 1, 1) end
  local shape = x.shape
  while #shape < #times do table.insert(shape, 1, 1) end
  x = reshape(x, shape)
  for i, k in ipairs(times) do if k ~= 1 then x = repeated(x, i - 1, k, true) end end
  return x
end)

define("repeat", "x, repeats, axis=None", function(x, repeats, axis)
  x = tensor(x)
  if axis == nil then x, axis = reshape(x, {-1}), 1 end
  local a = axis_of("repeat", axis, x.ndim)
  if core.is_tensor(repeats) then repeats = core.totable(repeats) end
  if type(repeats) == "table" and #repeats == 1 then repeats = repeats[1] end
  if type(repeats) == "number" then
    return repeated(x, a, common.integer("repeat", "repeats", repeats, 0), false)
  end
  if #repeats ~= x.shape[a + 1] then
    err.raise("repeat: %d repeats, axis %d has %d elements", #repeats, a + 1, x.shape[a + 1])
  end
  local rows = {}
  for i, k in ipairs(repeats) do
    for _ = 1, common.integer("repeat", "repeats", k, 0) do rows[#rows + 1] = i - 1 end
  end
  return core.apply("take", {x, core.new(rows, "int32")}, {a, 0})
end)
M.repeat_ = M["repeat"]

-- joined -----------------------------------------------------------------------------------------

define("concatenate", "xs, axis=1", function(xs, axis)
  local list = common.tensors("concatenate", xs)
  err.check(list[1].ndim > 0, "concatenate: array 1 is a scalar, expected 1 axis or more")
  return concat(list, axis_of("concatenate", axis, list[1].ndim))
end, {list = true})

local function insert_axis(x, a)
  local shape = x.shape
  table.insert(shape, a + 1, 1)
  return reshape(x, shape)
end

define("stack", "x, axis=1", function(x, axis)
  local list = common.tensors("stack", x)
  local a = axis_of("stack", axis, list[1].ndim + 1)
  for i, t in ipairs(list) do
    if table.concat(t.shape, ",") ~= table.concat(list[1].shape, ",") or t.ndim ~= list[1].ndim then
      err.raise("stack: array %d has shape (%s), expected (%s)", i, table.concat(t.shape, ", "),
        table.concat(list[1].shape, ", "))
    end
  end
  for i, t in ipairs(list) do list[i] = insert_axis(t, a) end
  return concat(list, a)
end, {list = true})

-- At least n axes, new ones as NumPy adds them.
local function at_least(x, n)
  local shape = x.shape
  if #shape >= n then return x end
  if n == 2 then
    return reshape(x, {1, shape[1] or 1})
  end
  if #shape == 2 then return reshape(x, {shape[1], shape[2], 1}) end
  return reshape(x, {1, shape[1] or 1, 1})
end

local function stacker(name, n, axis)
  define(name, "xs", function(xs)
    local list = common.tensors(name, xs)
    for i, t in ipairs(list) do list[i] = at_least(t, n) end
    return concat(list, axis - 1)
  end, {list = true})
end

stacker("vstack", 2, 1)
stacker("dstack", 3, 3)

define("hstack", "xs", function(xs)
  local list = common.tensors("hstack", xs)
  for i, t in ipairs(list) do if t.ndim == 0 then list[i] = reshape(t, {1}) end end
  return concat(list, list[1].ndim == 1 and 0 or 1)
end, {list = true})

define("append", "x1, x2, axis=None", function(x1, x2, axis)
  x1, x2 = tensor(x1), tensor(x2)
  if axis == nil then return concat({reshape(x1, {-1}), reshape(x2, {-1})}, 0) end
  return concat({x1, x2}, axis_of("append", axis, x1.ndim))
end)

-- taken apart ------------------------------------------------------------------------------------

-- Parts that end after the elements in `ends`, the last one at the end.
local function parts(x, a, ends)
  local out, from, n = {}, 0, x.shape[a + 1]
  for _, last in ipairs(ends) do
    if last < 0 then last = last + n end
    last = math.max(math.min(last, n), from)
    out[#out + 1] = part(x, a, math.min(from, math.max(n - 1, 0)), last - from)
    from = last
  end
  out[#out + 1] = part(x, a, math.min(from, math.max(n - 1, 0)), n - from)
  return out
end

local function split(op, x, where, axis, uneven)
  x = tensor(x)
  local a = axis_of(op, axis, x.ndim)
  if core.is_tensor(where) then where = core.totable(where) end
  if type(where) == "table" then return parts(x, a, where) end
  local k, n, ends = common.integer(op, "indices_or_sections", where, 1), x.shape[a + 1], {}
  if n % k ~= 0 and not uneven then
    err.raise("%s: axis %d has %d elements, expected a multiple of %d", op, a + 1, n, k)
  end
  for i = 1, k - 1 do ends[i] = i * (n // k) + math.min(i, n % k) end
  return parts(x, a, ends)
end

define("split", "x, indices_or_sections, axis=1", function(x, where, axis)
  return split("split", x, where, axis)
end)
define("array_split", "x, indices_or_sections, axis=1", function(x, where, axis)
  return split("array_split", x, where, axis, true)
end)
for name, axis in pairs {vsplit = 1, dsplit = 3} do
  define(name, "x, indices_or_sections", function(x, where) return split(name, x, where, axis) end)
end
define("hsplit", "x, indices_or_sections", function(x, where)
  return split("hsplit", x, where, tensor(x).ndim == 1 and 1 or 2)
end)

define("unstack", "x, num=None, axis=1", function(x, num, axis)
  x = tensor(x)
  local a = axis_of("unstack", axis, x.ndim)
  local n, shape, out = x.shape[a + 1], x.shape, {}
  if num and num ~= n then
    err.raise("unstack: axis %d has %d elements, num is %d", a + 1, n, num)
  end
  table.remove(shape, a + 1)
  for i = 1, n do out[i] = reshape(part(x, a, i - 1, 1), shape) end
  return out
end)

-- wider ------------------------------------------------------------------------------------------

local modes = {constant = 0, reflect = 1, symmetric = 2}

local function pad_widths(width, n)
  if type(width) == "number" then width = {{width, width}} end
  if core.is_tensor(width) then width = core.totable(width) end
  if type(width[1]) == "number" then width = {{width[1], width[2] or width[1]}} end
  local before, after = {}, {}
  if #width ~= n and #width ~= 1 then
    err.raise("pad: pad_width has %d pairs, expected %d", #width, n)
  end
  for i = 1, n do
    local pair = width[i] or width[1]
    before[i] = common.integer("pad", "pad_width", pair[1])
    after[i] = common.integer("pad", "pad_width", pair[2] or pair[1])
  end
  return before, after
end

define("pad", 'x, pad_width, mode="constant", constant_values=None', function(x, width, mode, value)
  x = tensor(x)
  local number = modes[mode]
  if not number then
    err.raise("pad: mode is '%s', expected constant, reflect or symmetric", tostring(mode))
  end
  if value and mode ~= "constant" then
    err.raise("pad: constant_values goes with mode='constant', the mode is '%s'", mode)
  end
  local before, after = pad_widths(width, x.ndim)
  local ints = {number}
  for i = 1, 8 do ints[1 + i], ints[9 + i] = before[i] or 0, after[i] or 0 end
  if core.is_tensor(value) then value = core.item(value) end
  return core.apply("pad", {x}, ints, {value or 0})
end)

-- grids and windows ------------------------------------------------------------------------------

--- meshgrid(a, b, ...) or meshgrid{a, b, ..., indexing="ij"}: a list of grids.
function M.meshgrid(...)
  local given = select("#", ...) == 1 and args.is_record((...)) and (...) or {...}
  local indexing = given.indexing or "xy"
  local last = given[#given]
  if args.is_record(last) and last.indexing then
    indexing = last.indexing
    given = table.move(given, 1, #given - 1, 1, {})
  end
  err.check(indexing == "xy" or indexing == "ij", "meshgrid: indexing is '%s', expected xy or ij",
    tostring(indexing))
  local list, shape, n = {}, {}, #given
  for i = 1, n do
    list[i] = reshape(tensor(given[i]), {-1})
    shape[i] = list[i].size
  end
  local function place(i) return indexing == "xy" and i <= 2 and n > 1 and 3 - i or i end
  local all = {}
  for i = 1, n do all[place(i)] = shape[i] end
  for i = 1, n do
    local own = {}
    for k = 1, n do own[k] = k == place(i) and shape[i] or 1 end
    list[i] = broadcast_to(reshape(list[i], own), all)
  end
  return list
end

define("extract_sequences", "x, sequence_length, sequence_stride", function(x, length, stride)
  x = tensor(x)
  local n, rows = x.shape[x.ndim], {}
  common.integer("extract_sequences", "sequence_length", length, 1)
  common.integer("extract_sequences", "sequence_stride", stride, 1)
  for first = 0, n - length, stride do
    local row = {}
    for i = 1, length do row[i] = first + i - 1 end
    rows[#rows + 1] = row
  end
  err.check(#rows > 0, "extract_sequences: %d elements, expected at least %d", n, length)
  return core.apply("take", {x, core.new(rows, "int32")}, {x.ndim - 1, 0})
end)

-- Moves blocks of `block` x `block` pixels into channels, or back.
local function block_op(name, blocks)
  define(name, 'x, block_size, data_format="channels_last"', function(x, k, data_format)
    x = tensor(x)
    common.integer(name, "block_size", k, 2)
    if x.ndim ~= 4 then err.raise("%s: x has %d dimensions, expected 4", name, x.ndim) end
    local last = data_format ~= "channels_first"
    if not last then x = permute(x, {0, 2, 3, 1}) end
    local s = x.shape
    local y = blocks(x, s[1], s[2], s[3], s[4], k)
    return last and y or permute(y, {0, 3, 1, 2})
  end)
end

block_op("space_to_depth", function(x, b, h, w, c, k)
  if h % k ~= 0 or w % k ~= 0 then
    err.raise("space_to_depth: %d x %d pixels, expected multiples of %d", h, w, k)
  end
  local cells = reshape(x, {b, h // k, k, w // k, k, c})
  return reshape(permute(cells, {0, 1, 3, 2, 4, 5}), {b, h // k, w // k, k * k * c})
end)

block_op("depth_to_space", function(x, b, h, w, c, k)
  if c % (k * k) ~= 0 then
    err.raise("depth_to_space: %d channels, expected a multiple of %d", c, k * k)
  end
  local cells = reshape(x, {b, h, w, k, k, c // (k * k)})
  return reshape(permute(cells, {0, 1, 3, 2, 4, 5}), {b, h * k, w * k, c // (k * k)})
end)

M.rearrange = require "nnlua.ops.rearrange"

return M
