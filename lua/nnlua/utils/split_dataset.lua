-- nn.utils.split_dataset: a data set, or tensors, as two.

local args = require "nnlua.args"
local class = require "nnlua.class"
local Dataset = require "nnlua.data.dataset"
local err = require "nnlua.err"

-- A fraction of n rounds half to even, as Python's round does.
local function round(v)
  local low = math.floor(v)
  if v - low ~= 0.5 then return math.floor(v + 0.5) end
  return low % 2 == 0 and low or low + 1
end

local function rows_of(name, size, count)
  if size == nil then return nil end
  if math.type(size) == "float" and size > 0 and size < 1 then return round(count * size) end
  local n = math.tointeger(size)
  if not n or n < 1 or n >= count then
    err.raise("split_dataset: %s is %s, expected a fraction or 1 to %d rows", name, err.show(size),
      count - 1)
  end
  return n
end

-- All elements of a data set that does not know its length.
local function counted(dataset)
  local list = {}
  for e in dataset.make() do list[#list + 1] = e end
  return Dataset(function()
    local i = 0
    return function()
      i = i + 1
      return list[i]
    end
  end, {count = #list, batched = dataset.batched})
end

--- Two data sets, of the first left_size and the last right_size elements; each a fraction in
--- (0, 1) or a number of elements, and one of them may be left out: it gets the rest. With
--- `shuffle` the elements are mixed before (once, not each pass).
---@param dataset nn.data.Dataset|table a data set, or tensors {x, y}
---@return nn.data.Dataset left, nn.data.Dataset right
return args.fn("split_dataset", [[dataset, left_size=None, right_size=None, shuffle=False,
  seed=None, preferred_backend=None]], function(dataset, left, right, shuffle, seed)
  if not class.is(dataset, Dataset) then dataset = Dataset.from_tensors(dataset) end
  if left == nil and right == nil then
    err.raise("split_dataset: left_size and right_size are both missing")
  end
  if not dataset.count then dataset = counted(dataset) end
  local count = dataset.count
  local first, last = rows_of("left_size", left, count), rows_of("right_size", right, count)
  first, last = first or count - last, last or count - first
  if first + last > count then
    err.raise("split_dataset: left_size and right_size add up to %d, the data set has %d elements",
      first + last, count)
  end
  dataset = dataset:fixed()
  if shuffle then dataset = dataset:shuffle{seed = seed, reshuffle_each_iteration = false} end
  return dataset:take(first), dataset:skip(count - last)
end)
