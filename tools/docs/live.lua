-- What the live module holds: the names of a namespace or class, and the signature of each.
--
-- Namespaces load their parts when they are asked for, so `pairs` sees only some of them. The other
-- names are those that the loader knows: strings in what its __index function refers to.

local nn = require "nnlua"
local args = require "nnlua.args"
local class = require "nnlua.class"

local live = {}

local DEPTH = 4 -- tables inside tables that a loader is read to

local gather

local function gather_table(t, set, depth, seen)
  if depth > DEPTH or seen[t] then return end
  seen[t] = true
  for k, v in next, t do
    if type(k) == "string" then set[k] = true end
    gather(v, set, depth + 1, seen)
  end
end

local function gather_function(fn, set, depth, seen)
  if depth > DEPTH or seen[fn] then return end
  seen[fn] = true
  local i = 1
  while true do
    local name, value = debug.getupvalue(fn, i)
    if not name then return end
    gather(value, set, depth + 1, seen)
    i = i + 1
  end
end

function gather(v, set, depth, seen)
  if type(v) == "string" then set[v] = true end
  if type(v) == "table" then gather_table(v, set, depth, seen) end
  if type(v) == "function" then gather_function(v, set, depth, seen) end
end

local function sorted(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list
end

--- The names of a namespace, sorted.
function live.names(space)
  if space == nn.ops then local _ = nn.ops.abs end -- the families that tell their own names
  local candidates, names = {}, {}
  for k in next, space do if type(k) == "string" then candidates[k] = true end end
  local mt = getmetatable(space)
  if mt and type(mt.__index) == "function" then gather(mt.__index, candidates, 0, {}) end
  for name in pairs(candidates) do
    if name:match "^%a[%w_]*$" then
      local ok, value = pcall(function() return space[name] end)
      if ok and value ~= nil then names[name] = true end
    end
  end
  return sorted(names)
end

--- The methods of a class by itself (not those of its parent), and its computed fields.
function live.methods(cls)
  local methods, fields = {}, {}
  for k, v in next, cls do
    if type(k) == "string" and type(v) == "function" and not k:find "^__" then methods[k] = v end
  end
  for k in next, rawget(cls, "getters") or {} do fields[k] = true end
  return methods, fields
end

local function is_signature(v)
  return type(v) == "table" and type(rawget(v, "index")) == "table" and rawget(v, "text") ~= nil
end

-- The signature that a function binds its arguments with: one of its upvalues.
local function bound_signature(fn, depth)
  local i = 1
  while true do
    local name, value = debug.getupvalue(fn, i)
    if not name then return nil end
    if is_signature(value) then return value end
    if type(value) == "function" and (name == "signature" or name == "bind") and depth < 2 then
      local inner = bound_signature(value, depth + 1)
      if inner then return inner end
      local ok, sig = pcall(value)
      if ok and is_signature(sig) then return sig end
    end
    i = i + 1
  end
end

local function plain_signature(fn)
  local info, list = debug.getinfo(fn, "u"), {}
  for i = 1, info.nparams do
    local name = debug.getlocal(fn, i)
    local receiver = (name == "self" or name == "cls") and i == 1
    if not receiver and name:sub(1, 1) ~= "_" then
      list[#list + 1] = {name = name, plain = true}
    end
  end
  if info.isvararg then list[#list + 1] = {name = "...", plain = true} end
  return list
end

--- {name=, default=, required=} of each argument; `plain` where Lua's own parameters are all there
--- is.
function live.signature(value)
  if class.is_class(value) then return value.signature or {} end
  if type(value) ~= "function" then return nil end
  local described = args.describe(value)
  if described then return described end
  local plain = plain_signature(value)
  if #plain > 0 and plain[#plain].name == "..." then
    return bound_signature(value, 0) or plain
  end
  return plain
end

--- "class", "function" or the type.
function live.kind(value)
  return class.is_class(value) and "class" or type(value)
end

return live
