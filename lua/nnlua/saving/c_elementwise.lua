-- Ops of one element in C: expressions of v (the first input), w and u (the next), and the op's
-- numbers as %1, %2, %3. See c_ops.lua.

local text = require "nnlua.saving.c_text"

local number = text.number

local softplus = "(v > 0.0f ? v : 0.0f) + log1pf(expf(-fabsf(v)))"
local hard = "(v >= 3.0f ? 1.0f : v <= -3.0f ? 0.0f : (v + 3.0f) / 6.0f)"

local expressions = {
  abs = "fabsf(v)", arccos = "acosf(v)", arccosh = "acoshf(v)", arcsin = "asinf(v)",
  arcsinh = "asinhf(v)", arctan = "atanf(v)", arctanh = "atanhf(v)", cbrt = "cbrtf(v)",
  ceil = "ceilf(v)", cos = "cosf(v)", cosh = "coshf(v)", erf = "erff(v)", erfc = "erfcf(v)",
  exp = "expf(v)", exp2 = "exp2f(v)", expm1 = "expm1f(v)", floor = "floorf(v)", log = "logf(v)",
  log10 = "log10f(v)", log1p = "log1pf(v)", log2 = "log2f(v)", negative = "-v",
  reciprocal = "1.0f / v", round = "rintf(v)", rsqrt = "1.0f / sqrtf(v)",
  sign = "v > 0.0f ? 1.0f : v < 0.0f ? -1.0f : v", sin = "sinf(v)", sinh = "sinhf(v)",
  sqrt = "sqrtf(v)", square = "v * v", tan = "tanf(v)", tanh = "tanhf(v)", trunc = "truncf(v)",
  nan_to_num = "isnan(v) ? %1 : !isinf(v) ? v : v > 0.0f ? %2 : %3",

  celu = "v > 0.0f ? v : %1 * expm1f(v / %1)", elu = "v > 0.0f ? v : %1 * expm1f(v)",
  gelu = "0.5f * v * (1.0f + erff(v * 0.707106781f))",
  gelu_tanh = "0.5f * v * (1.0f + tanhf(0.797884561f * (v + 0.044715f * v * v * v)))",
  hard_shrink = "v > %1 || v < -%1 ? v : 0.0f", hard_sigmoid = hard, hard_silu = "v * " .. hard,
  hard_tanh = "v > 1.0f ? 1.0f : v < -1.0f ? -1.0f : v", leaky_relu = "v > 0.0f ? v : %1 * v",
  log_sigmoid = "-((v < 0.0f ? -v : 0.0f) + log1pf(expf(-fabsf(v))))",
  mish = "v * tanhf(" .. softplus .. ")", relu = "v > 0.0f ? v : 0.0f",
  relu6 = "v > 6.0f ? 6.0f : v > 0.0f ? v : 0.0f",
  selu = "1.05070099f * (v > 0.0f ? v : 1.67326324f * expm1f(v))",
  sigmoid = "1.0f / (1.0f + expf(-v))", silu = "v / (1.0f + expf(-v))",
  soft_shrink = "v > %1 ? v - %1 : v < -%1 ? v + %1 : 0.0f", softplus = softplus,
  softsign = "v / (1.0f + fabsf(v))",
  sparse_plus = "v <= -1.0f ? 0.0f : v < 1.0f ? 0.25f * (v + 1.0f) * (v + 1.0f) : v",
  sparse_sigmoid = "v <= -1.0f ? 0.0f : v >= 1.0f ? 1.0f : 0.5f * (v + 1.0f)",
  squareplus = "0.5f * (v + sqrtf(v * v + %1))", tanh_shrink = "v - tanhf(v)",
  threshold = "v > %1 ? v : %2",

  add = "v + w", subtract = "v - w", multiply = "v * w", divide = "v / w",
  maximum = "v > w || v != v ? v : w", minimum = "v < w || v != v ? v : w",
  divide_no_nan = "w == 0.0f ? 0.0f : v / w", power = "powf(v, w)", arctan2 = "atan2f(v, w)",
  hypot = "hypotf(v, w)", fmod = "fmodf(v, w)",
  logaddexp = "v == w ? v + 0.693147181f : fmaxf(v, w) + log1pf(expf(-fabsf(v - w)))",

  equal = "v == w", not_equal = "v != w", greater = "v > w", greater_equal = "v >= w",
  less = "v < w", less_equal = "v <= w", logical_and = "v != 0.0f && w != 0.0f",
  logical_or = "v != 0.0f || w != 0.0f", logical_xor = "(v != 0.0f) != (w != 0.0f)",
  logical_not = "v == 0.0f", isnan = "isnan(v) != 0", isinf = "isinf(v) != 0",
  isfinite = "isfinite(v) != 0", isposinf = "isinf(v) && v > 0.0f",
  isneginf = "isinf(v) && v < 0.0f", signbit = "signbit(v) != 0",

  where = "v != 0.0f ? w : u", clip = "fminf(fmaxf(v, w), u)",
}

-- With integers a division by 0 gives 0.
local divisions = {
  floor_divide = {"floorf(v / w)", "w == 0.0f ? 0.0f : floorf(v / w)"},
  mod = {"v - floorf(v / w) * w", "w == 0.0f ? 0.0f : v - floorf(v / w) * w"},
}

local ops = {}

-- What stands for relu in Keras's ReLU: above the threshold v up to a ceiling, a line below it.
local function general(n)
  local slope, ceiling, limit = n.floats[1], n.floats[2], n.floats[3]
  local low = slope == 0 and "0.0f" or ("%s * (v - %s)"):format(number(slope), number(limit))
  local high = "v"
  if ceiling < math.huge then
    high = ("v > %s ? %s : v"):format(number(ceiling), number(ceiling))
    if limit < 0 then high = "v < 0.0f ? 0.0f : " .. high end
  end
  return ("v <= %s ? %s : %s"):format(number(limit), low, high)
end

local function expression(n, whole)
  if n.op == "relu_general" then return general(n) end
  local two = divisions[n.op]
  if two then return two[whole and 2 or 1] end
  return (expressions[n.op]:gsub("%%(%d)", function(k) return number(n.floats[tonumber(k)]) end))
end

local names = {"v", "w", "u"}

local function write(f, n, s)
  local strides = {text.strides(s.out[1])}
  local whole = true
  for i, shape in ipairs(s.inputs) do
    strides[i + 1] = text.spread(shape, s.out[1])
    whole = whole and s.dtypes[i] ~= "float32"
  end
  local loops, at = f:walk("i", s.out[1], strides)
  for i = 1, #s.inputs do f:add("const float %s = x%d[%s];", names[i], i, at[i + 1]) end
  f:add("y1[%s] = %s;", at[1], expression(n, whole))
  f:close(loops)
end

for name in pairs(expressions) do ops[name] = write end
for name in pairs(divisions) do ops[name] = write end
ops.relu_general = write

return ops
