-- AdamW (Loshchilov and Hutter 2017): Adam with weight decay on from the start.

local Optimizer = require "nnlua.optimizers.optimizer"
local Adam = require "nnlua.optimizers.adam"
local checks = require "nnlua.optimizers.checks"

local AdamW = Adam:extend("AdamW", {
  args = [[learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-07,
    amsgrad=False, ]] .. Optimizer.common_args_without_decay,
})

function AdamW:init(a)
  Adam.init(self, a)
  checks.not_negative(self, "weight_decay")
end

return AdamW
