-- What the weights of a model that is being loaded may take: the bytes of those in its file. So a
-- configuration that asks for more than its file holds is refused before memory is asked for.

local err = require "nnlua.err"
local shapes = require "nnlua.shapes"

local budget = {}

local left, where -- of the load under way

--- Called before a variable of that shape is made.
function budget.spend(shape, name)
  if not left then return end
  local elements = 1.0
  for i = 1, #shape do elements = elements * (tonumber(shape[i]) or 0) end
  left = left - elements * 4
  if left >= 0 then return end
  err.raise("%s: the configuration asks for weights %s %s, more than the file holds", where,
    name or "variable", shapes.text(shape))
end

--- Runs f with `bytes` for the variables that it makes.
function budget.within(bytes, text, f, ...)
  local old_left, old_where = left, where
  left, where = bytes, text
  local function finish(ok, ...)
    left, where = old_left, old_where
    if not ok then error((...), 0) end
    return ...
  end
  return finish(pcall(f, ...))
end

return budget
