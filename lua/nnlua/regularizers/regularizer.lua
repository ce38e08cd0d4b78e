-- The base of regularizers: call(w) gives a scalar.

local class = require "nnlua.class"
local args = require "nnlua.args"
local core = require "nnlua.core"
local err = require "nnlua.err"
local Variable = require "nnlua.variable"

---@class nn.Regularizer
local Regularizer = class.new("Regularizer", {args = "", own = {}, module = "keras.regularizers"})

function Regularizer:init(a)
  for _, key in ipairs(self.own) do self[key] = a and a[key] end
end

--- The penalty of a weight or an output: a scalar tensor.
---@param w nn.Tensor
---@return nn.Tensor
function Regularizer.__call(self, w)
  if class.is(w, Variable) then w = w.tensor end
  if not core.is_tensor(w) then w = core.new(w) end
  return self:call(w)
end

function Regularizer:call()
  err.raise("%s: the regularizer has no call(w)", self.class_name)
end

--- Raises unless the argument is a finite number of 0 or more.
function Regularizer:check_number(key)
  local v = self[key]
  if type(v) ~= "number" or not (v >= 0 and v < math.huge) then
    err.raise("%s: %s is %s, expected a number of 0 or more", self.class_name, key, err.show(v))
  end
end

function Regularizer:get_config()
  return args.fill({}, self, self.own)
end

function Regularizer.from_config(cls, config) return cls(config) end

return Regularizer
