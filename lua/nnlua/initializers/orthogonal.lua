-- Orthogonal (Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning in deep
-- linear neural networks"): the Q of a normal matrix's QR decomposition with a positive diagonal of
-- R, which makes Q uniform over the orthogonal matrices.
--
-- Gram-Schmidt gives just that Q. Each row is made orthogonal to those before it twice, which is
-- enough for full precision (Giraud et al. 2005).

local core = require "nnlua.core"
local err = require "nnlua.err"
local Initializer = require "nnlua.initializers.initializer"

local Orthogonal = Initializer:extend("Orthogonal", {
  args = "gain=1.0, seed=None", own = {"gain", "seed"},
})

function Orthogonal:init(a)
  Initializer.init(self, a)
  self:take_seed(a.seed)
end

local function orthonormal_rows(q)
  local rows, width = q.shape[1], q.shape[2]
  for j = 1, rows do
    local at = core.view(q, {{j, j}})
    local v = core.astype(at)
    for _ = 1, j > 1 and 2 or 0 do
      local before = core.view(q, {{1, j - 1}})
      local along = core.apply("matmul", {before, core.reshape(v, {width, 1})})
      v = v - core.apply("matmul", {core.reshape(along, {1, j - 1}), before})
    end
    local norm = core.apply("matmul", {v, core.reshape(v, {width, 1})}):item() ^ 0.5
    core.copy(at, v / norm)
  end
  return q
end

function Orthogonal:call(shape, dtype)
  if #shape < 2 then
    err.raise("Orthogonal: shape is (%s), expected 2 dimensions or more",
      table.concat(shape, ", "))
  end
  local rows, columns = 1, shape[#shape]
  for i = 1, #shape - 1 do rows = rows * shape[i] end
  local small, large = math.min(rows, columns), math.max(rows, columns)
  if small == 0 then return core.full(shape, 0, dtype) end
  local q = orthonormal_rows(self:draw("normal", {small, large}, 0, 1))
  if rows > columns then q = core.astype(core.permute(q, {2, 1})) end
  local t = core.reshape(q * self.gain, shape)
  return dtype and core.astype(t, dtype) or t
end

return Orthogonal
