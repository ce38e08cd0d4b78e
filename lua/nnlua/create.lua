-- nn.zeros, nn.arange and kin: as in nn.ops, but nn.zeros{2, 3} takes the shape itself.

local args = require "nnlua.args"
local ops = require "nnlua.ops"

local create = {}

-- {2, 3}: integers in positions, at most a dtype by name.
local function is_shape(v)
  if not args.is_record(v) then return false end
  for key, item in pairs(v) do
    if math.type(key) == "integer" then
      if math.type(item) ~= "integer" then return false end
    elseif key ~= "dtype" then
      return false
    end
  end
  return true
end

local function by_shape(name)
  create[name] = function(shape, ...)
    if not is_shape(shape) then return ops[name](shape, ...) end
    return ops[name]{table.move(shape, 1, #shape, 1, {}), dtype = ... or shape.dtype}
  end
end

by_shape "zeros"
by_shape "ones"

for _, name in ipairs {"full", "arange", "linspace", "eye"} do
  create[name] = function(...) return ops[name](...) end
end

return create
