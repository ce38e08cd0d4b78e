-- Structures of tensors: one, a list, or a table by name (several inputs or outputs).

local core = require "nnlua.core"

local tree = {}

--- True for what stands at a leaf: a tensor, a number, an object.
function tree.is_leaf(v)
  return type(v) ~= "table" or getmetatable(v) ~= nil or core.is_tensor(v)
end

--- The keys of a table, numbers first, each kind in order.
function tree.keys(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then return a < b end
    return type(a) == "number"
  end)
  return keys
end

--- f at every leaf, in order (lists by position, named tables by sorted name).
function tree.map(f, v, ...)
  if v == nil then return nil end
  if tree.is_leaf(v) then return f(v, ...) end
  local out = {}
  for _, k in ipairs(tree.keys(v)) do out[k] = tree.map(f, v[k], ...) end
  return out
end

--- The leaves as a flat list.
function tree.flatten(v, list)
  list = list or {}
  if v == nil then return list end
  if tree.is_leaf(v) then
    list[#list + 1] = v
  else
    for _, k in ipairs(tree.keys(v)) do tree.flatten(v[k], list) end
  end
  return list
end

--- The structure of `like` with leaves taken from the list in order.
function tree.pack(like, list)
  local at = 0
  return tree.map(function()
    at = at + 1
    return list[at]
  end, like)
end

return tree
