-- Adagrad (Duchi, Hazan, Singer 2011): the step is divided by the root of the summed squares.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"

local Adagrad = Optimizer:extend("Adagrad", {
  kind = "Adagrad",
  args = [[learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-07,
    ]] .. Optimizer.common_args,
  own = {"initial_accumulator_value", "epsilon"},
  slots = {{"accumulator"}},
})

function Adagrad:init(a)
  Optimizer.init(self, a)
  checks.not_negative(self, "initial_accumulator_value", "epsilon")
end

return Adagrad
