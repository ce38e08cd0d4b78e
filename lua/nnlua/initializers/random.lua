-- RandomNormal, TruncatedNormal, RandomUniform: given mean and spread.

local Initializer = require "nnlua.initializers.initializer"

local random = {}

local function family(name, text, own, draw)
  local cls = Initializer:extend(name, {args = text, own = own, gives_new = true})
  function cls:init(a)
    Initializer.init(self, a)
    self:take_seed(a.seed)
  end
  function cls:call(shape, dtype)
    return self:draw(draw, shape, self[own[1]], self[own[2]], dtype)
  end
  random[name] = cls
end

local normal = "mean=0.0, stddev=0.05, seed=None"
family("RandomNormal", normal, {"mean", "stddev", "seed"}, "normal")
-- Resampled within two standard deviations, so the standard deviation of the result is 0.88 stddev.
family("TruncatedNormal", normal, {"mean", "stddev", "seed"}, "truncated_normal")
family("RandomUniform", "minval=-0.05, maxval=0.05, seed=None", {"minval", "maxval", "seed"},
  "uniform")

return random
