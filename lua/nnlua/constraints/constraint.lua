-- The base of constraints: call(w) gives the weight as it may be.

local class = require "nnlua.class"
local args = require "nnlua.args"
local core = require "nnlua.core"
local err = require "nnlua.err"
local Variable = require "nnlua.variable"

---@class nn.Constraint
local Constraint = class.new("Constraint", {args = "", own = {}, module = "keras.constraints"})

function Constraint:init(a)
  for _, key in ipairs(self.own) do self[key] = a and a[key] end
end

--- A tensor of the shape of w.
---@param w nn.Tensor
---@return nn.Tensor
function Constraint.__call(self, w)
  if class.is(w, Variable) then w = w.tensor end
  if not core.is_tensor(w) then w = core.new(w) end
  return self:call(w)
end

function Constraint:call()
  err.raise("%s: the constraint has no call(w)", self.class_name)
end

function Constraint:get_config()
  return args.fill({}, self, self.own)
end

function Constraint.from_config(cls, config) return cls(config) end

return Constraint
