-- Linear algebra of matrices (the last two axes): determinants, systems of equations,
-- decompositions. They are computed in double precision and given as float32.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local tensor, cast, reshape = common.tensor, common.cast, common.reshape

local function define(name, text, fn) M[name] = args.fn(name, text, fn) end
local function float(x) return cast(tensor(x), "float32") end
local function ops() return require "nnlua.ops" end
local function transposed(x) return ops().swapaxes(x, -1, -2) end

local function matrices(op, x)
  x = float(x)
  err.check(x.ndim >= 2, "%s: x has %d dimensions, expected 2 or more", op, x.ndim)
  return x
end

-- determinants ------------------------------------------------------------------------------------

--- The sign and the logarithm of the determinant's size.
define("slogdet", "x", function(x) return core.apply("slogdet", {matrices("slogdet", x)}) end)

define("logdet", "x", function(x)
  local _, size = core.apply("slogdet", {matrices("logdet", x)})
  return size
end)

define("det", "x", function(x)
  local sign, size = core.apply("slogdet", {matrices("det", x)})
  return sign * core.apply("exp", {size})
end)

-- systems -----------------------------------------------------------------------------------------

-- b as columns beside the matrices a, and what undoes it.
local function columns(a, b)
  if b.ndim == a.ndim then return b, function(y) return y end end
  local shape = b.shape
  shape[#shape + 1] = 1
  return reshape(b, shape), function(y) return reshape(y, b.shape) end
end

define("solve", "a, b", function(a, b)
  a, b = matrices("solve", a), float(b)
  local right, back = columns(a, b)
  return back(core.apply("solve", {a, right}))
end)

define("solve_triangular", "a, b, lower=False", function(a, b, lower)
  a, b = matrices("solve_triangular", a), float(b)
  local right, back = columns(a, b)
  return back(core.apply("solve_triangular", {a, right}, {lower and 1 or 0}))
end)

local function eye_like(op, x)
  local n = x.shape[x.ndim]
  err.check(x.shape[x.ndim - 1] == n, "%s: x is %s, expected square matrices", op,
    require("nnlua.shapes").text(x.shape))
  return common.broadcast_to(ops().eye(n), x.shape)
end

define("inv", "x", function(x)
  x = matrices("inv", x)
  return core.apply("solve", {x, eye_like("inv", x)})
end)

-- decompositions ----------------------------------------------------------------------------------

--- The lower factor of a positive definite matrix, its transpose where `upper`.
define("cholesky", "x, upper=False", function(x, upper)
  local y = core.apply("cholesky", {matrices("cholesky", x)})
  return upper and transposed(y) or y
end)

--- The inverse of the matrix whose Cholesky factor is x.
define("cholesky_inverse", "x, upper=False", function(x, upper)
  x = matrices("cholesky_inverse", x)
  local inverse = core.apply("solve_triangular", {x, eye_like("cholesky_inverse", x)},
    {upper and 0 or 1})
  if upper then return core.apply("matmul", {inverse, transposed(inverse)}) end
  return core.apply("matmul", {transposed(inverse), inverse})
end)

--- Both factors in one matrix, and the row (from 1) with which each row was exchanged.
define("lu_factor", "x", function(x) return core.apply("lu", {matrices("lu_factor", x)}) end)

define("qr", 'x, mode="reduced"', function(x, mode)
  err.check(mode == "reduced" or mode == "complete",
    "qr: mode is %s, expected 'reduced' or 'complete'", err.show(mode))
  return core.apply("qr", {matrices("qr", x)}, {mode == "complete" and 1 or 0})
end)

--- Eigenvalues, smallest first, and eigenvectors as columns, of symmetric matrices.
define("eigh", "x", function(x) return core.apply("eigh", {matrices("eigh", x)}) end)

--- As `eigh`: without complex numbers the matrices must be symmetric.
define("eig", "x", function(x)
  x = matrices("eig", x)
  common.eager_only("eig", x)
  local apart = ops().max(ops().abs(x - transposed(x))):item()
  local size = ops().max(ops().abs(x)):item()
  err.check(apart <= 1e-6 * size,
    "eig: the matrix is not symmetric; its eigenvalues may be complex, which are not supported")
  return core.apply("eigh", {x})
end)

define("svd", "x, full_matrices=True, compute_uv=True", function(x, full, compute_uv)
  x = matrices("svd", x)
  local u, s, v = core.apply("svd", {x}, {full and compute_uv and 1 or 0})
  if not compute_uv then return s end
  return u, s, v
end)

local EPSILON = 2.0 ^ -23

local function larger_side(x) return math.max(x.shape[x.ndim - 1], x.shape[x.ndim]) end

-- 1 / s where s is above `tolerance` times the largest, else 0.
local function inverted(s, tolerance)
  local limit = ops().max(s, {axis = -1, keepdims = true}) * tolerance
  local keep = ops().greater(s, limit)
  return ops().where(keep, 1.0 / ops().where(keep, s, 1.0), 0.0)
end

local function pseudo_inverse(x, tolerance)
  local u, s, v = core.apply("svd", {x}, {0})
  local scaled = transposed(v) * ops().expand_dims(inverted(s, tolerance), -2)
  return core.apply("matmul", {scaled, transposed(u)})
end

define("pinv", "x, rcond=None", function(x, rcond)
  x = matrices("pinv", x)
  return pseudo_inverse(x, rcond or 10 * larger_side(x) * EPSILON)
end)

--- The x for which a x is nearest to b; of several the shortest.
define("lstsq", "a, b, rcond=None", function(a, b, rcond)
  a, b = matrices("lstsq", a), float(b)
  local right, shape = b, b.shape
  if b.ndim == 1 then right = reshape(b, {shape[1], 1}) end
  local y = core.apply("matmul", {pseudo_inverse(a, rcond or larger_side(a) * EPSILON), right})
  return b.ndim == 1 and reshape(y, {a.shape[2]}) or y
end)

define("matrix_rank", "x, tol=None", function(x, tol)
  x = matrices("matrix_rank", x)
  local _, s = core.apply("svd", {x}, {0})
  local limit = tol or ops().max(s, {axis = -1, keepdims = true}) * (larger_side(x) * EPSILON)
  return ops().count_nonzero(ops().greater(s, limit), -1)
end)

return M
