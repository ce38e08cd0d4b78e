-- rearrange(tensor, "b (h w) c -> b h w c", {h = 2}): axes named, split, joined and reordered.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

-- "a (b c)" as a list of groups of names.
local function groups_of(text)
  local groups, open = {}, nil
  for word in text:gsub("[()]", " %0 "):gmatch "%S+" do
    if word == "(" then
      open = {}
    elseif word == ")" then
      groups[#groups + 1], open = open, nil
    elseif word == "1" then
      groups[#groups + 1] = {}
    elseif word:find "^[%a_][%w_]*$" then
      if open then open[#open + 1] = word else groups[#groups + 1] = {word} end
    else
      err.raise("rearrange: '%s' is no name of an axis", word)
    end
  end
  return groups
end

-- Finds the sizes of the names of one group of `n` elements.
local function solve(group, n, sizes)
  local known, unknown = 1, nil
  for _, name in ipairs(group) do
    if sizes[name] then
      known = known * sizes[name]
    elseif unknown then
      err.raise("rearrange: the sizes of %s and %s are unknown, expected one of them", unknown,
        name)
    else
      unknown = name
    end
  end
  if unknown then sizes[unknown] = n // known end
  if known * (unknown and sizes[unknown] or 1) ~= n then
    err.raise("rearrange: an axis of %d elements is not (%s)", n, table.concat(group, " "))
  end
end

local function run(x, pattern, sizes)
  x = common.tensor(x)
  local left, right = pattern:match "^(.-)%->(.*)$"
  err.check(left, "rearrange: the pattern '%s' has no ->", pattern)
  local from, to = groups_of(left), groups_of(right)
  if #from ~= x.ndim then
    err.raise("rearrange: '%s' names %d axes, x has %d", left, #from, x.ndim)
  end
  local order_of, flat, n = {}, {}, 0
  for i, group in ipairs(from) do
    solve(group, x.shape[i], sizes)
    for _, name in ipairs(group) do
      flat[#flat + 1], order_of[name], n = sizes[name], n, n + 1
    end
  end
  local order, shape = {}, {}
  for _, group in ipairs(to) do
    local size = 1
    for _, name in ipairs(group) do
      err.check(order_of[name], "rearrange: the axis '%s' is new on the right", name)
      order[#order + 1] = order_of[name]
      size = size * sizes[name]
    end
    shape[#shape + 1] = size
  end
  if #order ~= n then err.raise("rearrange: '%s' does not use every axis of '%s'", right, left) end
  return common.reshape(core.apply("transpose", {common.reshape(x, flat)}, order), shape)
end

--- Each named length becomes an argument of the call.
return function(...)
  local named, record = {}, {}
  for i = 1, select("#", ...) do
    local v = select(i, ...)
    if args.is_record(v) then
      for key, item in pairs(v) do record[key] = item end
    else
      record[i] = v
    end
  end
  for key in pairs(record) do
    if type(key) == "string" and key ~= "tensor" and key ~= "pattern" then
      named[#named + 1] = key
    end
  end
  table.sort(named)
  local text = "tensor, pattern"
  for _, name in ipairs(named) do text = text .. ", " .. name end
  return args.fn("rearrange", text, function(x, pattern, ...)
    local sizes = {}
    for i, name in ipairs(named) do sizes[name] = select(i, ...) end
    return run(x, pattern, sizes)
  end)(record)
end
