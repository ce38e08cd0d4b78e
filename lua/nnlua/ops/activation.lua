-- The activations as nn.ops has them; nn.activations adds Keras's other defaults.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local tensor = common.tensor

local function float(x)
  x = tensor(x)
  return x.dtype == "float32" and x or common.cast(x, "float32")
end

local function define(name, text, fn) M[name] = args.fn(name, text, fn) end

-- Those whose arguments are the op's numbers, in order.
local function define_op(name, text)
  define(name, text, function(x, ...) return core.apply(name, {tensor(x)}, nil, {...}) end)
end

for name in ([[relu relu6 sigmoid silu tanh softplus softsign selu mish hard_sigmoid hard_silu
  hard_tanh log_sigmoid tanh_shrink sparse_plus sparse_sigmoid]]):gmatch "%S+" do
  define_op(name, "x")
end
M.swish, M.hard_swish = M.silu, M.hard_silu

define_op("leaky_relu", "x, negative_slope=0.2")
define_op("elu", "x, alpha=1.0")
define_op("celu", "x, alpha=1.0")
define_op("squareplus", "x, b=4")
define_op("soft_shrink", "x, threshold=0.5")
define_op("hard_shrink", "x, threshold=0.5")
define_op("threshold", "x, threshold, default_value")

define("gelu", "x, approximate=True", function(x, approximate)
  return core.apply(approximate and "gelu_tanh" or "gelu", {tensor(x)})
end)

define("glu", "x, axis=-1", function(x, axis)
  x = float(x)
  local at = common.axis("glu", axis, x.ndim)
  local n = x.shape[at + 1]
  err.check(n % 2 == 0, "glu: axis %d has %d elements, expected an even number", axis, n)
  local gate = core.apply("sigmoid", {common.part(x, at, n // 2, n // 2)})
  return core.apply("multiply", {common.part(x, at, 0, n // 2), gate})
end)

-- Over several axes these move to the end and become one.
local function over_axes(name, x, axes)
  local n, last, order, shape = x.ndim, {}, {}, {}
  for _, at in ipairs(common.axes(name, axes, n)) do last[at] = true end
  for at = 0, n - 1 do if not last[at] then order[#order + 1] = at end end
  for i, at in ipairs(order) do shape[i] = x.shape[at + 1] end
  for at = 0, n - 1 do if last[at] then order[#order + 1] = at end end
  shape[#shape + 1] = -1
  local moved = core.apply("transpose", {x}, order)
  local y = core.apply(name, {common.reshape(moved, shape)}, {-1})
  local back = {}
  for i, at in ipairs(order) do back[at + 1] = i - 1 end
  return core.apply("transpose", {common.reshape(y, moved.shape)}, back)
end

local function along(name, x, axis)
  x = tensor(x)
  if type(axis) == "table" and #axis == 1 then axis = axis[1] end
  if type(axis) == "table" then return over_axes(name, x, axis) end
  if axis then return core.apply(name, {x}, {common.axis(name, axis, x.ndim)}) end
  return common.reshape(core.apply(name, {common.reshape(x, {-1})}, {0}), x.shape)
end

for _, name in ipairs {"softmax", "log_softmax", "sparsemax"} do
  define(name, "x, axis=-1", function(x, axis) return along(name, x, axis) end)
end

return M
