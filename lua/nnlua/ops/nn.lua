-- The functions of neural networks: activations, normalizations, cross-entropies, attention.

local core = require "nnlua.core"
local args = require "nnlua.args"
local common = require "nnlua.ops.common"
local activation = require "nnlua.ops.activation"

local M = {}

for name, fn in pairs(activation) do M[name] = fn end

local tensor, cast, reshape = common.tensor, common.cast, common.reshape

local function define(name, text, fn, opts) M[name] = args.fn(name, text, fn, opts) end
local function float(x) return cast(tensor(x), "float32") end

-- normalizations ----------------------------------------------------------------------------------

-- A vector along axis `at` (from 0) of n axes.
local function along(v, at, n)
  v = float(v)
  if v.ndim ~= 1 then return v end
  local shape = {}
  for i = 1, n do shape[i] = i == at + 1 and -1 or 1 end
  return reshape(v, shape)
end

define("batch_normalization", "x, mean, variance, axis, offset=None, scale=None, epsilon=0.001",
  function(x, mean, variance, axis, offset, scale, epsilon)
    x = float(x)
    local n = x.ndim
    local at = common.axis("batch_normalization", axis, n)
    local factor = core.apply("rsqrt", {along(variance, at, n) + epsilon})
    if scale then factor = factor * along(scale, at, n) end
    local shift = along(mean, at, n) * factor
    if offset then return x * factor + (along(offset, at, n) - shift) end
    return x * factor - shift
  end)

-- The axes as bits, and how many they are when they are the last ones (else nil).
local function axes_of(name, axis, n)
  local sum, count = 0, 0
  for _, at in ipairs(common.axes(name, axis, n)) do
    sum = sum | 1 << at
    count = count + 1
  end
  local last = sum == (1 << n) - (1 << n - count)
  return sum, last and count or nil
end

-- A weight with the sizes of `axis`, in the shape of x with 1 elsewhere.
local function spread(weight, x, mask)
  local shape = {}
  for i, n in ipairs(x.shape) do shape[i] = mask >> (i - 1) & 1 == 1 and n or 1 end
  return reshape(float(weight), shape)
end

-- Over the last axes, one fused op.
local function by_rows(op, x, count, gamma, beta, epsilon)
  local inputs, flags = {x}, 0
  if gamma then
    inputs[2] = float(gamma)
    flags = 1
  end
  if beta then
    inputs[#inputs + 1] = float(beta)
    flags = flags + 2
  end
  return core.apply(op, inputs, {count, flags}, {epsilon})
end

define("layer_normalization", "x, gamma=None, beta=None, axis=-1, epsilon=None",
  function(x, gamma, beta, axis, epsilon)
    x, epsilon = float(x), epsilon or 1e-7
    local mask, count = axes_of("layer_normalization", axis, x.ndim)
    if count then return by_rows("layer_norm", x, count, gamma, beta, epsilon) end
    local mean = core.apply("mean", {x}, {mask, 1})
    local variance = core.apply("var", {x}, {mask, 1})
    local y = (x - mean) * core.apply("rsqrt", {variance + epsilon})
    if gamma then y = y * spread(gamma, x, mask) end
    if beta then y = y + spread(beta, x, mask) end
    return y
  end, {extra = {rms_scaling = true}})

define("rms_normalization", "x, scale=None, axis=-1, epsilon=None",
  function(x, scale, axis, epsilon)
    x, epsilon = float(x), epsilon or 1e-7
    local mask, count = axes_of("rms_normalization", axis, x.ndim)
    if count then return by_rows("rms_norm", x, count, scale, nil, epsilon) end
    local square = core.apply("mean", {core.apply("square", {x})}, {mask, 1})
    local y = x * core.apply("rsqrt", {square + epsilon})
    return scale and y * spread(scale, x, mask) or y
  end)

-- cross-entropies: one value an element or a row --------------------------------------------------

local function losses() return require "nnlua.losses" end

define("binary_crossentropy", "target, output, from_logits=False",
  function(target, output, from_logits)
    target, output = float(target), float(output)
    if from_logits then return core.apply("sigmoid_crossentropy", {output, target}) end
    local p = core.apply("clip", {output, 1e-7, 1 - 1e-7})
    local hit, miss = core.apply("log", {p}), core.apply("log", {1 - p})
    return -(target * hit + (1 - target) * miss)
  end)

define("categorical_crossentropy", "target, output, from_logits=False, axis=-1",
  function(target, output, from_logits, axis)
    return losses().categorical_crossentropy{float(target), float(output),
      from_logits = from_logits, axis = axis}
  end)

define("sparse_categorical_crossentropy", "target, output, from_logits=False, axis=-1",
  function(target, output, from_logits, axis)
    return losses().sparse_categorical_crossentropy{tensor(target), float(output),
      from_logits = from_logits, axis = axis}
  end)

define("psnr", "x1, x2, max_val", function(a, b, max_val)
  local apart = core.apply("square", {float(a) - float(b)})
  local error = core.apply("mean", {apart}, {-1, 0})
  return 20 * math.log(max_val, 10) - core.apply("log10", {error}) * 10
end)

-- attention ---------------------------------------------------------------------------------------

-- Key positions behind the query's own.
local function future(queries, keys)
  local own = reshape(core.arange(queries, 0, 1), {queries, 1})
  return core.apply("greater", {core.arange(keys, 0, 1), own})
end

local HIDDEN = -1e9

-- query (N, T, H, d), key and value (N, S, H, d); bias and mask broadcast to (N, H, T, S).
define("dot_product_attention", [[query, key, value, bias=None, mask=None, scale=None,
  is_causal=False, flash_attention=None, attn_logits_soft_cap=None]],
  function(query, key, value, bias, mask, scale, is_causal, _, cap)
    query, key, value = float(query), float(key), float(value)
    local size = query.shape[4]
    local function heads_first(x, order) return core.apply("transpose", {x}, order) end
    local q = heads_first(query * (scale or size ^ -0.5), {0, 2, 1, 3})
    local scores = core.apply("matmul", {q, heads_first(key, {0, 2, 3, 1})})
    if cap then scores = core.apply("tanh", {scores / cap}) * cap end
    if bias then scores = scores + float(bias) end
    if mask then scores = core.apply("where", {tensor(mask), scores, HIDDEN}) end
    if is_causal then
      scores = core.apply("where", {future(query.shape[2], key.shape[2]), HIDDEN, scores})
    end
    local shares = core.apply("softmax", {scores}, {-1})
    local y = core.apply("matmul", {shares, heads_first(value, {0, 2, 1, 3})})
    return heads_first(y, {0, 2, 1, 3})
  end)

return M
