-- Shapes as arrays with the batch axis; an unknown size (Keras's None) is `false`.

local shapes = {}

--- "(None, 39)" or, in messages, "(batch, 39)".
function shapes.text(shape, unknown)
  local parts = {}
  for i = 1, #shape do parts[i] = shape[i] and tostring(shape[i]) or unknown or "None" end
  return "(" .. table.concat(parts, ", ") .. ")"
end

--- Puts an unknown batch size before `shape`; nil and args.None inside become false.
function shapes.with_batch(shape, batch)
  if type(shape) == "number" then shape = {shape} end
  local out, n = {batch or false}, 0
  for k in pairs(shape) do if math.type(k) == "integer" and k > n then n = k end end
  for i = 1, n do out[i + 1] = math.type(shape[i]) == "integer" and shape[i] or false end
  return out
end

--- A shape given by a user with its batch axis: holes become false.
function shapes.clean(shape)
  local out, n = {}, 0
  for k in pairs(shape) do if math.type(k) == "integer" and k > n then n = k end end
  for i = 1, n do out[i] = math.tointeger(shape[i]) or false end
  return out
end

function shapes.same(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do if a[i] ~= b[i] then return false end end
  return true
end

--- Product of the sizes from `first` (1-based) on; nil when one is unknown.
function shapes.product(shape, first)
  local n = 1
  for i = first or 1, #shape do
    if not shape[i] then return nil end
    n = n * shape[i]
  end
  return n
end

--- 0-based or negative position checks: gives the 1-based axis of a shape with `n` axes, or nil.
function shapes.axis(axis, n)
  local at = axis < 0 and n + 1 + axis or axis
  return at >= 1 and at <= n and at or nil
end

return shapes
