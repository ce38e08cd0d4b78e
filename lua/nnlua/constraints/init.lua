-- nn.constraints: what weights are brought back to after every step of the optimizer. One line a
-- class.

local registry = require "nnlua.registry"

return registry.namespace{
  module = "keras.constraints", folder = "nnlua.constraints.", what = "constraint",
  base = "Constraint",
  classes = {
    Constraint = "constraint", MaxNorm = "norms", MinMaxNorm = "norms", UnitNorm = "norms",
    NonNeg = "non_neg",
  },
}
