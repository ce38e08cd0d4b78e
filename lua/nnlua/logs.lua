-- Logs: what hooks get. Plain tables name -> number with an order: names sorted, then the names
-- that callbacks add, as they come. `pairs` goes through them in this order.

local logs = {}

-- Only of tables that something was added to: the names of the others are sorted.
local order_of = setmetatable({}, {__mode = "k"})

local logs_mt = {}
local sorted_keys

function logs_mt.__newindex(t, key, value)
  local order = order_of[t]
  if not order then
    order = sorted_keys(t)
    order_of[t] = order
  end
  rawset(t, key, value)
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

function sorted_keys(t)
  local keys = {}
  for key in next, t do keys[#keys + 1] = key end
  if keys[2] ~= nil then table.sort(keys) end
  return keys
end

--- New logs with a copy of `values` (may be nil).
function logs.new(values)
  local t = {}
  if values then
    for key, value in next, values do t[key] = value end
  end
  return setmetatable(t, logs_mt)
end

--- `t` itself as logs, whatever it holds.
function logs.of(t) return setmetatable(t, logs_mt) end

--- What makes a table logs, for those who make them in C.
logs.metatable = logs_mt

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
