-- Masks that travel with tensors: a weak table, tensor -> uint8 tensor (N, T), 1 = real step.

local core = require "nnlua.core"

local mask = {}

local of = setmetatable({}, {__mode = "k"})

function mask.get(t) return of[t] end

--- The mask as a tensor: users may pass nested tables.
function mask.tensor(m) return core.is_tensor(m) and m or core.new(m, "uint8") end

function mask.set(t, m)
  of[t] = m
  return t
end

return mask
