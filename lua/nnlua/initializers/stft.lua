-- STFT: the kernel (frame length, 1, frequencies) of a convolution that computes the real or the
-- imaginary part of a short-time Fourier transform.

local core = require "nnlua.core"
local err = require "nnlua.err"
local Initializer = require "nnlua.initializers.initializer"

local STFT = Initializer:extend("STFT", {
  args = 'side="real", window="hann", scaling="density", periodic=False',
  own = {"side", "window", "scaling", "periodic"},
})

-- Sums of cosines: w(k) = a0 - a1 cos(2 pi k / m) + a2 cos(4 pi k / m) - ...
local cosine_sums = {
  hann = {0.5, 0.5}, hanning = {0.5, 0.5}, hamming = {0.54, 0.46},
  blackman = {0.42, 0.5, 0.08}, boxcar = {1}, rectangular = {1},
}

function STFT:init(a)
  Initializer.init(self, a)
  if self.side ~= "real" and self.side ~= "imag" then
    err.raise("STFT: side is %s, expected real or imag", tostring(self.side))
  end
  if self.scaling and self.scaling ~= "density" and self.scaling ~= "spectrum" then
    err.raise("STFT: scaling is %s, expected density, spectrum or None", tostring(self.scaling))
  end
  if type(self.window) == "string" and not cosine_sums[self.window] then
    err.raise("STFT: unknown window '%s', expected boxcar, hann, hamming or blackman",
      self.window)
  end
end

local function window_of(self, n)
  if type(self.window) ~= "string" then
    local list = core.totable(core.new(self.window))
    if #list ~= n then err.raise("STFT: the window has %d numbers, expected %d", #list, n) end
    return list
  end
  local list, m = {}, math.max(1, self.periodic and n or n - 1)
  for k = 0, n - 1 do
    local w, sign = 0, 1
    for i, a in ipairs(cosine_sums[self.window]) do
      w = w + sign * a * math.cos(2 * math.pi * (i - 1) * k / m)
      sign = -sign
    end
    list[k + 1] = n == 1 and 1 or w
  end
  return list
end

local function scale_of(self, window)
  local sum = 0
  for _, w in ipairs(window) do
    sum = sum + (self.scaling == "density" and w * w or math.abs(w))
  end
  return self.scaling == "density" and math.sqrt(sum) or self.scaling and sum or 1
end

function STFT:call(shape, dtype)
  if #shape ~= 3 then
    err.raise("STFT: shape is (%s), expected 3 dimensions", table.concat(shape, ", "))
  end
  local length, channels, bins = shape[1], shape[2], shape[3]
  local window = self.window and window_of(self, length)
  local scale = window and scale_of(self, window) or 1
  local wave = self.side == "real" and math.cos or math.sin
  local data = {}
  for t = 0, length - 1 do
    local row = {}
    for f = 0, bins - 1 do
      local w = window and window[t + 1] / scale or 1
      row[f + 1] = wave(-2 * math.pi * t * f / ((bins - 1) * 2)) * w
    end
    data[t + 1] = {}
    for c = 1, channels do data[t + 1][c] = row end
  end
  return core.new(data, dtype)
end

return STFT
