-- CategoryEncoding, Hashing and HashedCrossing: integers and strings to indices and their
-- encodings.

local core = require "nnlua.core"
local categorical = require "nnlua.layers.categorical"
local err = require "nnlua.err"
local Layer = require "nnlua.layers.layer"

local M = {}

local Preprocessing = categorical.Preprocessing

-- CategoryEncoding --------------------------------------------------------------------------------

-- Ids 0 ... num_tokens - 1 to one_hot, multi_hot or count rows; other ids give no column.
M.CategoryEncoding = Preprocessing:extend("CategoryEncoding", {
  args = 'num_tokens=None, output_mode="multi_hot", sparse=False',
})

function M.CategoryEncoding:init(a)
  if a.output_mode == "binary" then a.output_mode = "multi_hot" end
  local mode = a.output_mode
  if mode ~= "one_hot" and mode ~= "multi_hot" and mode ~= "count" then
    err.raise("CategoryEncoding: unknown output_mode '%s', expected one_hot, multi_hot or count",
      tostring(mode))
  end
  err.check(a.num_tokens ~= nil, "CategoryEncoding: num_tokens is missing")
  if math.tointeger(a.num_tokens) == nil or a.num_tokens < 1 then
    err.raise("CategoryEncoding: num_tokens is %s, expected an integer above 0",
      err.show(a.num_tokens))
  end
  err.check(not a.sparse, "CategoryEncoding: sparse tensors are not supported")
  Layer.init(self, a)
  self.num_tokens, self.output_mode, self.sparse = math.tointeger(a.num_tokens), mode, false
  self.built = true
end

function M.CategoryEncoding:call(x, ctx)
  local counts = ctx.count_weights
  if counts and self.output_mode ~= "count" then
    err.raise("CategoryEncoding: count_weights is for output_mode 'count', not '%s'",
      self.output_mode)
  end
  return categorical.encode(x, self.output_mode, self.num_tokens, "float32", counts)
end

-- Hashing -----------------------------------------------------------------------------------------

-- Strings and integers to 0 ... num_bins - 1 by FarmHash, or SipHash-2-4 with a salt.
M.Hashing = Preprocessing:extend("Hashing", {
  args = [[num_bins, mask_value=None, salt=None, output_mode="int", sparse=False]],
})

local function check_bins(self, n)
  if math.tointeger(n) == nil or n < 1 then
    err.raise("%s: num_bins is %s, expected an integer above 0", self.class_name, err.show(n))
  end
  return math.tointeger(n)
end

function M.Hashing:init(a)
  categorical.check_mode("Hashing", a.output_mode)
  err.check(not a.sparse, "Hashing: sparse tensors are not supported")
  Layer.init(self, a)
  self.num_bins = check_bins(self, a.num_bins)
  if a.mask_value ~= nil and self.num_bins < 2 then
    err.raise("Hashing: num_bins is 1, expected 2 or more with a mask_value")
  end
  rawset(self, "key", categorical.key_of(self, a.salt))
  self.salt, self.mask_value, self.output_mode, self.sparse = a.salt, a.mask_value, a.output_mode,
    false
  self.built = true
end

function M.Hashing:call_text(list, shape)
  local key, out, masked = self.key or {}, {}, self.mask_value ~= nil
  local bins = masked and self.num_bins - 1 or self.num_bins
  for i, s in ipairs(list) do
    if masked and s == self.mask_value then
      out[i] = 0
    else
      out[i] = core.hash_bin(tostring(s), bins, key[1], key[2]) + (masked and 1 or 0)
    end
  end
  return categorical.encode(categorical.integers(out, shape), self.output_mode, self.num_bins,
    "float32")
end

function M.Hashing:call(x)
  local key, mask = self.key or {}, math.tointeger(self.mask_value)
  local bins = core.apply("hash_bins", {x}, {self.num_bins, self.key ~= nil, key[1] or 0,
    key[2] or 0, mask ~= nil, mask or 0})
  return categorical.encode(bins, self.output_mode, self.num_bins, "float32")
end

-- Keras wants indices to be integers.
local function with_dtype(self, config)
  if self.output_mode == "int" and not config.dtype:find "^int" then config.dtype = "int64" end
  return config
end

function M.Hashing:get_config() return with_dtype(self, Layer.get_config(self)) end

-- HashedCrossing ----------------------------------------------------------------------------------

-- Two or more columns, (N) or (N, 1) each, to one index of their combination.
M.HashedCrossing = Preprocessing:extend("HashedCrossing", {
  args = [[num_bins, output_mode="int", sparse=False, name=None, dtype=None]],
})

function M.HashedCrossing:init(a)
  if a.output_mode ~= "int" and a.output_mode ~= "one_hot" then
    err.raise("HashedCrossing: unknown output_mode '%s', expected int or one_hot",
      tostring(a.output_mode))
  end
  err.check(not a.sparse, "HashedCrossing: sparse tensors are not supported")
  Layer.init(self, a)
  self.num_bins = check_bins(self, a.num_bins)
  self.output_mode, self.sparse = a.output_mode, false
  self.built = true
end

local function finish(self, indices)
  if self.output_mode == "int" then return indices end
  return categorical.encode(indices, "one_hot", self.num_bins, "float32")
end

local function columns_of(inputs)
  local lists, shape = {}, nil
  for i, column in ipairs(inputs) do
    if core.is_tensor(column) then column = core.totable(core.astype(column, "int32")) end
    local list, s = categorical.flatten(column, "HashedCrossing")
    if i > 1 and #list ~= #lists[1] then
      err.raise("HashedCrossing: column %d has %d rows, column 1 has %d", i, #list, #lists[1])
    end
    lists[i], shape = list, shape or s
  end
  return lists, shape
end

local function has_text(inputs)
  for _, column in ipairs(inputs) do
    if categorical.is_text(column) then return true end
  end
  return false
end

function M.HashedCrossing.__call(self, inputs, ctx)
  if type(inputs) ~= "table" or core.is_tensor(inputs) or #inputs < 2 then
    err.raise("HashedCrossing: expected a list of at least two columns")
  end
  if not has_text(inputs) then
    local tensors = {}
    for i, column in ipairs(inputs) do
      local plain = type(column) == "table" and getmetatable(column) == nil
      tensors[i] = plain and core.new(column, "int32") or column
    end
    return Layer.__call(self, tensors, ctx)
  end
  local lists, shape = columns_of(inputs)
  local out = {}
  for row = 1, #lists[1] do
    local parts = {}
    for i, list in ipairs(lists) do
      parts[i] = type(list[row]) == "number" and math.tointeger(list[row]) or list[row]
    end
    out[row] = core.cross_bin(parts, self.num_bins)
  end
  return finish(self, categorical.integers(out, shape))
end

function M.HashedCrossing:call(inputs)
  return finish(self, core.apply("hash_cross", inputs, {self.num_bins}))
end

function M.HashedCrossing:get_config()
  local config = with_dtype(self, Layer.get_config(self))
  config.trainable = nil
  return config
end

return M
