-- Adafactor (Shazeer and Stern 2018): second moments of matrices as row and column means.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"

local Adafactor = Optimizer:extend("Adafactor", {
  kind = "Adafactor",
  args = [[learning_rate=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=0.001,
    clip_threshold=1.0, relative_step=True,
    ]] .. Optimizer.common_args,
  own = {"beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step"},
  hyper = {"beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold"},
  slots = {{false, false, "velocity"}},
})

function Adafactor:init(a)
  Optimizer.init(self, a)
  checks.number(self, "beta_2_decay")
  checks.not_negative(self, "epsilon_1", "epsilon_2", "clip_threshold")
  checks.boolean(self, "relative_step")
end

return Adafactor
