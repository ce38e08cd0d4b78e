-- nn.random: random tensors. `seed` is an integer (the same numbers at every call), a SeedGenerator
-- (the next numbers at every call), or nil: the process generator (nn.set_random_seed).
--
-- In a traced call the numbers change with each step of the model, and repeat with its seed; those
-- of an integer seed stay.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local process = require "nnlua.seed"
local common = require "nnlua.ops.common"

local M = {}

local tensor = common.tensor

local function ops() return require "nnlua.ops" end

local function define(name, text, fn) M[name] = args.fn(name, text, fn) end

-- where numbers come from ------------------------------------------------------------------------

---@class nn.SeedGenerator
---@field seed integer
---@field count integer draws so far
local SeedGenerator = class.new("SeedGenerator", {args = "seed=None, name=None"})

function SeedGenerator:init(a)
  if a.seed ~= nil then common.integer("SeedGenerator", "seed", a.seed) end
  self.seed = a.seed or process.next()
  self.name = a.name
  self.count = 0
end

--- The number of the next draw.
function SeedGenerator:next()
  self.count = self.count + 1
  return self.count - 1
end

function SeedGenerator:get_config() return {seed = self.seed} end

M.SeedGenerator = SeedGenerator

local STREAM = 0x7a11 -- of draws by an integer seed
local RUN, FIXED, SEEDED = 0, 1, 2

-- {stream, mode, seed, step} of an op.
local function source(op, seed)
  local traced = core.recording() == "trace"
  if class.is(seed, SeedGenerator) then
    if traced then return {seed:next() & 0x7fffffff, SEEDED, seed.seed, 0} end
    return {STREAM, FIXED, seed.seed, seed:next()}
  elseif seed ~= nil then
    return {STREAM, FIXED, common.integer(op, "seed", seed), 0}
  elseif traced then
    return {process.next(), RUN, 0, 0}
  end
  return {STREAM, FIXED, process.next(), 0}
end

