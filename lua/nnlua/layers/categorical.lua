-- What the preprocessing layers of categories share: nested Lua tables of strings and integers,
-- the calls that take them, reading data to adapt to, and the encodings of indices.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local Layer = require "nnlua.layers.layer"

local categorical = {}

local function ops() return require "nnlua.ops" end

--- True for a string or a nested table whose first leaf is one: what no tensor can hold.
function categorical.is_text(x)
  while args.is_record(x) do x = x[1] end
  return type(x) == "string"
end

--- A nested table's leaves in order and its shape; raises when rows differ in length.
function categorical.flatten(x, where)
  local shape, at = {}, x
  while args.is_record(at) do
    shape[#shape + 1] = #at
    at = at[1]
  end
  local list = {}
  local function walk(v, depth)
    if depth > #shape then
      list[#list + 1] = v
      return
    end
    if not args.is_record(v) or #v ~= shape[depth] then
      err.raise("%s: the rows of the table differ in length", where)
    end
    for i = 1, #v do walk(v[i], depth + 1) end
  end
  walk(x, 1)
  return list, shape
end

--- The nested table of a flat list.
function categorical.nest(list, shape)
  local at = 0
  local function level(depth)
    if depth > #shape then
      at = at + 1
      return list[at]
    end
    local out = {}
    for i = 1, shape[depth] do out[i] = level(depth + 1) end
    return out
  end
  return level(1)
end

--- An int32 tensor of a flat list.
function categorical.integers(list, shape)
  if #list == 0 then return core.full(shape, 0, "int32") end
  return core.reshape(core.new(list, "int32"), shape)
end

--- The key of SipHash: two integers, of one number twice the same.
function categorical.key_of(self, salt)
  if salt == nil then return nil end
  if math.tointeger(salt) then return {math.tointeger(salt), math.tointeger(salt)} end
  if type(salt) ~= "table" or #salt ~= 2 then
    err.raise("%s: salt is %s, expected an integer or two", self.class_name, err.show(salt))
  end
  return {math.tointeger(salt[1]), math.tointeger(salt[2])}
end

-- calls ------------------------------------------------------------------------------------------

local Preprocessing = Layer:extend("Preprocessing", {args = ""})

--- layer(x): text goes to `call_text(list, shape, ctx)`, everything else to `call` as usual.
function Preprocessing.__call(self, x, ctx)
  if categorical.is_text(x) then
    if not self.call_text then
      err.raise("%s: got strings, expected numbers", self.class_name)
    end
    local list, shape = categorical.flatten(x, self.class_name)
    return self:call_text(list, shape, ctx or {})
  end
  return Layer.__call(self, x, ctx)
end

categorical.Preprocessing = Preprocessing

--- Calls f(batch) for the data to adapt to: an array, nested tables, or batches of a data set or of
--- an iterator function.
function categorical.each_batch(data, f, where)
  if type(data) == "function" then
    for batch in data do f(batch) end
  elseif class.is(data, require("nnlua.data").Dataset) then
    local batches = data.batched and data or data:batch(256)
    for element in batches.make() do f(element[1]) end
  elseif core.is_tensor(data) or type(data) == "table" then
    f(data)
  else
    err.raise("%s: data is %s, expected a tensor, a table or batches", where, err.show(data))
  end
end

-- encodings --------------------------------------------------------------------------------------

local modes = {int = true, one_hot = true, multi_hot = true, count = true}

--- Raises unless `mode` is one of the usual output modes (or tf_idf where `more` says so).
function categorical.check_mode(where, mode, more)
  if modes[mode] or (more and mode == more) then return end
  err.raise("%s: unknown output_mode '%s', expected int, one_hot, multi_hot or count%s", where,
    tostring(mode), more and " or " .. more or "")
end

--- Indices (from 0; others give no column) to rows of `depth` numbers.
---@param counts nn.Tensor? what an occurrence counts, for "count"
function categorical.encode(indices, mode, depth, dtype, counts)
  if mode == "int" then return indices end
  local shape = indices.shape
  if #shape == 0 then indices = ops().reshape(indices, {1}) end
  if mode == "one_hot" then
    if #shape > 1 and shape[#shape] == 1 then indices = ops().squeeze(indices, -1) end
    return ops().one_hot{indices, depth, dtype = dtype}
  end
  local rows = ops().one_hot{indices, depth, dtype = dtype}
  if mode == "multi_hot" then return ops().max(rows, {axis = -2}) end
  if counts then
    rows = ops().cast(rows, "float32") * ops().expand_dims(core.new(counts), -1)
  end
  return ops().sum(rows, {axis = -2})
end

return categorical
