-- Weights by the variables' paths (safetensors, npz), and putting them back: all values are checked
-- before the first one is written, so a failed load leaves the model as it was.

local core = require "nnlua.core"
local err = require "nnlua.err"
local put = require "nnlua.saving.put"
local shapes = require "nnlua.shapes"
local terminal = require "nnlua.terminal"

local state = {}

local prefix = "optimizer/vars/"

--- {{path, tensor, variable}, ...} of the weights, in order. Paths that occur twice get .1, .2 ...
function state.weights(model)
  local list, seen = {}, {}
  for i, v in ipairs(model.weights) do
    local path = v.path
    seen[path] = (seen[path] or -1) + 1
    if seen[path] > 0 then path = ("%s.%d"):format(path, seen[path]) end
    list[i] = {path, v.tensor, v}
  end
  return list
end

--- The same and the optimizer's variables as `optimizer/vars/0` and so on.
function state.all(model)
  local list = state.weights(model)
  local optimizer = model.optimizer
  if not optimizer or not optimizer.built then return list end
  for i, v in ipairs(optimizer.variables) do
    list[#list + 1] = {prefix .. (i - 1), core.is_tensor(v) and v or v.tensor, v}
  end
  return list
end

-- "dense/kernel" for "sequential/dense/kernel" when one value alone would be called so.
local function by_tail(values)
  local tails = {}
  for path, v in pairs(values) do
    local tail = path:match "^[^/]+/(.+/.+)$"
    if tail and path:sub(1, #prefix) ~= prefix then tails[tail] = tails[tail] == nil and v end
  end
  return tails
end

local function lookup(values, tails, path)
  local tail = path:match "^[^/]+/(.+/.+)$"
  return values[path] or (tail and (values[tail] or tails[tail])) or tails[path] or nil
end

local function check(value, variable, path, where)
  if not value then return ("%s: no values for '%s'"):format(where, path) end
  if not shapes.same(value.shape, variable.shape) then
    return ("%s: '%s' is %s in the file, expected %s"):format(where, path,
      shapes.text(value.shape), shapes.text(variable.shape))
  end
end

local function plan_optimizer(model, values, where, warnings)
  local optimizer, writes = model.optimizer, {}
  if not optimizer or not values[prefix .. "0"] then return writes end
  if not optimizer.built then optimizer:build(model.trainable_variables) end
  for i, v in ipairs(optimizer.variables) do
    local path = prefix .. (i - 1)
    local problem = check(values[path], v, path, where)
    if problem then
      warnings[#warnings + 1] = problem .. "; the optimizer's variables are left out"
      return {}
    end
    writes[i] = {v, values[path]}
  end
  return writes
end

-- The variables of layers that are to be left alone.
local function left_alone(options)
  local set = {}
  for _, object in ipairs(options.objects_to_skip or {}) do
    for _, v in ipairs(object.weights or {}) do set[v] = true end
  end
  return set
end

local function put_values(model, values, options, where)
  local writes, warnings, tails, alone = {}, {}, by_tail(values), left_alone(options)
  for _, w in ipairs(state.weights(model)) do
    local value = lookup(values, tails, w[1])
    local problem = check(value, w[3], w[1], where)
    local stays = alone[w[3]] or options.by_name and not value
    if not stays and not problem then
      writes[#writes + 1] = {w[3], value}
    elseif not stays and options.skip_mismatch then
      warnings[#warnings + 1] = problem
    elseif not stays then
      err.raise("%s", problem)
    end
  end
  local more = plan_optimizer(model, values, where, warnings)
  table.move(more, 1, #more, #writes + 1, writes)
  put.write(writes, where)
  for _, text in ipairs(warnings) do terminal.warn(text) end
end

--- Puts values[path] into the weights and into the optimizer. options: skip_mismatch; by_name: what
--- the file does not hold stays; objects_to_skip.
function state.put(model, values, options, where)
  put.guarded(model.optimizer, put_values, model, values, options, where)
end

--- Bytes of the weights among the values.
function state.bytes(values)
  local total = 0
  for path, t in pairs(values) do
    if path:sub(1, #prefix) ~= prefix then total = total + t.size * 4 end
  end
  return total
end

return state
