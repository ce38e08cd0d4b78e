-- What the weights of a model that is being loaded may take: the bytes of those in its file. So a
-- configuration that asks for more than its file holds is refused before memory is asked for. All
-- other tensors that are made on the way (constants of operations, say) share a budget as well.

local core = require "nnlua.core"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"

local budget = {}

local other_bytes = 1 << 28

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
  local tensors = math.min(math.max(bytes, 0), 1 << 58) // 1 | 0
  return finish(pcall(core.within_budget, 4 * tensors + other_bytes, f, ...))
end

return budget
