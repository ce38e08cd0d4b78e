-- Follow the regularized leader (McMahan et al. 2013), which makes weights exactly zero.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"
local err = require "nnlua.err"

local Ftrl = Optimizer:extend("Ftrl", {
  kind = "Ftrl",
  args = [[learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1,
    l1_regularization_strength=0.0, l2_regularization_strength=0.0,
    l2_shrinkage_regularization_strength=0.0, beta=0.0, ]] .. Optimizer.common_args,
  own = {"learning_rate_power", "initial_accumulator_value", "l1_regularization_strength",
    "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta"},
  slots = {{"accumulator", "linear"}},
})

function Ftrl:init(a)
  Optimizer.init(self, a)
  checks.number(self, "learning_rate_power")
  if self.learning_rate_power > 0 then
    err.raise("Ftrl: learning_rate_power is %s, expected 0 or less", self.learning_rate_power)
  end
  checks.not_negative(self, "initial_accumulator_value", "l1_regularization_strength",
    "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta")
end

return Ftrl
