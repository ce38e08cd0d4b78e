-- The gradient of every differentiable op of numbers against central differences.
--
-- f = sum(w * op(x ...)) with fixed weights w; each input's gradient is compared in a random
-- direction v: (f(x + hv) - f(x - hv)) / 2h. float32 leaves some three digits of a difference,
-- hence 2 %.

local nn = require "nnlua"
local core = require "nnlua.core"

local seed = 0

-- Numbers in (low, high) from a fixed little generator.
local function random(shape, low, high)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  local flat = {}
  for i = 1, n do
    seed = (seed * 1103515245 + 12345) % 2147483648
    flat[i] = low + (high - low) * (seed / 2147483648)
  end
  return core.reshape(core.new(flat), shape)
end

local function call(case, inputs)
  local outputs = {core.apply(case.op, inputs, case.ints, case.floats)}
  local total
  for i, y in ipairs(outputs) do
    if y.dtype == "float32" then
      case.weights[i] = case.weights[i] or random(y.shape, -1, 1)
      local term = nn.ops.sum(y * case.weights[i])
      total = total and total + term or term
    end
  end
  return total
end

local function moved(x, v, h) return core.apply("add", {x, core.apply("multiply", {v, h})}) end

local function difference(case, inputs, k, v, h)
  local function at(step)
    local changed = table.move(inputs, 1, #inputs, 1, {})
    changed[k] = moved(inputs[k], v, step)
    return call(case, changed):item()
  end
  return (at(h) - at(-h)) / (2 * h)
end

local function check(case)
  case.weights = {}
  local inputs, variables, of = {}, {}, {}
  for i, x in ipairs(case) do
    local t = core.is_tensor(x) and x or random(x, case.low or -2, case.high or 2)
    inputs[i] = t
    if t.dtype == "float32" and not (case.constant and case.constant[i]) then
      variables[#variables + 1] = nn.Variable(t)
      of[#of + 1] = i
    end
  end
  local _, gradients = nn.value_and_grad(function()
    local traced = table.move(inputs, 1, #inputs, 1, {})
    for k, i in ipairs(of) do traced[i] = variables[k].tensor end
    return call(case, traced)
  end, variables)
  for k, i in ipairs(of) do
    assert(gradients[k], ("input %d has no gradient"):format(i))
    local v = random(inputs[i].shape, -1, 1)
    local expected = difference(case, inputs, i, v, case.h or 1e-2)
    local got = nn.ops.sum(gradients[k] * v):item()
    local scale = math.max(1, math.abs(expected))
    assert(math.abs(got - expected) < (case.tolerance or 0.02) * scale,
      ("input %d: %g, expected %g"):format(i, got, expected))
  end
end

local function case(op, ...)
  local c = {op = op, ...}
  local last = c[#c]
  if type(last) == "table" and last.with then
    c[#c] = nil
    for key, value in pairs(last) do c[key] = value end
  end
  it(op .. (c.name and " " .. c.name or ""), function() check(c) end)
end

describe("the gradient of", function()
  for name in ([[negative square exp exp2 expm1 sin cos sinh cosh tanh arcsinh arctan erf erfc
    sigmoid silu softplus softsign selu mish log_sigmoid tanh_shrink gelu gelu_tanh]])
    :gmatch "%S+" do
    case(name, {3, 5})
  end
  for name in ("sqrt rsqrt log log1p log2 log10 reciprocal cbrt"):gmatch "%S+" do
    case(name, {3, 5}, {with = true, low = 0.5, high = 3})
  end
  for name in ("tan arcsin arccos arctanh erfinv"):gmatch "%S+" do
    case(name, {3, 5}, {with = true, low = -0.8, high = 0.8})
  end
  case("arccosh", {3, 5}, {with = true, low = 1.3, high = 4})
  case("elu", {3, 5}, {with = true, floats = {0.7}})
  case("celu", {3, 5}, {with = true, floats = {0.7}})
  case("squareplus", {3, 5}, {with = true, floats = {4}})
  case("square", {70000}, {with = true, name = "in many ranges", tolerance = 0.05})

  for name in ("add subtract multiply divide maximum minimum power arctan2 logaddexp hypot")
    :gmatch "%S+" do
    local corner = name == "maximum" or name == "minimum" -- a step must not pass one
    local function shaped(a, b, title)
      case(name, a, b, {with = true, low = 0.5, high = 2, name = title, h = corner and 1e-4,
        tolerance = corner and 0.05})
    end
    shaped({2, 3, 4}, {2, 3, 4}, "of one shape")
    shaped({2, 3, 4}, {4}, "with a row")
    shaped({3, 1}, {2, 1, 4}, "of two columns")
    shaped({}, {10, 10}, "with a scalar")
  end
  case("where", core.new({{1, 0, 1}}, "uint8"), {2, 3}, {3})
  case("clip", {4, 3}, {3}, {}, {with = true, constant = {[2] = true, [3] = true}})

  for name in ("sum mean var std logsumexp"):gmatch "%S+" do
    case(name, {3, 4, 5}, {with = true, ints = {-1, 0}})
    case(name, {3, 4, 5}, {with = true, ints = {2, 1}, name = "over the middle axis"})
    case(name, {3, 4, 5}, {with = true, ints = {5, 0}, name = "over the outer axes"})
  end
  case("prod", {3, 4}, {with = true, ints = {2, 0}, low = 0.5, high = 1.5})
  case("max", {5, 6}, {with = true, ints = {2, 0}, h = 1e-3})
  case("min", {5, 6}, {with = true, ints = {1, 0}, h = 1e-3})
  case("cumsum", {3, 4, 2}, {with = true, ints = {1}})
  case("cumprod", {3, 4, 2}, {with = true, ints = {1}})

  case("softmax", {4, 5}, {with = true, ints = {1}})
  case("softmax", {4, 5, 3}, {with = true, ints = {1}, name = "over the middle axis"})
  case("log_softmax", {4, 5}, {with = true, ints = {1}})
  case("log_softmax", {4, 5, 3}, {with = true, ints = {0}, name = "over the first axis"})

  for act, name in pairs {[0] = "linear", [2] = "with sigmoid", [3] = "with tanh"} do
    case("dense", {6, 5}, {5, 4}, {4}, {with = true, ints = {act}, name = name})
  end
  case("dense", {2, 3, 5}, {5, 4}, {with = true, ints = {0}, name = "of three axes, no bias"})
  case("matmul", {3, 4}, {4, 5})
  case("matmul", {2, 3, 4}, {4, 5}, {with = true, name = "of many and one"})
  case("matmul", {2, 1, 3, 4}, {5, 4, 2}, {with = true, name = "of broadcast batches"})
  case("matmul", {4}, {2, 4, 3}, {with = true, name = "of a vector"})
  case("matmul", {2, 3, 4}, {4}, {with = true, name = "and a vector"})

  case("softmax_crossentropy", {6, 3}, nn.ops.softmax(random({6, 3}, -1, 1)))
  case("softmax_crossentropy", {3, 1500}, nn.ops.softmax(random({3, 1500}, -1, 1)),
    {with = true, name = "of long rows", constant = {[2] = true}})
  case("sparse_softmax_crossentropy", {4, 3}, core.new({0, 2, 1, 2}, "int32"))
  case("sparse_softmax_crossentropy", {4, 3}, core.new({0, 2, 1, 2}, "int32"),
    {with = true, ints = {1, 2}, name = "with an ignored class"})
  case("sparse_softmax_crossentropy", {5, 2}, core.new({0, 1, 1, 0, 1}, "int32"),
    {with = true, name = "of two classes"})
  case("sparse_softmax_crossentropy", {5, 2}, core.new({0, 7, 1, 7, 1}, "int32"),
    {with = true, ints = {1, 7}, name = "of two classes with an ignored one"})
  case("sigmoid_crossentropy", {6, 3}, random({6, 3}, 0, 1))

  case("batch_norm", {9, 4}, {4}, {4}, {with = true, ints = {3}, floats = {1e-3}})
  case("batch_norm", {3, 2, 700}, {700}, {700},
    {with = true, ints = {3}, floats = {1e-3}, name = "of wide rows", tolerance = 0.05})
  case("batch_norm", {2, 1300}, {with = true, ints = {0}, floats = {1e-1}, name = "of strips",
    tolerance = 0.05})
  case("layer_norm", {7, 6}, {6}, {6}, {with = true, ints = {1, 3}, floats = {1e-3}})
  case("layer_norm", {130, 2, 3}, {2, 3}, {2, 3},
    {with = true, ints = {2, 3}, floats = {1e-3}, name = "of two axes", tolerance = 0.05})
  case("rms_norm", {7, 6}, {6}, {with = true, ints = {1, 1}, floats = {1e-3}})
end)

describe("a gradient", function()
  it("adds up over all uses of a value", function()
    local x = nn.Variable(core.new{1, 2, 3})
    local _, g = nn.value_and_grad(function()
      local t = x.tensor
      return nn.ops.sum(t * t + nn.ops.exp(t) - t / 2 + nn.ops.sigmoid(t) + nn.ops.softmax(t))
    end, {x})
    for i, v in ipairs {1, 2, 3} do
      local s = 1 / (1 + math.exp(-v))
      local expected = 2 * v + math.exp(v) - 0.5 + s * (1 - s)
      assert(math.abs(g[1][i] - expected) < 1e-4, ("%g, expected %g"):format(g[1][i], expected))
    end
  end)

  it("of dropout passes where the element was kept", function()
    local x = nn.Variable(random({40, 50}, 1, 2))
    local y
    local _, g = nn.value_and_grad(function()
      y = core.apply("dropout", {x.tensor}, {7}, {0.4})
      return nn.ops.sum(y)
    end, {x})
    local kept = nn.ops.cast(nn.ops.not_equal(y, 0), "float32") / 0.6
    assert(nn.ops.max(nn.ops.abs(kept - g[1])):item() < 1e-6)
    assert(math.abs(nn.ops.mean(g[1]):item() - 1) < 0.1)
  end)
end)
