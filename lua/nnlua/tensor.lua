-- Methods of tensors: the few that work on storage stand here, all others are nn.ops by name.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"

local methods = core.methods

local function ops() return require "nnlua.ops" end

local traced = core.is_traced

local function shape_argument(t, ...)
  local shape = ...
  if type(shape) ~= "table" then shape = {...} end
  shape = table.move(shape, 1, #shape, 1, {})
  local rest, known = nil, 1
  for i, n in ipairs(shape) do
    if n == -1 then
      err.check(not rest, "reshape: more than one dimension is -1")
      rest = i
    else
      known = known * n
    end
  end
  if rest then shape[rest] = known > 0 and t.size // known or 0 end
  return shape
end

--- t:reshape{2, -1}: a view where the memory allows it.
function methods.reshape(t, ...)
  if traced(t) or core.recording() then return ops().reshape(t, (shape_argument(t, ...))) end
  return core.reshape(t, shape_argument(t, ...))
end

--- t:transpose() reverses the axes, t:transpose{2, 1, 3} orders them: a view.
function methods.transpose(t, axes)
  if traced(t) or core.recording() then return ops().transpose(t, axes) end
  if not axes then
    axes = {}
    for i = 1, t.ndim do axes[i] = t.ndim + 1 - i end
  end
  return core.permute(t, axes)
end

--- t:slice{{1, 10}, {2, 2}}: inclusive ranges, a view. {} or nil takes all of a dimension.
function methods.slice(t, ranges)
  err.check(type(ranges) == "table", "slice: expected a list of ranges, got %s", err.show(ranges))
  if traced(t) or core.recording() then return ops().slice_ranges(t, ranges) end
  return core.view(t, ranges)
end

--- t:astype("int32"): a new tensor.
function methods.astype(t, dtype)
  if traced(t) or core.recording() then return ops().cast(t, dtype) end
  return core.astype(t, dtype)
end

--- A new tensor with the same elements.
function methods.clone(t)
  if traced(t) or core.recording() then return ops().copy(t) end
  return core.astype(t)
end

methods.item = core.item
methods.totable = core.totable

--- t:copy_from(src): src's elements into t's storage.
function methods.copy_from(t, src) return core.copy(t, src) end

-- t[i] on a traced tensor.
function methods.__item(t, i) return ops().take(t, i, 1) end

local function fall_through(_, name)
  local fn = ops()[name]
  if type(fn) ~= "function" then
    err.raise("tensor: there is no method '%s'", tostring(name))
  end
  return fn
end

setmetatable(methods, {__index = fall_through})

core.tensor_metatable.__tostring = function(t)
  if traced(t) then
    return ("<traced tensor, shape=(%s), dtype=%s>"):format(table.concat(t.shape, ", "), t.dtype)
  end
  return require("nnlua.text").tensor(t)
end
core.tensor_metatable.__name = "nn.Tensor"

local tensor = {}

--- A tensor of a number, nested tables or another tensor.
function tensor.new(data, dtype)
  if args.is_record(data) and data.dtype then data, dtype = data[1], data.dtype end
  return core.new(data, dtype)
end

return tensor
