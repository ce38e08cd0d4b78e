-- Discretization: numbers to the bins between boundaries, given or taken from quantiles of data.
--
-- The quantiles come from a sketch: pairs of a value and the weight it stands for, sorted. A batch
-- is summarized by every n-th of its sorted values; sketches are joined by sorting and made smaller
-- by interpolating values and cumulative weights at even percentages. All of it rounds to float32
-- where Keras does, as the boundaries are saved.

local core = require "nnlua.core"
local args = require "nnlua.args"
local categorical = require "nnlua.layers.categorical"
local err = require "nnlua.err"
local Layer = require "nnlua.layers.layer"

local function ops() return require "nnlua.ops" end

local function float32(v) return (string.unpack("<f", string.pack("<f", v))) end

-- sketches ----------------------------------------------------------------------------------------

local function summarize(values, epsilon)
  table.sort(values)
  local step = math.max(#values * epsilon, 1)
  local sketch, weight = {}, float32(step)
  for i = math.floor(step - 1) + 1, #values, math.floor(step) do
    sketch[#sketch + 1] = {value = values[i], weight = weight}
  end
  return sketch
end

-- Linear interpolation of ys over rising xs at x; the ends hold outside.
local function interpolate(x, xs, ys)
  if x <= xs[1] then return ys[1] end
  if x >= xs[#xs] then return ys[#ys] end
  local lo, hi = 1, #xs
  while hi - lo > 1 do
    local mid = (lo + hi) // 2
    if xs[mid] <= x then lo = mid else hi = mid end
  end
  if xs[lo + 1] == xs[lo] then return ys[lo] end
  return (ys[lo + 1] - ys[lo]) / (xs[lo + 1] - xs[lo]) * (x - xs[lo]) + ys[lo]
end

local function columns(sketch)
  local values, cumulative, sum = {}, {}, 0
  for i, one in ipairs(sketch) do
    sum = float32(sum + one.weight)
    values[i], cumulative[i] = one.value, sum
  end
  local fraction = {}
  for i = 1, #sketch do fraction[i] = float32(cumulative[i] / sum) end
  return values, cumulative, fraction
end

local function compress(sketch, epsilon)
  if #sketch * epsilon < 1 then return sketch end
  local values, cumulative, fraction = columns(sketch)
  local out, before = {}, 0
  for k = 0, math.ceil(1 / epsilon) - 1 do
    local percent = epsilon + k * epsilon
    local weight = interpolate(percent, fraction, cumulative)
    out[#out + 1] = {value = float32(interpolate(percent, fraction, values)),
      weight = float32(weight - before)}
    before = weight
  end
  return out
end

local function merge(a, b, epsilon)
  local all = table.move(b, 1, #b, #a + 1, table.move(a, 1, #a, 1, {}))
  for i, one in ipairs(all) do one.order = i end
  table.sort(all, function(x, y)
    if x.value ~= y.value then return x.value < y.value end
    return x.order < y.order
  end)
  return compress(all, epsilon)
end

-- the layer ---------------------------------------------------------------------------------------

local Discretization = categorical.Preprocessing:extend("Discretization", {
  args = [[bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int", sparse=False,
    dtype=None, name=None]],
})

local function check_boundaries(list)
  for i = 2, #list do
    if not (list[i] > list[i - 1]) then
      err.raise("Discretization: bin_boundaries[%d] is %s, expected more than %s", i, list[i],
        list[i - 1])
    end
  end
end

function Discretization:init(a)
  categorical.check_mode("Discretization", a.output_mode)
  err.check(not a.sparse, "Discretization: sparse tensors are not supported")
  if a.num_bins ~= nil and (math.tointeger(a.num_bins) == nil or a.num_bins < 1) then
    err.raise("Discretization: num_bins is %s, expected an integer above 0", err.show(a.num_bins))
  end
  if a.num_bins ~= nil and a.bin_boundaries ~= nil then
    err.raise("Discretization: num_bins and bin_boundaries are both given, expected one of them")
  elseif a.num_bins == nil and a.bin_boundaries == nil then
    err.raise("Discretization: num_bins or bin_boundaries is missing")
  end
  Layer.init(self, a)
  self.num_bins, self.epsilon = a.num_bins, a.epsilon
  self.output_mode, self.sparse = a.output_mode, false
  rawset(self, "given", a.bin_boundaries ~= nil)
  if a.bin_boundaries then self:set_boundaries(a.bin_boundaries) end
  self.built = true
end

function Discretization:set_boundaries(list)
  if core.is_tensor(list) then list = core.totable(list) end
  check_boundaries(list)
  rawset(self, "bin_boundaries", list)
  rawset(self, "boundaries", #list > 0 and core.new(list) or nil)
end

--- Takes the boundaries from the quantiles of the data; replaces earlier ones.
---@param data nn.Tensor|table numbers of any shape, or batches of them
function Discretization:adapt(data)
  if self.given then
    err.raise("Discretization: adapt cannot change bin_boundaries that were given")
  end
  local sketch = {}
  categorical.each_batch(data, function(batch)
    local x = core.is_tensor(batch) and batch or core.new(batch)
    sketch = merge(summarize(core.totable(core.reshape(x, {x.size})), self.epsilon), sketch,
      self.epsilon)
  end, "Discretization: adapt")
  err.check(#sketch > 0, "Discretization: adapt got no data")
  local bins, list = compress(sketch, 1 / self.num_bins), {}
  for i = 1, #bins - 1 do
    list[i] = bins[i].value
  end
  rawset(self, "bin_boundaries", list)
  rawset(self, "boundaries", #list > 0 and core.new(list) or nil)
end

function Discretization:reset_state()
  if self.given then return end
  rawset(self, "bin_boundaries", nil)
  rawset(self, "boundaries", nil)
end

function Discretization:call(x)
  local list = self.bin_boundaries
  err.check(list, "Discretization: the layer has no boundaries; call adapt first")
  x = ops().cast(x, "float32")
  local bins
  if #list == 0 then
    bins = ops().zeros_like(ops().cast(x, "int32"))
  else
    bins = ops().digitize(x, self.boundaries)
  end
  return categorical.encode(ops().cast(bins, "int32"), self.output_mode, #list + 1, "float32")
end

--- After adapt both num_bins and bin_boundaries are known, and a configuration has both.
function Discretization.from_config(cls, config)
  local list = config.bin_boundaries
  if list == nil or list == args.None or config.num_bins == nil or config.num_bins == args.None then
    return cls(config)
  end
  local rest = {}
  for key, value in pairs(config) do if key ~= "bin_boundaries" then rest[key] = value end end
  local layer = cls(rest)
  rawset(layer, "bin_boundaries", list)
  rawset(layer, "boundaries", #list > 0 and core.new(list) or nil)
  return layer
end

function Discretization:get_config()
  local config = Layer.get_config(self)
  config.trainable = nil
  config.bin_boundaries = self.bin_boundaries or args.None
  return config
end

return Discretization
