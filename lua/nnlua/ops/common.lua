-- What the families of ops share: tensors from arguments, axes and dtypes.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"

local common = {}

local dtype_numbers = {float32 = 0, int32 = 1, uint8 = 2, bool = 2, float = 0, int = 1}

--- The number of a dtype in attributes.
function common.dtype_number(op, name)
  return dtype_numbers[name]
    or err.raise("%s: unknown dtype '%s', expected float32, int32 or uint8", op, tostring(name))
end

--- A tensor from what a user passes: a tensor, a variable, a number, nested tables.
function common.tensor(x)
  if core.is_tensor(x) then return x end
  if type(x) == "table" and getmetatable(x) ~= nil and core.is_tensor(x.tensor) then
    return x.tensor
  end
  return core.new(x)
end

--- As `tensor`, but a number or a list without a fraction becomes int32, as in Keras.
function common.number_tensor(x)
  if math.type(x) == "integer" then return core.new(x, "int32") end
  if type(x) ~= "table" or getmetatable(x) ~= nil then return common.tensor(x) end
  local function whole(v)
    if type(v) ~= "table" then return math.type(v) == "integer" end
    for _, item in ipairs(v) do if not whole(item) then return false end end
    return true
  end
  return core.new(x, whole(x) and "int32" or "float32")
end

--- Declares module[name](x), which tells of a tensor what is known before it has values: it takes
--- the symbolic tensors of a functional model too (sizes that are unknown there are false or nil).
function common.inspect(module, name, of)
  local fn = args.fn(name, "x", function(x) return of(common.tensor(x)) end)
  module[name] = function(...)
    local x = ...
    if type(x) == "table" and x.__keras_tensor then return of(x) end
    return fn(...)
  end
end

--- The tensors of a list (a tensor's rows when it is one).
function common.tensors(op, list)
  if core.is_tensor(list) then
    local rows = {}
    for i = 1, #list do rows[i] = common.tensor(list[i]) end
    return rows
  end
  err.check(type(list) == "table" and #list > 0, "%s: expected a list of tensors, got %s", op,
    type(list) == "table" and "an empty one" or err.show(list))
  local out = {}
  for i, x in ipairs(list) do out[i] = common.tensor(x) end
  return out
end

--- The axis from 0 of an axis from 1 or from the end, of n axes.
function common.axis(op, axis, n)
  local at = math.tointeger(axis)
  if not at then err.raise("%s: axis is %s, expected an integer", op, err.show(axis)) end
  at = at < 0 and at + n or at - 1
  if axis == 0 or at < 0 or at >= n then
    err.raise("%s: axis %d, expected 1 to %d or -1 to %d", op, axis, n, -n)
  end
  return at
end

--- A list of axes from 0, from one axis or a list of them.
function common.axes(op, axes, n)
  if type(axes) ~= "table" then axes = {axes} end
  local out = {}
  for i, axis in ipairs(axes) do out[i] = common.axis(op, axis, n) end
  return out
end

--- A shape argument: a number or a list of integers, as a new list.
function common.shape(op, shape)
  if type(shape) == "number" then shape = {shape} end
  if core.is_tensor(shape) and not core.is_traced(shape) then shape = shape:totable() end
  err.check(type(shape) == "table", "%s: shape is %s, expected a list of integers", op,
    err.show(shape))
  local out = {}
  for i, n in ipairs(shape) do
    out[i] = math.tointeger(n)
      or err.raise("%s: dimension %d is %s, expected an integer", op, i, err.show(n))
  end
  return out
end

--- An integer argument of at least `least`.
function common.integer(op, name, v, least)
  local n = math.tointeger(v)
  if not n or least and n < least then
    err.raise("%s: %s is %s, expected an integer%s", op, name, err.show(v),
      least and " of at least " .. least or "")
  end
  return n
end

--- Raises when x is traced: the shape of the result, or the way there, depends on values.
function common.eager_only(op, ...)
  for i = 1, select("#", ...) do
    local x = select(i, ...)
    if core.is_traced(x) then
      err.raise("%s: the result depends on values in a way that cannot be traced; "
        .. "compile with run_eagerly=true", op)
    end
  end
end

--- The dtype that holds all of these tensors.
function common.join_dtype(list)
  local out = list[1].dtype
  for _, t in ipairs(list) do
    if t.dtype ~= out then
      out = (t.dtype == "float32" or out == "float32") and "float32" or "int32"
    end
  end
  return out
end

--- x with that dtype.
function common.cast(x, dtype)
  if x.dtype == dtype then return x end
  return core.apply("cast", {x}, {common.dtype_number("cast", dtype)})
end

--- The product of shape[first .. last].
function common.product(shape, first, last)
  local n = 1
  for i = first or 1, last or #shape do n = n * shape[i] end
  return n
end

function common.reshape(x, shape)
  return core.apply("reshape", {x}, {#shape, table.unpack(shape)})
end

function common.broadcast_to(x, shape)
  return core.apply("broadcast_to", {x}, {#shape, table.unpack(shape)})
end

--- x cut to count[i] elements from first[i] (from 0) on, step[i] apart; absent: all of the axis.
function common.cut(x, first, count, step)
  local ints, shape = {}, x.shape
  for i = 1, #shape do
    ints[i] = first[i] or 0
    ints[8 + i] = count[i] or shape[i]
    ints[16 + i] = step and step[i] or 1
  end
  for i = 1, 24 do ints[i] = ints[i] or 0 end
  return core.apply("slice", {x}, ints)
end

--- Elements first .. first + count - 1 (from 0) along one axis (from 0).
function common.part(x, axis, first, count, step)
  return common.cut(x, {[axis + 1] = first}, {[axis + 1] = count}, {[axis + 1] = step or 1})
end

--- The tensors one after the other along an axis (from 0), in the dtype that holds them all.
function common.concat(list, axis)
  local dtype, out = common.join_dtype(list), {}
  for i, t in ipairs(list) do out[i] = common.cast(t, dtype) end
  while #out > 200 do -- a call takes a limited number of inputs
    local joined = {}
    for i = 1, #out, 200 do
      local group = table.move(out, i, math.min(i + 199, #out), 1, {})
      joined[#joined + 1] = core.apply("concatenate", group, {axis})
    end
    out = joined
  end
  return core.apply("concatenate", out, {axis})
end

return common
