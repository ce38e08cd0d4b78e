-- OrthogonalRegularizer: pulls the rows (or columns) of a matrix to be orthogonal to each other.
-- factor / 2 times the sum over i ~= j of |w_i . w_j| for the normalized rows, divided by the
-- number of pairs.

local ops = require "nnlua.ops"
local core = require "nnlua.core"
local err = require "nnlua.err"
local Regularizer = require "nnlua.regularizers.regularizer"

local OrthogonalRegularizer = Regularizer:extend("OrthogonalRegularizer", {
  args = 'factor=0.01, mode="rows"', own = {"factor", "mode"},
})

function OrthogonalRegularizer:init(a)
  Regularizer.init(self, a)
  self:check_number "factor"
  if self.mode ~= "rows" and self.mode ~= "columns" then
    err.raise("OrthogonalRegularizer: mode is %s, expected rows or columns", tostring(self.mode))
  end
end

-- 1 off the diagonal, 0 on it.
local function off_diagonal(n)
  local t = core.full({n, n}, 1)
  local flat = core.reshape(t, {n * n})
  for i = 0, n - 1 do flat[i * n + i + 1] = 0 end
  return t
end

function OrthogonalRegularizer:call(w)
  if w.ndim ~= 2 then
    err.raise("OrthogonalRegularizer: the weight has shape (%s), expected 2 dimensions",
      table.concat(w.shape, ", "))
  end
  if self.mode == "columns" then w = ops.transpose(w) end
  local unit = ops.normalize(w, -1)
  local n = w.shape[1]
  local products = ops.matmul(unit, ops.transpose(unit)) * off_diagonal(n)
  return ops.sum(ops.abs(products)) * (self.factor * 0.5 / (n * (n - 1) / 2))
end

return OrthogonalRegularizer
