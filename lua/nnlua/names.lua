-- Default names of layers, models, metrics, optimizers: snake case of the class, numbered per
-- prefix.

local err = require "nnlua.err"

local names = {}

local counters = {}

local longest = 512 -- bytes: paths of variables repeat the names of all around them

--- Keras's classes whose own name, which names and files come from, is not the exported one.
names.own = {GroupQueryAttention = "GroupedQueryAttention"}

--- "BatchNormalization" -> "batch_normalization", "Conv2D" -> "conv2d", "ReLU" -> "re_lu".
function names.snake_case(class_name)
  local s = (names.own[class_name] or class_name):gsub("%W", "")
  s = s:gsub("(.)(%u%l+)", "%1_%2"):gsub("(%l)(%u)", "%1_%2")
  return s:lower()
end

--- The next free name with this prefix: `dense`, `dense_1`, `dense_2` ...
function names.unique(prefix)
  local n = counters[prefix]
  counters[prefix] = (n or 0) + 1
  return n and ("%s_%d"):format(prefix, n) or prefix
end

--- Raises unless a layer may have that name: what is saved must load again. where: begins the text.
function names.check(name, where)
  err.check(type(name) == "string", "%s: name is %s, expected a string", where, err.show(name))
  err.check(#name <= longest, "%s: a name of %d bytes, at most %d are possible", where, #name,
    longest)
  err.check(not name:find("\0", 1, true), "%s: a name with a zero byte", where)
end

--- Default name of an object of that class.
function names.auto(class_name) return names.unique(names.snake_case(class_name)) end

--- Forgets all counters, so that names start afresh (keras.utils.clear_session).
function names.clear_session() counters = {} end

-- The stack of enclosing names, from which variable paths are made.
local scope = {}

--- Runs f(...) with `name` added to the path of variables that are made inside.
function names.within(name, f, ...)
  scope[#scope + 1] = name
  local depth = #scope
  local function finish(ok, ...)
    for i = #scope, depth, -1 do scope[i] = nil end
    if not ok then error((...), 0) end
    return ...
  end
  return finish(pcall(f, ...))
end

--- "sequential/dense/kernel" for "kernel" inside those two.
function names.path(name)
  if #scope == 0 then return name end
  return table.concat(scope, "/") .. "/" .. name
end

return names
