-- RMSprop (Hinton 2012): the step is divided by a moving root mean square of the gradient.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"

local RMSprop = Optimizer:extend("RMSprop", {
  kind = "RMSprop",
  args = [[learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-07, centered=False,
    ]] .. Optimizer.common_args,
  own = {"rho", "momentum", "epsilon", "centered"},
  slots = {{"velocity"}, {"momentum"}, {"average_gradient"}},
})

function RMSprop:init(a)
  Optimizer.init(self, a)
  checks.fraction(self, "rho")
  checks.not_negative(self, "momentum", "epsilon")
  checks.boolean(self, "centered")
end

return RMSprop
