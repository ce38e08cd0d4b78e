-- Sequences of different lengths as one matrix.

local args = require "nnlua.args"
local err = require "nnlua.err"

local signature = args.signature("pad_sequences", [[sequences, maxlen=None, dtype="int32",
  padding="pre", truncating="pre", value=0.0]])

local function check_side(name, side)
  if side ~= "pre" and side ~= "post" then
    err.raise("pad_sequences: %s is %s, expected 'pre' or 'post'", name,
      type(side) == "string" and ("'%s'"):format(side) or err.show(side))
  end
end

-- A list of sequences alone is not taken for a record of arguments: its second element is a
-- sequence too, where a record has maxlen.
local function bind(first, ...)
  if select("#", ...) > 0 or not args.is_record(first) then
    return args.collect(signature, first, ...)
  end
  for key in pairs(first) do
    if type(key) == "string" then return args.bind(signature, first) end
  end
  local inner = type(first[1]) == "table" and first[1][1]
  local record = type(inner) == "table" and type(first[2]) ~= "table"
  return args.bind(signature, record and first or {first})
end

local function check_sequences(sequences)
  err.check(type(sequences) == "table", "pad_sequences: sequences is %s, expected a list",
    err.show(sequences))
  for i, sequence in ipairs(sequences) do
    if type(sequence) ~= "table" then
      err.raise("pad_sequences: sequence %d is %s, expected a list", i, err.show(sequence))
    end
  end
end

local function longest(sequences)
  local n = 0
  for _, sequence in ipairs(sequences) do n = math.max(n, #sequence) end
  return n
end

local function fill(sequence, width, a, blank)
  local row, n = {}, #sequence
  local kept = math.min(n, width)
  local from = a.truncating == "pre" and n - kept or 0
  local to = a.padding == "pre" and width - kept or 0
  for i = 1, width do
    row[i] = i > to and i <= to + kept and sequence[from + i - to] or blank
  end
  return row
end

-- What stands in an empty place: the value, or a vector of it where the steps are vectors.
local function blank_of(sequences, value)
  for _, sequence in ipairs(sequences) do
    if type(sequence[1]) == "table" then
      local vector = {}
      for i = 1, #sequence[1] do vector[i] = value end
      return vector
    end
  end
  return value
end

--- The rows of pad_sequences as nested tables, and the dtype.
local function rows(...)
  local a = bind(...)
  check_side("padding", a.padding)
  check_side("truncating", a.truncating)
  check_sequences(a.sequences)
  local width = a.maxlen or longest(a.sequences)
  local whole = a.dtype ~= "float32" and math.tointeger(a.value) or a.value
  local blank, out = blank_of(a.sequences, whole), {}
  for i, sequence in ipairs(a.sequences) do out[i] = fill(sequence, width, a, blank) end
  return out, a.dtype
end

--- Sequences (lists of numbers, or of vectors) as a tensor (sequences, maxlen), cut or filled with
--- `value` at the front ("pre") or at the end ("post"). maxlen nil: the longest.
local function pad_sequences(...)
  local list, dtype = rows(...)
  return require("nnlua.tensor").new(list, dtype)
end

return {pad_sequences = pad_sequences, rows = rows}
