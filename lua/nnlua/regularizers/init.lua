-- nn.regularizers: penalties on weights and outputs that are added to the loss. One line a class.

local registry = require "nnlua.registry"

return registry.namespace{
  module = "keras.regularizers", folder = "nnlua.regularizers.", what = "regularizer",
  base = "Regularizer",
  classes = {
    Regularizer = "regularizer", L1 = "norms", L2 = "norms", L1L2 = "norms",
    OrthogonalRegularizer = "orthogonal",
  },
  aliases = {l1_l2 = "L1L2"},
}