local function draw(kind, shape, from, low, high, a, b)
  local ints = {from[1], from[2], from[3], from[4], 0, #shape}
  for i = 1, 8 do ints[6 + i] = shape[i] or 0 end
  ints[15], ints[16] = low or 0, high or 0
  return core.apply("random_" .. kind, {}, ints, {a or 0, b or 0})
end

local function check_dtype(op, dtype)
  if dtype and dtype ~= "float32" then
    err.raise("%s: dtype is '%s', expected float32", op, tostring(dtype))
  end
end

-- Numbers a + b * draw when a or b are tensors, else drawn at once.
local function floats(op, kind, shape, a, b, dtype, seed)
  check_dtype(op, dtype)
  shape = common.shape(op, shape)
  local from = source(op, seed)
  if type(a) == "number" and type(b) == "number" then
    return draw(kind, shape, from, 0, 0, a, b)
  end
  local y = draw(kind, shape, from, 0, 0, 0, 1)
  if kind == "uniform" then return tensor(a) + (tensor(b) - tensor(a)) * y end
  return tensor(a) + tensor(b) * y
end

define("uniform", "shape, minval=0.0, maxval=1.0, dtype=None, seed=None",
  function(shape, low, high, dtype, seed)
    if dtype == "int32" then return M.randint(shape, low, high, {seed = seed}) end
    return floats("uniform", "uniform", shape, low, high, dtype, seed)
  end)

define("normal", "shape, mean=0.0, stddev=1.0, dtype=None, seed=None",
  function(shape, mean, stddev, dtype, seed)
    return floats("normal", "normal", shape, mean, stddev, dtype, seed)
  end)

define("truncated_normal", "shape, mean=0.0, stddev=1.0, dtype=None, seed=None",
  function(shape, mean, stddev, dtype, seed)
    return floats("truncated_normal", "truncated_normal", shape, mean, stddev, dtype, seed)
  end)

--- Integers minval .. maxval - 1.
define("randint", 'shape, minval, maxval, dtype="int32", seed=None',
  function(shape, low, high, dtype, seed)
    low, high = common.integer("randint", "minval", low), common.integer("randint", "maxval", high)
    local y = draw("integers", common.shape("randint", shape), source("randint", seed),
      low, high)
    return common.cast(y, dtype)
  end)

--- The slices of x along an axis in random order.
define("shuffle", "x, axis=1, seed=None", function(x, axis, seed)
  x = tensor(x)
  local a = common.axis("shuffle", axis, x.ndim)
  local order = draw("permutation", {x.shape[a + 1]}, source("shuffle", seed))
  return core.apply("take", {x, order}, {a, 0})
end)

--- Zeroes elements with probability `rate` and scales the others by 1 / (1 - rate).
define("dropout", "inputs, rate, noise_shape=None, seed=None", function(x, rate, noise_shape, seed)
  x = tensor(x)
  if type(rate) ~= "number" or rate < 0 or rate > 1 then
    err.raise("dropout: rate is %s, expected 0 to 1", err.show(rate))
  end
  if rate == 0 then return x end
  if rate == 1 then return x * 0 end
  local shape = x.shape
  for i in ipairs(shape) do
    local n = noise_shape and noise_shape[i]
    if math.type(n) == "integer" then shape[i] = n end
  end
  local u = draw("uniform", shape, source("dropout", seed), 0, 0, 0, 1)
  return ops().where(ops().greater_equal(u, rate), x / (1 - rate), 0)
end)

--- Class ids (from 0), num_samples for each row of logits: the largest logit with Gumbel noise.
define("categorical", 'logits, num_samples, dtype="int32", seed=None',
  function(logits, samples, dtype, seed)
    logits = tensor(logits)
    if logits.ndim ~= 2 then
      err.raise("categorical: logits have %d dimensions, expected 2", logits.ndim)
    end
    local rows, classes = logits.shape[1], logits.shape[2]
    common.integer("categorical", "num_samples", samples, 0)
    local u = draw("uniform", {rows, samples, classes}, source("categorical", seed), 0, 0,
      1e-20, 1)
    local noise = -ops().log(-ops().log(u))
    local ids = ops().argmax(common.reshape(logits, {rows, 1, classes}) + noise, {axis = -1})
    return common.cast(ids - core.new(1, "int32"), dtype)
  end)

-- drawn element by element, so never traced ------------------------------------------------------

-- A function that gives uniform numbers in (0, 1), and one that gives normal ones.
local function streams(op, seed)
  if core.recording() == "trace" then
    err.raise("%s: draws element by element and cannot be traced; "
      .. "compile with run_eagerly=true", op)
  end
  local from = source(op, seed)
  local function reader(kind, stream, a, b)
    local block, at, round = nil, 0, 0
    return function()
      if not block or at == #block then
        local place = {stream, FIXED, from[3], from[4] * 65536 + round}
        block, at, round = core.totable(draw(kind, {256}, place, 0, 0, a, b)), 0, round + 1
      end
      at = at + 1
      return block[at]
    end
  end
  return reader("uniform", STREAM + 1, 1e-12, 1), reader("normal", STREAM + 2, 0, 1)
end

-- The elements of parameters that are broadcast to the shape, as flat Lua lists.
local function elements(op, shape, ...)
  local out = {}
  for i = 1, select("#", ...) do
    local p = tensor((select(i, ...)))
    common.eager_only(op, p)
    out[i] = core.totable(common.reshape(common.broadcast_to(p, shape), {-1}))
  end
  return out
end

local function each(op, shape, f, dtype, ...)
  shape = common.shape(op, shape)
  local parameters, values = elements(op, shape, ...), {}
  for i = 1, common.product(shape) do
    values[i] = f(parameters[1][i], parameters[2] and parameters[2][i])
  end
  if #values == 0 then return core.full(shape, 0, dtype) end
  return core.reshape(core.new(values, dtype), shape)
end

-- Marsaglia and Tsang 2000, "A simple method for generating gamma variables".
local function gamma(alpha, uniform, normal)
  if alpha < 1 then return gamma(alpha + 1, uniform, normal) * uniform() ^ (1 / alpha) end
  local d = alpha - 1 / 3
  local c = 1 / math.sqrt(9 * d)
  while true do
    local x = normal()
    local v = (1 + c * x) ^ 3
    local bound = v > 0 and 0.5 * x * x + d - d * v + d * math.log(v)
    if bound and math.log(uniform()) < bound then return d * v end
  end
end

local function check_positive(op, name, v)
  if v <= 0 then err.raise("%s: %s is %g, expected above 0", op, name, v) end
end

define("gamma", "shape, alpha, dtype=None, seed=None", function(shape, alpha, dtype, seed)
  check_dtype("gamma", dtype)
  local uniform, normal = streams("gamma", seed)
  return each("gamma", shape, function(a)
    check_positive("gamma", "alpha", a)
    return gamma(a, uniform, normal)
  end, "float32", alpha)
end)

define("beta", "shape, alpha, beta, dtype=None, seed=None",
  function(shape, alpha, beta, dtype, seed)
    check_dtype("beta", dtype)
    local uniform, normal = streams("beta", seed)
    return each("beta", shape, function(a, b)
      check_positive("beta", "alpha", a)
      check_positive("beta", "beta", b)
      local x, y = gamma(a, uniform, normal), gamma(b, uniform, normal)
      return x / (x + y)
    end, "float32", alpha, beta)
  end)

define("binomial", "shape, counts, probabilities, dtype=None, seed=None",
  function(shape, counts, probabilities, dtype, seed)
    local uniform = streams("binomial", seed)
    return each("binomial", shape, function(n, p)
      local hits = 0
      for _ = 1, n do if uniform() < p then hits = hits + 1 end end
      return hits
    end, dtype or "float32", counts, probabilities)
  end)

return M
