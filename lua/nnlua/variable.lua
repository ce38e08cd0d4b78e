-- Variables: named state that layers, metrics and optimizers own. The storage never moves, so plans
-- and views may point at it for as long as the variable lives.

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"
local names = require "nnlua.names"

---@class nn.Variable
---@field value nn.Tensor the live tensor (float32 unless made otherwise)
---@field name string
---@field path string names of the enclosing layers and the variable, joined by "/"
---@field shape integer[]
---@field trainable boolean
local Variable = class.new("Variable", {
  args = 'initializer, shape=None, dtype=None, trainable=True, name=None, path=None',
})

-- nn.Variable(tensor) or nn.Variable{tensor_or_initializer, shape=, ...}. Layers call it with
-- is_new=true for a tensor that nobody else holds: it is the storage then, without a copy.
function Variable:init(a)
  local value = a.initializer
  if type(value) == "function" or (class.is_class(getmetatable(value)) and a.shape) then
    err.check(a.shape, "Variable: shape is missing")
    value = value(a.shape, a.dtype or "float32")
  end
  rawset(self, "tensor", core.mark_variable(a.is_new and value or core.new(value, a.dtype)))
  self.name = a.name or names.auto("Variable")
  self.path = a.path or names.path(self.name)
  self.trainable = a.trainable
end

Variable.getters.value = function(self) return self.tensor end
Variable.getters.shape = function(self) return self.tensor.shape end
Variable.getters.ndim = function(self) return self.tensor.ndim end
Variable.getters.dtype = function(self) return self.tensor.dtype end
Variable.getters.size = function(self) return self.tensor.size end

local function same_shape(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do if a[i] ~= b[i] then return false end end
  return true
end

--- Replaces the value; the shape must be equal. Recorded when it happens inside a traced call.
---@param value nn.Tensor|number|table
function Variable:assign(value)
  if not core.is_tensor(value) then
    value = class.is(value, Variable) and value.tensor or core.new(value, self.dtype)
  end
  if not same_shape(value.shape, self.shape) then
    err.raise("assign: variable '%s' has shape (%s), got (%s)", self.name,
      table.concat(self.shape, ", "), table.concat(value.shape, ", "))
  end
  if core.recording() == "trace" then
    core.apply("assign", {self.tensor, value})
  else
    core.copy(self.tensor, value)
  end
  return self
end

--- Adds to the value; recorded when it happens inside a traced call.
function Variable:assign_add(value)
  core.apply("assign_add", {self.tensor, value})
  return self
end

--- Subtracts from the value.
function Variable:assign_sub(value) return self:assign_add(core.apply("negative", {value})) end

--- A copy of the value that later steps do not change.
function Variable:numpy() return core.new(self.tensor) end

-- Operators and methods of tensors work on variables too.
for _, event in ipairs {"__add", "__sub", "__mul", "__div", "__pow", "__mod"} do
  Variable[event] = function(a, b)
    if class.is(a, Variable) then a = a.tensor end
    if class.is(b, Variable) then b = b.tensor end
    return core.tensor_metatable[event](a, b)
  end
end
Variable.__unm = function(a) return -a.tensor end
Variable.__tostring = function(v)
  return ("<Variable path=%s, shape=(%s), dtype=%s, value=%s>"):format(v.path,
    table.concat(v.shape, ", "), v.dtype, tostring(v.tensor))
end

return Variable
