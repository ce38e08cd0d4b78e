-- Ops of one element as ONNX operators. See onnx_ops.lua for the arguments.

local ops = {}

-- of one number -----------------------------------------------------------------------------------

-- Operators that do the same, on float32; those in `whole` on integers too.
local same = {
  abs = "Abs", arccos = "Acos", arccosh = "Acosh", arcsin = "Asin", arcsinh = "Asinh",
  arctan = "Atan", arctanh = "Atanh", ceil = "Ceil", cos = "Cos", cosh = "Cosh", erf = "Erf",
  exp = "Exp", floor = "Floor", log = "Log", negative = "Neg", reciprocal = "Reciprocal",
  relu = "Relu", round = "Round", selu = "Selu", sigmoid = "Sigmoid", sign = "Sign", sin = "Sin",
  sinh = "Sinh", softplus = "Softplus", softsign = "Softsign", sqrt = "Sqrt", tan = "Tan",
  tanh = "Tanh",
}

-- The input in the dtype of the output.
local function given(g, n, i)
  return g:get(n.inputs[i], n, g.net.values[n.outputs[1]].dtype)
end

for name, op in pairs(same) do
  ops[name] = function(g, n) return g:node(op, {given(g, n, 1)}) end
end

-- Writes formulas: o.Mul(x, 2) adds a node and gives its name; a name at `dtype` numbers.
local function operators(g)
  return setmetatable({}, {__index = function(_, op)
    return function(...) return g:node(op, {...}) end
  end})
end

local function clip(o, x, low, high) return o.Min(o.Max(x, low), high) end

local function hard_sigmoid(g, x)
  return g:node("HardSigmoid", {x}, {alpha = 1 / 6, beta = 0.5})
end

-- f(o, x, p, g): the formula of x with the op's numbers p.
local formulas = {
  square = function(o, x) return o.Mul(x, x) end,
  rsqrt = function(o, x) return o.Reciprocal(o.Sqrt(x)) end,
  exp2 = function(o, x) return o.Pow(2, x) end,
  expm1 = function(o, x) return o.Sub(o.Exp(x), 1) end,
  log1p = function(o, x) return o.Log(o.Add(x, 1)) end,
  log2 = function(o, x) return o.Div(o.Log(x), math.log(2)) end,
  log10 = function(o, x) return o.Div(o.Log(x), math.log(10)) end,
  cbrt = function(o, x) return o.Mul(o.Sign(x), o.Pow(o.Abs(x), 1 / 3)) end,
  trunc = function(o, x) return o.Mul(o.Sign(x), o.Floor(o.Abs(x))) end,
  erfc = function(o, x) return o.Sub(1, o.Erf(x)) end,
  nan_to_num = function(o, x, p)
    local finite = o.Where(o.IsNaN(x), p[1], x)
    local high = o.Where(o.Greater(finite, 3.4028234663852886e38), p[2], finite)
    return o.Where(o.Less(finite, -3.4028234663852886e38), p[3], high)
  end,
  celu = function(_, x, p, g) return g:node("Celu", {x}, {alpha = p[1]}) end,
  elu = function(_, x, p, g) return g:node("Elu", {x}, {alpha = p[1]}) end,
  leaky_relu = function(_, x, p, g) return g:node("LeakyRelu", {x}, {alpha = p[1]}) end,
  relu6 = function(o, x) return clip(o, x, 0, 6) end,
  hard_tanh = function(o, x) return clip(o, x, -1, 1) end,
  hard_sigmoid = function(_, x, _, g) return hard_sigmoid(g, x) end,
  hard_silu = function(o, x, _, g) return o.Mul(x, hard_sigmoid(g, x)) end,
  silu = function(o, x) return o.Mul(x, o.Sigmoid(x)) end,
  mish = function(o, x) return o.Mul(x, o.Tanh(o.Softplus(x))) end,
  tanh_shrink = function(o, x) return o.Sub(x, o.Tanh(x)) end,
  log_sigmoid = function(o, x) return o.Neg(o.Softplus(o.Neg(x))) end,
  gelu = function(o, x)
    return o.Mul(o.Mul(x, 0.5), o.Add(o.Erf(o.Mul(x, math.sqrt(0.5))), 1))
  end,
  gelu_tanh = function(o, x)
    local cube = o.Mul(o.Mul(o.Mul(x, x), x), 0.044715)
    local t = o.Tanh(o.Mul(o.Add(x, cube), math.sqrt(2 / math.pi)))
    return o.Mul(o.Mul(x, 0.5), o.Add(t, 1))
  end,
  squareplus = function(o, x, p)
    return o.Mul(o.Add(x, o.Sqrt(o.Add(o.Mul(x, x), p[1]))), 0.5)
  end,
  soft_shrink = function(_, x, p, g)
    return g:node("Shrink", {x}, {lambd = p[1], bias = p[1]})
  end,
  hard_shrink = function(_, x, p, g) return g:node("Shrink", {x}, {lambd = p[1], bias = 0.0}) end,
  threshold = function(o, x, p) return o.Where(o.Greater(x, p[1]), x, p[2]) end,
  sparse_sigmoid = function(o, x) return clip(o, o.Mul(o.Add(x, 1), 0.5), 0, 1) end,
  sparse_plus = function(o, x)
    local half = o.Mul(o.Add(x, 1), 0.5)
    local curve = o.Where(o.Less(x, 1), o.Mul(half, half), x)
    return o.Where(o.LessOrEqual(x, -1), 0, curve)
  end,
  relu_general = function(o, x, p)
    local y = o.Where(o.Greater(x, p[3]), x, 0)
    if p[2] < math.huge then y = clip(o, y, 0, p[2]) end
    if p[1] == 0 then return y end
    local below = o.Mul(o.Sub(x, p[3]), p[1])
    return o.Where(o.Less(x, p[3]), o.Add(y, below), y)
  end,
}

