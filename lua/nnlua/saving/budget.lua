-- What the weights of a model that is being loaded may take: the bytes of those in its file. So a
-- configuration that asks for more than its file holds is refused before memory is asked for. All
-- other tensors that are made on the way (constants of operations, say) share a budget as well.

local core = require "nnlua.core"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"

local budget = {}

local other_bytes = 1 << 28

local left, where, blank -- of the load under way

--- Whether variables may stay zero because the file's values follow. Initializers would only cost
--- time, Orthogonal with the third power of the size.
function budget.is_blank() return blank end

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

--- Runs f with `bytes` for the variables that it makes. is_blank: see above.
function budget.within(bytes, text, is_blank, f, ...)
  local old_left, old_where, old_blank = left, where, blank
  left, where, blank = bytes, text, is_blank
  local function finish(ok, ...)
    left, where, blank = old_left, old_where, old_blank
    if not ok then error((...), 0) end
    return ...
  end
  local tensors = math.min(math.max(bytes, 0), 1 << 58) // 1 | 0
  return finish(pcall(core.within_budget, 4 * tensors + other_bytes, f, ...))
end

return budget
