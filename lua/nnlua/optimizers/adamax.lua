-- Adamax (Kingma and Ba 2014, section 7.1): Adam with the maximum norm.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"

local Adamax = Optimizer:extend("Adamax", {
  kind = "Adamax",
  args = "learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07, " .. Optimizer.common_args,
  own = {"beta_1", "beta_2", "epsilon"},
  slots = {{"momentum", "norm"}},
})

function Adamax:init(a)
  Optimizer.init(self, a)
  checks.fraction(self, "beta_1", "beta_2")
  checks.not_negative(self, "epsilon")
end

return Adamax
