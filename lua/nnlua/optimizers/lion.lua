-- Lion (Chen et al. 2023): steps of one size, in the sign of a mix of momentum and gradient.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"

local Lion = Optimizer:extend("Lion", {
  kind = "Lion",
  args = "learning_rate=0.001, beta_1=0.9, beta_2=0.99, " .. Optimizer.common_args,
  own = {"beta_1", "beta_2"},
  slots = {{"momentum"}},
})

function Lion:init(a)
  Optimizer.init(self, a)
  checks.fraction(self, "beta_1", "beta_2")
end

return Lion
