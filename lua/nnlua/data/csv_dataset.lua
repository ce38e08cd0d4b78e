-- nn.data.csv_dataset: batches of a CSV file that is read in portions, so that it may be larger
-- than memory. A portion is a table of rows; steps on it (one_hot, standardize with `like`) cost a
-- pass over its cells, and batches are views of the portion's tensors.

local core = require "nnlua.core"
local args = require "nnlua.args"
local data = require "nnlua.trainer.data"
local Dataset = require "nnlua.data.dataset"
local Table = require "nnlua.data.table"
local err = require "nnlua.err"
local seed = require "nnlua.seed"
local tree = require "nnlua.tree"

local signature = args.signature("csv_dataset", [[path, batch_size=32, label=None, map=None,
  portion=None, shuffle=False, seed=None, prefetch=True, delimiter=None, quote=None, header=None,
  names=None, na=None, types=None, decimal=None, thousands=None, comment=None, trim=None]])

local function positive(name, v)
  if math.tointeger(v) == nil or v < 1 then
    err.raise("csv_dataset: %s is %s, expected an integer above 0", name, err.show(v))
  end
end

local function by_label(label)
  local names = type(label) == "table" and label or {label}
  return function(t)
    if #names == 0 then return t:tensor() end
    return t:drop(names):tensor(), t:select(names):tensor()
  end
end

-- Strings and lists of the options as they are now: the reader keeps pointers to them.
local function frozen(v)
  if type(v) ~= "table" then return v end
  local copy = {}
  for key, one in pairs(v) do copy[key] = frozen(one) end
  return copy
end

-- A function that gives the next portion's tensors {x, y, w}, rows and a random order or nil.
local function portions(a, options, pass)
  local reader, number = core.io.csv_reader(a.path, options, a.portion, a.prefetch), 0
  return function()
    local count, columns = reader:next()
    if count == 0 then
      reader:close()
      return nil
    end
    number = number + 1
    local x, y, w = a.map(Table(count, columns))
    x = data.tensors(x, "csv_dataset", "x")
    y = data.tensors(y, "csv_dataset", "y")
    w = data.tensors(w, "csv_dataset", "sample_weight")
    local rows = data.check_rows("csv_dataset", x, y, w)
    local order = a.shuffle and core.rng.permutation(rows, a.seed, 4, pass * 1048576 + number)
    return {x, y, w}, rows, order
  end
end

local function cut(parts, order, from, to)
  local function cut_one(t)
    if not order then return core.view(t, {{from, to}}) end
    return core.apply("take", {t, core.view(order, {{from, to}})}, {0, 0})
  end
  return {tree.map(cut_one, parts[1]), tree.map(cut_one, parts[2]), tree.map(cut_one, parts[3])}
end

--- Batches of a CSV file, read in portions of `portion` rows (the nearest multiple of batch_size to
--- 8192). `map(table)` turns a portion, an nn.data.Table, into x, y and sample_weight; without it
--- all columns are x but those named in `label`, which are y. `shuffle=true` mixes the rows inside
--- each portion, in a new order each pass. The types of the columns are those of the first portion,
--- so declare `types` where later rows may differ; the other options are those of nn.data.csv.
--- A thread parses the next portion meanwhile (`prefetch=false`: none).
---@return nn.data.Dataset
return function(...)
  local a = args.collect(signature, ...)
  err.check(type(a.path) == "string", "csv_dataset: path is %s, expected a string",
    err.show(a.path))
  positive("batch_size", a.batch_size)
  a.portion = a.portion or math.max(1, 8192 // a.batch_size) * a.batch_size
  positive("portion", a.portion)
  a.portion = -(-a.portion // a.batch_size) * a.batch_size
  if a.map ~= nil and type(a.map) ~= "function" then
    err.raise("csv_dataset: map is %s, expected a function", err.show(a.map))
  end
  a.map = a.map or by_label(a.label)
  a.seed = a.seed or seed.next()
  local options, pass = frozen(a), 0
  return Dataset(function()
    pass = pass + 1
    local next_portion = portions(a, options, pass)
    local parts, rows, order, at = nil, 0, nil, 0
    return function()
      if at >= rows then
        parts, rows, order = next_portion()
        at = 0
        if not parts then
          rows = 0
          return nil
        end
      end
      local to = math.min(rows, at + a.batch_size)
      local batch = cut(parts, order, at + 1, to)
      at = to
      return batch
    end
  end, {batched = true})
end
