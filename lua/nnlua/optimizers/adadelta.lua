-- Adadelta (Zeiler 2012): steps scaled by the ratio of two moving root mean squares.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"

local Adadelta = Optimizer:extend("Adadelta", {
  kind = "Adadelta",
  args = "learning_rate=0.001, rho=0.95, epsilon=1e-07, " .. Optimizer.common_args,
  own = {"rho", "epsilon"},
  slots = {{"accumulated_grad", "accumulated_delta_var"}},
})

function Adadelta:init(a)
  Optimizer.init(self, a)
  checks.fraction(self, "rho")
  checks.not_negative(self, "epsilon")
end

return Adadelta
