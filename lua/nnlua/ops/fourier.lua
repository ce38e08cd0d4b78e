-- Discrete Fourier transforms. Complex numbers are pairs of tensors, (real, imaginary). A transform
-- of n numbers is a product with the matrix of its n x n roots of unity.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"

local M = {}

local function ops() return require "nnlua.ops" end
local function float(x) return common.cast(common.tensor(x), "float32") end
local function product(a, b) return core.apply("matmul", {a, b}) end

-- cos and sin of 2 pi j k / n, n rows, `columns` columns; weight(k) times.
local function roots(n, columns, weight)
  local co, si = {}, {}
  for j = 0, n - 1 do
    for k = 0, columns - 1 do
      local angle = 2 * math.pi * (j * k % n) / n
      local w = weight and weight(k) or 1
      co[#co + 1], si[#si + 1] = w * math.cos(angle), w * math.sin(angle)
    end
  end
  local shape = {n, columns}
  return core.reshape(core.new(co), shape), core.reshape(core.new(si), shape)
end

local function pair(op, x)
  err.check(type(x) == "table" and not core.is_tensor(x) and #x == 2,
    "%s: expected a pair of tensors, {real, imaginary}", op)
  return float(x[1]), float(x[2])
end

-- Along the last axis; sign: -1 forward, 1 back.
local function transform(re, im, sign)
  local n = re.shape[re.ndim]
  local co, si = roots(n, n)
  return product(re, co) - product(im, si) * sign, product(im, co) + product(re, si) * sign
end

M.fft = args.fn("fft", "x", function(x)
  local re, im = pair("fft", x)
  return transform(re, im, -1)
end, {list = true})

local function both_axes(op, x, sign)
  local re, im = pair(op, x)
  err.check(re.ndim >= 2, "%s: x has %d dimensions, expected 2 or more", op, re.ndim)
  re, im = transform(re, im, sign)
  re, im = transform(ops().swapaxes(re, -1, -2), ops().swapaxes(im, -1, -2), sign)
  return ops().swapaxes(re, -1, -2), ops().swapaxes(im, -1, -2)
end

M.fft2 = args.fn("fft2", "x", function(x) return both_axes("fft2", x, -1) end, {list = true})

M.ifft2 = args.fn("ifft2", "x", function(x)
  local re, im = both_axes("ifft2", x, 1)
  local n = re.shape[re.ndim] * re.shape[re.ndim - 1]
  return re / n, im / n
end, {list = true})

-- The last axis cut or filled with zeros to n elements.
local function fitted(x, n)
  local last = x.shape[x.ndim]
  if last == n then return x end
  if last > n then return common.part(x, x.ndim - 1, 0, n) end
  local shape = x.shape
  shape[#shape] = n - last
  return common.concat({x, core.full(shape, 0)}, x.ndim - 1)
end

local function length_of(op, n)
  if n ~= nil then return common.integer(op, "fft_length", n, 1) end
end

--- The first n // 2 + 1 terms of the transform of real numbers.
M.rfft = args.fn("rfft", "x, fft_length=None", function(x, fft_length)
  x = float(x)
  local n = length_of("rfft", fft_length) or x.shape[x.ndim]
  x = fitted(x, n)
  local co, si = roots(n, n // 2 + 1)
  return product(x, co), -product(x, si)
end)

--- Back from the terms of rfft. The terms between the first and the middle one count twice.
M.irfft = args.fn("irfft", "x, fft_length=None", function(x, fft_length)
  local re, im = pair("irfft", x)
  local n = length_of("irfft", fft_length) or 2 * (re.shape[re.ndim] - 1)
  local terms = n // 2 + 1
  local co, si = roots(n, terms, function(k) return (k == 0 or 2 * k == n) and 1 / n or 2 / n end)
  re, im = fitted(re, terms), fitted(im, terms)
  return product(re, ops().transpose(co)) - product(im, ops().transpose(si))
end, {list = true})

return M
