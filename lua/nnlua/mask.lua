-- Masks that travel with tensors: a weak table, tensor -> uint8 tensor (N, T), 1 = real step.

local mask = {}

local of = setmetatable({}, {__mode = "k"})

function mask.get(t) return of[t] end

function mask.set(t, m)
  of[t] = m
  return t
end

return mask
