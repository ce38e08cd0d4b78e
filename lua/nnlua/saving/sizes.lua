-- Sizes that a model leaves open: the batch, and axes of inputs without a number. A model is traced
-- at several choices of them; a number that differs between the traces is a Size.
--
-- A Size is `plus` and, for each symbol (an open size) in `parts`, so many times it. One that is no
-- such sum (a product of two, half of one) has no parts: that it differs is all that is known.

local err = require "nnlua.err"
local shapes = require "nnlua.shapes"

local sizes = {}

local Size = {}
Size.__index = Size

--- True for a number that is not the same in all traces.
function sizes.is(v) return getmetatable(v) == Size end

--- True for sizes that were equal in all traces.
function sizes.same(a, b)
  if sizes.is(a) and sizes.is(b) then return a.key == b.key end
  return a == b
end

local function follows(list)
  for _, d in ipairs(list) do if sizes.is(d) then return true end end
  return false
end

sizes.any = follows

--- a + times * b; nil when that is not known.
function sizes.sum(a, times, b)
  if not sizes.is(a) and not sizes.is(b) then return a + times * b end
  local out = {parts = {}, plus = 0, key = ""}
  for _, term in ipairs{{a, 1}, {b, times}} do
    local v, n = term[1], term[2]
    if not sizes.is(v) then
      out.plus = out.plus + n * v
    elseif not v.parts then
      return nil
    else
      out.plus = out.plus + n * v.plus
      for s, k in pairs(v.parts) do out.parts[s] = (out.parts[s] or 0) + n * k end
    end
  end
  for s, k in pairs(out.parts) do if k == 0 then out.parts[s] = nil end end
  if not next(out.parts) then return out.plus end
  return setmetatable(out, Size)
end

-- symbols -----------------------------------------------------------------------------------------

-- What an open axis is in the traces: numbers that few divide, so that halves show.
local BATCH, AXIS = {3, 5, 8}, {67, 98, 141}

--- The symbols of inputs ({shape=, ...}, open sizes false), which get `open`, symbols by axis.
--- shared: the same axes of several inputs have one size.
function sizes.symbols(inputs, names, shared)
  local list, by_key = {}, {}
  for i, input in ipairs(inputs) do
    input.open = {}
    for d = 1, #input.shape do
      local key = (d == 1 or shared) and d or ("%d/%d"):format(i, d)
      if not input.shape[d] then
        if not by_key[key] then
          list[#list + 1] = {name = d == 1 and "batch" or ("%s_%d"):format(names[i], d), input = i,
            axis = d, trials = d == 1 and BATCH or AXIS}
          by_key[key] = #list
        end
        input.open[d] = by_key[key]
      end
    end
  end
  return list
end

--- The choices to trace: all first, each second in turn, all third.
function sizes.trials(symbols)
  local base, last, list = {}, {}, {}
  for s, symbol in ipairs(symbols) do base[s], last[s] = symbol.trials[1], symbol.trials[3] end
  list[1] = base
  for s, symbol in ipairs(symbols) do
    list[s + 1] = table.move(base, 1, #base, 1, {})
    list[s + 1][s] = symbol.trials[2]
  end
  if #symbols > 0 then list[#list + 1] = last end
  return list
end

--- One row: the batch is 1, and nothing else may be open.
function sizes.one_row(symbols, inputs, names, where)
  for _, symbol in ipairs(symbols) do
    if symbol.axis > 1 then
      err.raise("%s: a size of layer '%s' is unknown: %s", where, names[symbol.input],
        shapes.text(inputs[symbol.input].shape))
    end
  end
  return {symbols[1] and 1 or nil}
end

--- The number that was list[1], list[2], ... in the traces.
function sizes.join(list, symbols)
  local same, first = true, list[1]
  for i = 2, #list do same = same and list[i] == first end
  if same then return first end
  local out = {parts = {}, plus = first, key = table.concat(list, " ")}
  for s, symbol in ipairs(symbols) do
    local a, b = symbol.trials[1], symbol.trials[2]
    local times = (list[s + 1] - first) / (b - a)
    if times % 1 ~= 0 then return setmetatable({key = out.key}, Size) end
    times = math.tointeger(times)
    if times ~= 0 then out.parts[s] = times end
    out.plus = out.plus - times * a
  end
  local last = out.plus
  for s, times in pairs(out.parts) do last = last + times * symbols[s].trials[3] end
  if last ~= list[#list] then out.parts, out.plus = nil, nil end
  return setmetatable(out, Size)
end

return sizes
