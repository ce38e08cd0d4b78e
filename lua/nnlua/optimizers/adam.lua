-- Adam (Kingma and Ba 2014), with AMSGrad (Reddi, Kale, Kumar 2018) as an option.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"

local Adam = Optimizer:extend("Adam", {
  kind = "Adam",
  args = [[learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07, amsgrad=False,
    ]] .. Optimizer.common_args,
  own = {"beta_1", "beta_2", "epsilon", "amsgrad"},
  slots = {{"momentum", "velocity"}, {"velocity_hat"}},
})

function Adam:init(a)
  Optimizer.init(self, a)
  checks.fraction(self, "beta_1", "beta_2")
  checks.not_negative(self, "epsilon")
  checks.boolean(self, "amsgrad")
end

return Adam
