-- Layers that change the sizes of axes: ZeroPadding, Cropping and UpSampling over one to three
-- axes.

local core = require "nnlua.core"
local err = require "nnlua.err"
local window = require "nnlua.layers.window"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

local function wrong_pairs(self, name, rank)
  err.raise("%s: %s is not an integer, %s or %d pairs of integers of 0 or more", self.class_name,
    name, rank == 1 and "a pair" or ("%d integers"):format(rank), rank)
end

-- {before, after} for each axis from an integer, a list of integers or a list of pairs.
local function pairs_of(self, name, value, rank)
  local out = {}
  if math.tointeger(value) then
    for i = 1, rank do out[i] = {value, value} end
  elseif type(value) ~= "table" then
    wrong_pairs(self, name, rank)
  elseif rank == 1 then
    out[1] = type(value[1]) == "table" and value[1] or value
  else
    for i = 1, rank do out[i] = type(value[i]) == "table" and value[i] or {value[i], value[i]} end
    if #value ~= rank then wrong_pairs(self, name, rank) end
  end
  for i = 1, rank do
    local pair = out[i]
    for k = 1, 2 do
      if math.tointeger(pair[k]) == nil or pair[k] < 0 then wrong_pairs(self, name, rank) end
    end
  end
  return out
end

local function first_axis(self) return self.data_format == "channels_first" and 2 or 1 end

-- In configurations as Keras writes them: one pair for one axis.
local function stored(list, rank) return rank == 1 and list[1] or list end

-- ZeroPadding -------------------------------------------------------------------------------------

local function padding_class(rank, default)
  local name = ("ZeroPadding%dD"):format(rank)
  local cls = Layer:extend(name, {args = ("padding=%s, data_format=None"):format(default)})

  function cls:init(a)
    Layer.init(self, a)
    self.ndim = rank + 2
    rawset(self, "amounts", pairs_of(self, "padding", a.padding, rank))
    self.padding = stored(self.amounts, rank)
    self.data_format = window.data_format(self, a.data_format)
    self.built = true
  end

  function cls:call(x)
    local width, first = {}, first_axis(self)
    for i = 1, x.ndim do width[i] = {0, 0} end
    for i = 1, rank do width[first + i] = self.amounts[i] end
    return ops().pad(x, width)
  end

  M[name] = cls
end

padding_class(1, "1")
padding_class(2, "(1, 1)")
padding_class(3, "((1, 1), (1, 1), (1, 1))")

-- Cropping ----------------------------------------------------------------------------------------

local function cropping_class(rank, default)
  local name = ("Cropping%dD"):format(rank)
  local cls = Layer:extend(name, {
    args = ("cropping=%s%s"):format(default, rank > 1 and ", data_format=None" or ""),
  })

  function cls:init(a)
    Layer.init(self, a)
    self.ndim = rank + 2
    rawset(self, "amounts", pairs_of(self, "cropping", a.cropping, rank))
    self.cropping = stored(self.amounts, rank)
    self.data_format = window.data_format(self, a.data_format)
    self.built = true
  end

  function cls:call(x)
    local shape, ranges, first = x.shape, {}, first_axis(self)
    for i = 1, #shape do ranges[i] = {1, shape[i]} end
    for i = 1, rank do
      local n, cut = shape[first + i], self.amounts[i]
      if cut[1] + cut[2] >= n then
        err.raise("%s: cropping %d and %d of axis %d leaves nothing of its %d elements", name,
          cut[1], cut[2], first + i, n)
      end
      ranges[first + i] = {cut[1] + 1, n - cut[2]}
    end
    return ops().slice_ranges(x, ranges)
  end

  M[name] = cls
end

cropping_class(1, "(1, 1)")
cropping_class(2, "((0, 0), (0, 0))")
cropping_class(3, "((1, 1), (1, 1), (1, 1))")

-- UpSampling --------------------------------------------------------------------------------------

local function repeat_axes(x, size, first)
  for i, n in ipairs(size) do
    if n > 1 then x = ops()["repeat"](x, n, first + i) end
  end
  return x
end

local function cubic(t)
  t = math.abs(t)
  if t <= 1 then return (1.5 * t - 2.5) * t * t + 1 end
  if t < 2 then return ((-0.5 * t + 2.5) * t - 4) * t + 2 end
  return 0
end

local function lanczos(radius)
  return function(t)
    if t == 0 then return 1 end
    if math.abs(t) >= radius then return 0 end
    local p = math.pi * t
    return radius * math.sin(p) * math.sin(p / radius) / (p * p)
  end
end

local function triangle(t) return math.max(0, 1 - math.abs(t)) end

-- What a source element counts at a distance, and from where on nothing.
local filters = {
  bilinear = {triangle, 1}, bicubic = {cubic, 2}, lanczos3 = {lanczos(3), 3},
  lanczos5 = {lanczos(5), 5},
}

-- The matrix (n times, n) that resamples an axis: half-pixel centres; weights outside the edges are
-- left out and the others made to sum to 1.
local function resampling(n, times, interpolation)
  local weight, radius = filters[interpolation][1], filters[interpolation][2]
  local rows = {}
  for i = 1, n * times do
    local center, row, sum = (i - 0.5) / times - 0.5, {}, 0
    for k = 1, n do
      local distance = k - 1 - center
      row[k] = math.abs(distance) < radius and weight(distance) or 0
      sum = sum + row[k]
    end
    for k = 1, n do row[k] = row[k] / sum end
    rows[i] = row
  end
  return core.new(rows)
end

-- Axis 2, then axis 3 of (batch, rows, columns, channels), as products.
local function resample(x, size, interpolation)
  local s = x.shape
  local down, across = s[2] * size[1], s[3] * size[2]
  local y = ops().matmul(resampling(s[2], size[1], interpolation),
    ops().reshape(x, {s[1], s[2], s[3] * s[4]}))
  y = ops().reshape(y, {s[1] * down, s[3], s[4]})
  y = ops().matmul(resampling(s[3], size[2], interpolation), y)
  return ops().reshape(y, {s[1], down, across, s[4]})
end

local signatures = {
  "size=2", [[size=(2, 2), data_format=None, interpolation="nearest"]],
  "size=(2, 2, 2), data_format=None",
}

local function upsampling_class(rank)
  local name = ("UpSampling%dD"):format(rank)
  local cls = Layer:extend(name, {args = signatures[rank]})

  function cls:init(a)
    Layer.init(self, a)
    self.ndim = rank + 2
    rawset(self, "times", window.sizes(self, "size", a.size, rank))
    self.size = rank == 1 and self.times[1] or self.times
    self.data_format = window.data_format(self, a.data_format)
    if rank == 2 then
      if a.interpolation ~= "nearest" and not filters[a.interpolation] then
        err.raise("%s: interpolation is '%s', expected nearest, bilinear, bicubic, lanczos3 or "
          .. "lanczos5", name, tostring(a.interpolation))
      end
      self.interpolation = a.interpolation
    end
    self.built = true
  end

  function cls:call(x)
    if filters[self.interpolation] then
      local y = resample(window.to_last(self, x), self.times, self.interpolation)
      return window.from_last(self, y)
    end
    return repeat_axes(x, self.times, first_axis(self))
  end

  M[name] = cls
end

for rank = 1, 3 do upsampling_class(rank) end

return M
