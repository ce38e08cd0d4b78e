-- nn.utils.timeseries_dataset_from_array: sliding windows over a series as a data set.

local core = require "nnlua.core"
local args = require "nnlua.args"
local Dataset = require "nnlua.data.dataset"
local err = require "nnlua.err"
local seed = require "nnlua.seed"

local where = "timeseries_dataset_from_array"

local function integer(a, name, least, most)
  local v = a[name]
  if v == nil then return end
  if math.tointeger(v) == nil or v < least or (most and v > most) then
    err.raise("%s: %s is %s, expected an integer of %d%s", where, name, err.show(v), least,
      most and " to " .. most or " or more")
  end
end

local function check(a, length)
  integer(a, "sequence_length", 1, length)
  integer(a, "sequence_stride", 1, length)
  integer(a, "sampling_rate", 1, length)
  integer(a, "batch_size", 1)
  integer(a, "start_index", 1, length)
  integer(a, "end_index", 1, length)
  if a.start_index and a.end_index and a.start_index > a.end_index then
    err.raise("%s: start_index %d is behind end_index %d", where, a.start_index, a.end_index)
  end
end

-- Rows (from 0) where windows begin, in order or shuffled.
local function starts_of(a, first, last, targets)
  local windows = last - first + 1 - (a.sequence_length - 1) * a.sampling_rate
  if targets then windows = math.min(windows, #targets - first + 1) end
  if windows < 1 then
    err.raise("%s: a window spans %d rows, there are %d", where,
      (a.sequence_length - 1) * a.sampling_rate + 1, last - first + 1)
  end
  local count = (windows - 1) // a.sequence_stride + 1
  return core.arange(count, first - 1, a.sequence_stride, "int32"), count
end

--- Windows of `sequence_length` rows as a data set of batches. Window i begins at row
--- start_index + (i - 1) * sequence_stride and takes every `sampling_rate`-th row; its target is
--- the row of `targets` at its beginning, so shift the targets to predict ahead.
---@param data nn.Tensor (rows, ...) the series
---@param targets nn.Tensor? (rows, ...) or nil: windows alone
---@param batch_size integer? 128; nn.None gives windows one by one
---@param start_index integer? first row that is used, from 1
---@param end_index integer? last row that is used
---@return nn.data.Dataset
return args.fn(where, [[data, targets, sequence_length, sequence_stride=1, sampling_rate=1,
  batch_size=128, shuffle=False, seed=None, start_index=None, end_index=None, format="tf"]],
  function(series, targets, length, stride, rate, batch_size, shuffle, given_seed, first, last)
    series = core.new(series)
    if targets ~= nil then targets = core.new(targets) end
    local a = {sequence_length = length, sequence_stride = stride, sampling_rate = rate,
      batch_size = batch_size, start_index = first, end_index = last}
    err.check(series.ndim > 0, "%s: data is a single number, expected a series", where)
    check(a, #series)
    local starts, count = starts_of(a, first or 1, last or #series, targets)
    local steps = core.arange(length, 0, rate, "int32")
    local positions = Dataset.from_tensors{starts}
    if shuffle then positions = positions:shuffle{seed = given_seed or seed.next()} end
    local function windows(at)
      local n = #at
      local rows = core.astype(at:reshape{n, 1} + steps:reshape{1, length}, "int32")
      local x = core.apply("take", {series, rows}, {0, 0})
      return x, targets and core.apply("take", {targets, at}, {0, 0}) or nil
    end
    local batches = positions:batch(batch_size or 1):map(windows)
    if batch_size then return batches end
    local function alone(t) return t and (t.ndim > 1 and core.astype(t[1]) or core.new(t[1])) end
    return Dataset(function()
      local next_batch = batches.make()
      return function()
        local e = next_batch()
        return e and {alone(e[1]), alone(e[2])}
      end
    end, {count = count})
  end)