for name, f in pairs(formulas) do
  ops[name] = function(g, n)
    if name == "trunc" and g.net.values[n.outputs[1]].dtype == "int32" then
      return given(g, n, 1)
    end
    if name == "square" then
      local x = given(g, n, 1)
      return g:node("Mul", {x, x})
    end
    return f(operators(g), g:get(n.inputs[1], n, "float32"), n.floats, g)
  end
end

-- of two numbers ----------------------------------------------------------------------------------

for name, op in pairs {add = "Add", subtract = "Sub", multiply = "Mul", divide = "Div",
  maximum = "Max", minimum = "Min", power = "Pow"} do
  ops[name] = function(g, n) return g:node(op, {given(g, n, 1), given(g, n, 2)}) end
end

local function zero_like(g, n)
  return g:constant({}, {0}, g.net.values[n.outputs[1]].dtype)
end

-- An ONNX Mod of integers has the sign of the divisor, that of floats the sign of the dividend.
local function floor_mod(g, n, v, w)
  if g.net.values[n.outputs[1]].dtype == "int32" then return g:node("Mod", {v, w}) end
  local r = g:node("Mod", {v, w}, {fmod = 1})
  local sides = g:node("Less", {g:node("Mul", {r, w}), 0})
  return g:node("Where", {sides, g:node("Add", {r, w}), r})
end

-- f(o, v, w, g, n)
local pairs_of = {
  divide_no_nan = function(o, v, w)
    local zero = o.Equal(w, 0)
    return o.Where(zero, 0, o.Div(v, o.Where(zero, 1, w)))
  end,
  floor_divide = function(o, v, w, g, n)
    if g.net.values[n.outputs[1]].dtype == "float32" then return o.Floor(o.Div(v, w)) end
    return o.Div(o.Sub(v, floor_mod(g, n, v, w)), w)
  end,
  mod = function(_, v, w, g, n) return floor_mod(g, n, v, w) end,
  fmod = function(_, v, w, g) return g:node("Mod", {v, w}, {fmod = 1}) end,
  hypot = function(o, v, w) return o.Sqrt(o.Add(o.Mul(v, v), o.Mul(w, w))) end,
  logaddexp = function(o, v, w)
    return o.Add(o.Max(v, w), o.Softplus(o.Neg(o.Abs(o.Sub(v, w)))))
  end,
  arctan2 = function(o, v, w)
    local zero = o.Equal(w, 0)
    local at = o.Atan(o.Div(v, o.Where(zero, 1, w)))
    local turned = o.Where(o.Less(v, 0), o.Sub(at, math.pi), o.Add(at, math.pi))
    return o.Where(zero, o.Mul(o.Sign(v), math.pi / 2), o.Where(o.Less(w, 0), turned, at))
  end,
}

for name, f in pairs(pairs_of) do
  ops[name] = function(g, n) return f(operators(g), given(g, n, 1), given(g, n, 2), g, n) end
end

-- truth values: the functions give the names of bools ---------------------------------------------

local function joined(g, n)
  for _, v in ipairs(n.inputs) do
    if g.net.values[v].dtype == "float32" then return "float32" end
  end
  return "int32"
end

local truths = {}

for name, op in pairs {equal = "Equal", greater = "Greater", greater_equal = "GreaterOrEqual",
  less = "Less", less_equal = "LessOrEqual"} do
  truths[name] = function(g, n)
    local dtype = joined(g, n)
    return g:node(op, {g:get(n.inputs[1], n, dtype), g:get(n.inputs[2], n, dtype)})
  end
end

function truths.not_equal(g, n) return g:node("Not", {truths.equal(g, n)}) end

for name, op in pairs {logical_and = "And", logical_or = "Or", logical_xor = "Xor"} do
  truths[name] = function(g, n)
    return g:node(op, {g:get(n.inputs[1], n, "bool"), g:get(n.inputs[2], n, "bool")})
  end
end

function truths.logical_not(g, n) return g:node("Not", {g:get(n.inputs[1], n, "bool")}) end

local function number(g, n) return g:get(n.inputs[1], n, "float32") end

function truths.isnan(g, n) return g:node("IsNaN", {number(g, n)}) end
function truths.isinf(g, n) return g:node("IsInf", {number(g, n)}) end
function truths.isposinf(g, n) return g:node("IsInf", {number(g, n)}, {detect_negative = 0}) end
function truths.isneginf(g, n) return g:node("IsInf", {number(g, n)}, {detect_positive = 0}) end
-- 1 / -0 is below 0 too
function truths.signbit(g, n)
  local x = number(g, n)
  local under = g:node("Less", {g:node("Reciprocal", {x}), 0})
  return g:node("Or", {g:node("Less", {x, 0}), under})
end
function truths.isfinite(g, n)
  local x = number(g, n)
  return g:node("Not", {g:node("Or", {g:node("IsNaN", {x}), g:node("IsInf", {x})})})
end

-- of three ----------------------------------------------------------------------------------------

function ops.where(g, n)
  return g:node("Where", {g:get(n.inputs[1], n, "bool"), given(g, n, 2), given(g, n, 3)})
end

function ops.clip(g, n)
  return g:node("Min", {g:node("Max", {given(g, n, 1), given(g, n, 2)}), given(g, n, 3)})
end

return {ops = ops, truths = truths, zero_like = zero_like, given = given}
