-- Logs: what hooks get. Plain tables name -> number with an order: names sorted, then the names
-- that callbacks add, as they come. `pairs` goes through them in this order.

local logs = {}

local order_of = setmetatable({}, {__mode = "k"})

local logs_mt = {}

function logs_mt.__newindex(t, key, value)
  rawset(t, key, value)
  local order = order_of[t]
  for _, known in ipairs(order) do
    if known == key then return end
  end
  order[#order + 1] = key
end

function logs_mt.__pairs(t)
  local keys, i = logs.keys(t), 0
  return function()
    i = i + 1
    local key = keys[i]
    if key ~= nil then return key, t[key] end
  end
end

local function sorted_keys(t)
  local keys = {}
  for key in next, t do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- New logs with a copy of `values` (may be nil).
function logs.new(values)
  local t = {}
  for key, value in next, values or {} do t[key] = value end
  order_of[t] = sorted_keys(t)
  return setmetatable(t, logs_mt)
end

--- The names in order; of a table that is not from `logs.new`: sorted.
function logs.keys(t)
  local order = order_of[t]
  if not order then return sorted_keys(t) end
  local keys = {}
  for _, key in ipairs(order) do
    if t[key] ~= nil then keys[#keys + 1] = key end
  end
  return keys
end

--- The same values under names that start with `prefix`: the "val_" of validation.
function logs.prefixed(t, prefix)
  local out = {}
  for key, value in next, t do out[prefix .. key] = value end
  return out
end

return logs
