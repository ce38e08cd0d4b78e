-- Layers that draw random numbers in training: Dropout and its kin, noise.
--
-- Each layer owns a stream of the counter-based generator; a draw is addressed by the model's
-- seed, the stream and the number of the step, so that a run can be repeated or resumed bit for
-- bit.

local core = require "nnlua.core"
local err = require "nnlua.err"
local seed = require "nnlua.seed"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

local function check_rate(self, rate)
  if type(rate) ~= "number" or rate < 0 or rate > 1 then
    err.raise("%s: rate is %s, expected 0 to 1", self.class_name, err.show(rate))
  end
end

local function same_shape(_, shape, dtypes)
  return {shape = shape, dtype = dtypes and dtypes[1] or "float32", leaf = true}
end

-- The stream of a layer: from its seed, or one drawn at construction.
local function new_stream(given) return (given or seed.next()) & 0x7fffffff end

local base = {name = true, dtype = true} -- kept by every layer

local function random_class(name, signature, fields)
  local cls = Layer:extend(name, {args = signature, supports_masking = true,
    output_spec = same_shape})
  for key, value in pairs(fields) do cls[key] = value end
  function cls:init(a)
    Layer.init(self, a)
    if cls.signature.index.rate then check_rate(self, a.rate) end
    for _, entry in ipairs(cls.signature) do
      if not base[entry.name] then self[entry.name] = a[entry.name] end
    end
    rawset(self, "stream", new_stream(a.seed))
    self.built = true
  end
  M[name] = cls
  return cls
end

-- Keras counts the states of generators among the variables of a layer, but not among its weights.

local function concrete_noise_shape(given, x)
  if not given then return x.shape end
  local shape = x.shape
  for i = 1, #shape do if math.type(given[i]) == "integer" then shape[i] = given[i] end end
  return shape
end

local function drop(self, x, noise_shape)
  if self.rate == 1 then return x * 0 end
  local ints = {self.stream, noise_shape and #noise_shape or 0}
  for i, n in ipairs(noise_shape or {}) do ints[i + 2] = n end
  return core.apply("dropout", {x}, ints, {self.rate})
end

random_class("Dropout", "rate, noise_shape=None, seed=None", {
  call = function(self, x, ctx)
    if not ctx.training or self.rate == 0 then return x end
    return drop(self, x, self.noise_shape and concrete_noise_shape(self.noise_shape, x))
  end,
})

local function spatial(name, rank, signature)
  random_class(name, signature, {
    ndim = rank,
    call = function(self, x, ctx)
      if not ctx.training or self.rate == 0 then return x end
      local shape = x.shape
      local first = self.data_format == "channels_first"
      for i = 2, #shape do
        if first and i > 2 or not first and i < #shape then shape[i] = 1 end
      end
      return drop(self, x, shape)
    end,
  })
end

spatial("SpatialDropout1D", 3, "rate, seed=None, name=None, dtype=None")
spatial("SpatialDropout2D", 4, "rate, data_format=None, seed=None, name=None, dtype=None")
spatial("SpatialDropout3D", 5, "rate, data_format=None, seed=None, name=None, dtype=None")

local function normal(self, x, mean, stddev)
  return core.apply("random_normal_like", {x}, {self.stream}, {mean, stddev})
end

-- y = x * n, n normal with mean 1 and variance rate / (1 - rate) (Srivastava et al. 2014).
random_class("GaussianDropout", "rate, seed=None", {
  call = function(self, x, ctx)
    if not ctx.training or self.rate == 0 then return x end
    return x * normal(self, x, 1, math.sqrt(self.rate / (1 - self.rate)))
  end,
})

-- Keeps mean and variance of self-normalizing networks (Klambauer et al. 2017).
random_class("AlphaDropout", "rate, noise_shape=None, seed=None", {
  call = function(self, x, ctx)
    if not ctx.training or self.rate == 0 then return x end
    local rate = self.rate
    local low = -1.6732632423543772 * 1.0507009873554805
    local shape = concrete_noise_shape(self.noise_shape, x)
    local u = core.apply("random_uniform", {}, {self.stream, 0, 0, 0, 0, #shape,
      table.unpack(shape)}, {0, 1})
    local kept = ops().cast(ops().greater_equal(u, rate), "float32")
    local a = ((1 - rate) * (1 + rate * low * low)) ^ -0.5
    local b = -a * low * rate
    return (x * kept + (1 - kept) * low) * a + b
  end,
})

random_class("GaussianNoise", "stddev, seed=None", {
  call = function(self, x, ctx)
    if not ctx.training or self.stddev == 0 then return x end
    return x + normal(self, x, 0, self.stddev)
  end,
})

local gaussian_init = M.GaussianNoise.init
function M.GaussianNoise:init(a)
  if type(a.stddev) ~= "number" or a.stddev < 0 or a.stddev > 1 then
    err.raise("GaussianNoise: stddev is %s, expected 0 to 1", err.show(a.stddev))
  end
  gaussian_init(self, a)
end

for _, name in ipairs {"SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"} do
  M[name].get_config = function(self)
    local config = Layer.get_config(self)
    config.trainable = nil
    return config
  end
end

-- Identity with an activity penalty.
M.ActivityRegularization = Layer:extend("ActivityRegularization", {
  args = "l1=0.0, l2=0.0", supports_masking = true, output_spec = same_shape,
})

function M.ActivityRegularization:init(a)
  a.activity_regularizer = require("nnlua.regularizers").L1L2{l1 = a.l1, l2 = a.l2}
  Layer.init(self, a)
  self.l1, self.l2 = a.l1, a.l2
  self.built = true
end

function M.ActivityRegularization:call(x) return x end

function M.ActivityRegularization:get_config()
  local config = Layer.get_config(self)
  config.activity_regularizer = nil
  return config
end

return M
