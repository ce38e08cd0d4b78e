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
  portion=None, shuffle=False, seed=None, prefetch=True, keep=None,
  delimiter=None, quote=None, header=None,
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

-- Portions that were parsed once lie in a file without a name, beside the CSV file or where the
-- system has its temporary files; later passes map them. Where no such file can be made or the disk
-- is full they are parsed again.

local function new_store(path)
  local folders = {path:match "^(.*)/[^/]*$" or ".", os.getenv "TMPDIR", "/var/tmp", "/tmp"}
  for i = 1, 4 do
    local file = folders[i] and core.io.spill(folders[i])
    if file then return {file = file, portions = {}, stamp = core.sys.stamp(path)} end
  end
  return {failed = true}
end

-- The disk gets its room back at once.
local function give_up(store)
  if not store.failed then store.file:close() end
  store.failed = true
end

local function put_aside(store, parts, rows)
  if store.failed then return end
  local function put(t)
    local at = not store.failed and t.size > 0 and store.file:write(t)
    if not at then
      give_up(store)
      return false
    end
    local shape, dtype = t.shape, t.dtype
    return function() return store.file:map(at, shape, dtype) end
  end
  store.portions[#store.portions + 1] = {rows = rows, tree.map(put, parts[1]),
    tree.map(put, parts[2]), tree.map(put, parts[3])}
end

local function mapped(one)
  local function map(load) return load() end
  return {tree.map(map, one[1]), tree.map(map, one[2]), tree.map(map, one[3])}
end

local function order_of(a, rows, pass, number)
  return a.shuffle and core.rng.permutation(rows, a.seed, 4, pass * 1048576 + number) or nil
end

-- A function that gives the next portion's tensors {x, y, w}, rows and a random order or nil.
local function kept_portions(a, store, pass)
  local number = 0
  return function()
    number = number + 1
    local one = store.portions[number]
    if not one then return nil end
    return mapped(one), one.rows, order_of(a, one.rows, pass, number)
  end
end

-- The same from the file.
local function parsed_portions(a, options, pass, store)
  local reader, number = core.io.csv_reader(a.path, options, a.portion, a.prefetch), 0
  return function()
    local count, columns = reader:next()
    if count == 0 then
      reader:close()
      if store and not store.failed then store.whole = true end
      return nil
    end
    number = number + 1
    local x, y, w = a.map(Table(count, columns))
    x = data.tensors(x, "csv_dataset", "x")
    y = data.tensors(y, "csv_dataset", "y")
    w = data.tensors(w, "csv_dataset", "sample_weight")
    local rows = data.check_rows("csv_dataset", x, y, w)
    if store then put_aside(store, {x, y, w}, rows) end
    return {x, y, w}, rows, order_of(a, rows, pass, number)
  end
end

local function cut(parts, order, from, to)
  local function cut_one(t)
    if not order then return core.view(t, {{from, to}}) end
    return core.apply("take", {t, core.view(order, {{from, to}})}, {0, 0})
  end
  return {tree.map(cut_one, parts[1]), tree.map(cut_one, parts[2]), tree.map(cut_one, parts[3])}
end

-- An iterator of batches.
local function batches(next_portion, size)
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
    local to = math.min(rows, at + size)
    local batch = cut(parts, order, at + 1, to)
    at = to
    return batch
  end
end

--- Batches of a CSV file, read in portions of `portion` rows (the nearest multiple of batch_size to
--- 8192). `map(table)` turns a portion, an nn.data.Table, into x, y and sample_weight; without it
--- all columns are x but those named in `label`, which are y. `shuffle=true` mixes the rows inside
--- each portion, in a new order each pass. The types of the columns are those of the first portion,
--- so declare `types` where later rows may differ; the other options are those of nn.data.csv.
--- A thread parses the next portion meanwhile (`prefetch=false`: none). The first pass puts x, y
--- and sample_weight aside in a temporary file for the later ones, where there is no `map`, which
--- may want to run each time; `keep` says so (true) or forbids it (false).
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
  if a.keep == nil then a.keep = a.map == nil end
  a.map = a.map or by_label(a.label)
  a.seed = a.seed or seed.next()
  local options, pass, store = frozen(a), 0, nil
  local function start()
    pass = pass + 1
    if store and store.whole and store.stamp == core.sys.stamp(a.path) then
      return kept_portions(a, store, pass)
    end
    if store and not store.whole then give_up(store) end -- another pass is at it, or left it
    store = a.keep and new_store(a.path) or nil
    return parsed_portions(a, options, pass, store)
  end
  return Dataset(function() return batches(start(), a.batch_size) end,
    {batched = true, portions = start, batch_size = a.batch_size})
end
