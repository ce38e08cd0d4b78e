-- Zeros, Ones, Constant, Identity.

local core = require "nnlua.core"
local err = require "nnlua.err"
local Initializer = require "nnlua.initializers.initializer"

local constant = {}

--- All elements 0.
constant.Zeros = Initializer:extend("Zeros", {args = ""})
function constant.Zeros.call(_, shape, dtype) return core.full(shape, 0, dtype) end

--- All elements 1.
constant.Ones = Initializer:extend("Ones", {args = ""})
function constant.Ones.call(_, shape, dtype) return core.full(shape, 1, dtype) end

--- All elements `value`: a number, or a tensor of the shape itself.
constant.Constant = Initializer:extend("Constant", {args = "value=0.0", own = {"value"}})
function constant.Constant:call(shape, dtype)
  if type(self.value) == "number" then return core.full(shape, self.value, dtype) end
  local t = core.new(self.value, dtype)
  if table.concat(t.shape, ",") ~= table.concat(shape, ",") then
    err.raise("Constant: value has shape (%s), expected (%s)", table.concat(t.shape, ", "),
      table.concat(shape, ", "))
  end
  return t
end

--- `gain` on the diagonal of a matrix, 0 elsewhere.
constant.Identity = Initializer:extend("Identity", {args = "gain=1.0", own = {"gain"}})
function constant.Identity:call(shape, dtype)
  if #shape ~= 2 then
    err.raise("Identity: shape is (%s), expected 2 dimensions", table.concat(shape, ", "))
  end
  local t = core.full(shape, 0, dtype)
  local flat = core.reshape(t, {shape[1] * shape[2]})
  for i = 1, math.min(shape[1], shape[2]) do flat[(i - 1) * shape[2] + i] = self.gain end
  return t
end

return constant
