-- Schedule-free AdamW (Defazio et al. 2024): averaging instead of a decaying learning rate.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"

local ScheduleFreeAdamW = Optimizer:extend("ScheduleFreeAdamW", {
  kind = "ScheduleFreeAdamW",
  args = [[learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-08, warmup_steps=0,
    ]] .. Optimizer.common_args,
  own = {"beta_1", "beta_2", "epsilon", "warmup_steps"},
  slots = {{"momentum", "velocity"}},
})

function ScheduleFreeAdamW:init(a)
  Optimizer.init(self, a)
  checks.fraction(self, "beta_1", "beta_2")
  checks.not_negative(self, "epsilon")
  checks.count(self, 0, "warmup_steps")
end

return ScheduleFreeAdamW
