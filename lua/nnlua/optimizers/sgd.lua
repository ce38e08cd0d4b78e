-- Gradient descent: w = w - lr g; with momentum m = mu m - lr g, w = w + m.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"

local SGD = Optimizer:extend("SGD", {
  kind = "SGD",
  args = "learning_rate=0.01, momentum=0.0, nesterov=False, " .. Optimizer.common_args,
  own = {"momentum", "nesterov"},
  slots = {{"momentum"}},
})

function SGD:init(a)
  Optimizer.init(self, a)
  checks.fraction(self, "momentum")
  checks.boolean(self, "nesterov")
end

return SGD
