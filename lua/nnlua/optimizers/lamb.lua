-- Lamb (You et al. 2019): Adam whose step is scaled by the norm of each variable.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"

local Lamb = Optimizer:extend("Lamb", {
  kind = "Lamb",
  args = "learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07, " .. Optimizer.common_args,
  own = {"beta_1", "beta_2", "epsilon"},
  slots = {{"momentum", "velocity"}},
})

function Lamb:init(a)
  Optimizer.init(self, a)
  checks.fraction(self, "beta_1", "beta_2")
  checks.not_negative(self, "epsilon")
end

return Lamb
