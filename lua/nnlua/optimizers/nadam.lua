-- Nadam (Dozat 2016): Adam with Nesterov's momentum.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"
local names = require "nnlua.names"
local state = require "nnlua.optimizers.state"

local Nadam = Optimizer:extend("Nadam", {
  kind = "Nadam",
  args = [[learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07, ]]
    .. Optimizer.common_args,
  own = {"beta_1", "beta_2", "epsilon"},
  slots = {{"momentum", "velocity"}},
})

function Nadam:init(a)
  Optimizer.init(self, a)
  checks.fraction(self, "beta_1", "beta_2")
  checks.not_negative(self, "epsilon")
end

--- The product of the momentum factors so far is one more variable of the optimizer.
function Nadam:build(variables)
  local built = self.built
  Optimizer.build(self, variables)
  if built or not self.native then return end
  local native, name = self.native, names.auto("Variable")
  self.own_variables = {state.scalar(name, self.name .. "/" .. name, "float32",
    function() return native:scalar() end, function(x) native:scalar(x) end)}
end

return Nadam
