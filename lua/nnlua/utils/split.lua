-- Splitting rows into parts: train_test_split, k_fold.

local core = require "nnlua.core"
local args = require "nnlua.args"
local data = require "nnlua.trainer.data"
local err = require "nnlua.err"
local seed = require "nnlua.seed"
local tree = require "nnlua.tree"

local split = {}

local function take(v, rows)
  local ops = require "nnlua.ops"
  local index = core.new(rows, "int32")
  return tree.map(function(t) return ops.take(t, index, 1) end, v)
end

-- Row numbers (from 1) in a random order, or in theirs.
local function order_of(count, shuffle, given_seed)
  local rows = {}
  if not shuffle then
    for i = 1, count do rows[i] = i end
    return rows
  end
  local order = core.rng.permutation(count, given_seed or seed.next(), 2, 0)
  for i = 1, count do rows[i] = order[i] + 1 end
  return rows
end

local function class_of(y)
  local ops = require "nnlua.ops"
  if y.ndim == 2 and y.shape[2] > 1 then y = ops.argmax(y, {axis = -1}) end
  return core.totable(core.reshape(y, {y.shape[1]}))
end

-- Rows grouped by class, in the given order; classes sorted.
local function by_class(rows, labels)
  local groups, keys = {}, {}
  for _, row in ipairs(rows) do
    local c = labels[row]
    if not groups[c] then
      groups[c] = {}
      keys[#keys + 1] = c
    end
    table.insert(groups[c], row)
  end
  table.sort(keys)
  return groups, keys
end

local function test_count(size, count)
  local n = size
  if math.type(size) == "float" and size > 0 and size < 1 then n = math.ceil(count * size) end
  n = math.tointeger(n)
  if not n or n < 1 or n >= count then
    err.raise("train_test_split: test_size is %s, expected a fraction or 1 to %d rows",
      err.show(size), count - 1)
  end
  return n
end

-- Test rows for each class in proportion: largest remainders get the rows that are left.
local function stratified(rows, labels, n)
  local groups, keys = by_class(rows, labels)
  local shares, given = {}, 0
  for i, key in ipairs(keys) do
    local exact = #groups[key] * n / #rows
    shares[i] = {key = key, count = math.floor(exact), rest = exact % 1, index = i}
    given = given + shares[i].count
  end
  table.sort(shares, function(a, b)
    if a.rest ~= b.rest then return a.rest > b.rest end
    return a.index < b.index
  end)
  for i = 1, n - given do shares[i].count = shares[i].count + 1 end
  local is_test = {}
  for _, share in ipairs(shares) do
    for i = 1, share.count do is_test[groups[share.key][i]] = true end
  end
  return is_test
end

local function divide(rows, is_test)
  local train, test = {}, {}
  for _, row in ipairs(rows) do
    if is_test[row] then test[#test + 1] = row else train[#train + 1] = row end
  end
  return train, test
end

--- Splits x (and y) into rows for training and for testing.
---@param x nn.Tensor
---@param y nn.Tensor?
---@param test_size number a fraction in (0, 1) or a number of rows
---@param stratify nn.Tensor|boolean? class ids or one-hot rows whose shares are kept; true = y
---@return nn.Tensor x_train, nn.Tensor x_test, nn.Tensor? y_train, nn.Tensor? y_test
split.train_test_split = args.fn("train_test_split",
  "x, y=None, test_size=0.25, shuffle=True, stratify=None, seed=None",
  function(x, y, size, shuffle, stratify, given_seed)
    x = data.tensors(x, "train_test_split", "x")
    y = data.tensors(y, "train_test_split", "y")
    local count = data.check_rows("train_test_split", x, y)
    local n = test_count(size, count)
    local rows = order_of(count, shuffle, given_seed)
    local is_test = {}
    if stratify then
      is_test = stratified(rows, class_of(stratify == true and y or core.new(stratify)), n)
    else
      for i = count - n + 1, count do is_test[rows[i]] = true end
    end
    local train, test = divide(rows, is_test)
    local x_train, x_test = take(x, train), take(x, test)
    if y == nil then return x_train, x_test end
    return x_train, x_test, take(y, train), take(y, test)
  end)

local function folds_of(rows, labels, k)
  local fold_of, at = {}, 0
  local groups, keys
  if labels then groups, keys = by_class(rows, labels) else groups, keys = {rows}, {1} end
  for _, key in ipairs(keys) do
    for _, row in ipairs(groups[key]) do
      fold_of[row] = at % k + 1
      at = at + 1
    end
  end
  return fold_of
end

--- Iterates over k folds: `for i, train, test in nn.utils.k_fold{x, y, k=5} do`. train and test are
--- {x, y} with every row in exactly one test part.
---@param k integer 2 or more
split.k_fold = args.fn("k_fold", "x, y=None, k=5, shuffle=True, stratify=None, seed=None",
  function(x, y, k, shuffle, stratify, given_seed)
    x = data.tensors(x, "k_fold", "x")
    y = data.tensors(y, "k_fold", "y")
    local count = data.check_rows("k_fold", x, y)
    if math.tointeger(k) == nil or k < 2 or k > count then
      err.raise("k_fold: k is %s, expected 2 to %d", err.show(k), count)
    end
    local rows = order_of(count, shuffle, given_seed)
    local labels = stratify and class_of(stratify == true and y or core.new(stratify))
    local fold_of = folds_of(rows, labels, k)
    local i = 0
    return function()
      i = i + 1
      if i > k then return nil end
      local is_test = {}
      for row, fold in pairs(fold_of) do is_test[row] = fold == i end
      local train, test = divide(rows, is_test)
      return i, {take(x, train), y and take(y, train)}, {take(x, test), y and take(y, test)}
    end
  end)

return split
