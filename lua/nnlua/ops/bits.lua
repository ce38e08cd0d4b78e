-- Whole numbers by their bits and divisors, and numbers by their bytes.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local function whole(op, x)
  local t = common.number_tensor(x)
  err.check(t.dtype ~= "float32", "%s: got float32 numbers, expected whole ones", op)
  return t
end

-- Keras's name -> the op's
local two = {bitwise_and = "bitwise_and", bitwise_or = "bitwise_or", bitwise_xor = "bitwise_xor",
  bitwise_left_shift = "left_shift", bitwise_right_shift = "right_shift",
  left_shift = "left_shift", right_shift = "right_shift"}

for name, op in pairs(two) do
  M[name] = args.fn(name, "x, y", function(x, y)
    return core.apply(op, {whole(name, x), whole(name, y)})
  end)
end

for _, name in ipairs {"gcd", "lcm"} do
  M[name] = args.fn(name, "x1, x2", function(a, b)
    return core.apply(name, {whole(name, a), whole(name, b)})
  end)
end

for _, name in ipairs {"bitwise_invert", "bitwise_not"} do
  M[name] = args.fn(name, "x", function(x)
    x = whole(name, x)
    if x.dtype == "uint8" then return common.cast(255 - common.cast(x, "int32"), "uint8") end
    return core.apply("bitwise_xor", {x, core.new(-1, "int32")})
  end)
end

--- The next float32 after x1 towards x2.
M.nextafter = args.fn("nextafter", "x1, x2", function(a, b)
  return core.apply("nextafter", {common.tensor(a), common.tensor(b)})
end)

local sizes = {float32 = 4, int32 = 4, uint8 = 1}

--- The same bytes read as another dtype; the last axis grows or shrinks with the elements.
M.view = args.fn("view", "x, dtype=None", function(x, dtype)
  x = common.tensor(x)
  dtype = dtype or x.dtype
  common.eager_only("view", x)
  local from, to = sizes[x.dtype], sizes[dtype]
  err.check(to, "view: unknown dtype %s, expected float32, int32 or uint8", err.show(dtype))
  local shape = x.shape
  if from ~= to then
    local bytes = #shape > 0 and shape[#shape] * from or 1
    err.check(bytes % to == 0, "view: %d bytes in the last axis do not make %s elements", bytes,
      dtype)
    shape[#shape] = bytes // to
  end
  return core.frombytes(core.tobytes(x), shape, dtype)
end)

-- The modified Bessel function of order 0 (Abramowitz and Stegun, 9.8.1 and 9.8.2).
local near = {1, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813}
local far = {0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537,
  -0.01647633, 0.00392377}

local function polynomial(list, x)
  local y = list[#list]
  for i = #list - 1, 1, -1 do y = x * y + list[i] end
  return y
end

M.i0 = args.fn("i0", "x", function(x)
  local ops = require "nnlua.ops"
  local size = ops.abs(common.cast(common.tensor(x), "float32"))
  local small = ops.less(size, 3.75)
  local low = ops.where(small, size, 0.0) / 3.75
  local high = ops.where(small, 3.75, size)
  return ops.where(small, polynomial(near, low * low),
    ops.exp(high) / ops.sqrt(high) * polynomial(far, 3.75 / high))
end)

return M
