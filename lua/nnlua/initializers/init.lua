-- nn.initializers: what weights hold before training. One line a class.
--
-- An initializer is called with (shape, dtype) and gives a tensor. The same object gives the same
-- numbers for the same shape; a name makes a fresh object, and so other numbers, each time.

local core = require "nnlua.core"
local registry = require "nnlua.registry"

return registry.namespace{
  module = "keras.initializers", folder = "nnlua.initializers.", what = "initializer",
  base = "Initializer",
  classes = {
    Initializer = "initializer",
    Zeros = "constant", Ones = "constant", Constant = "constant", Identity = "constant",
    RandomNormal = "random", RandomUniform = "random", TruncatedNormal = "random",
    VarianceScaling = "scaling", GlorotUniform = "scaling", GlorotNormal = "scaling",
    HeUniform = "scaling", HeNormal = "scaling", LecunUniform = "scaling",
    LecunNormal = "scaling",
    Orthogonal = "orthogonal", STFT = "stft",
  },
  aliases = {
    zero = "Zeros", one = "Ones", normal = "RandomNormal", uniform = "RandomUniform",
    IdentityInitializer = "Identity", OrthogonalInitializer = "Orthogonal",
    STFTInitializer = "STFT",
  },
  common = {"glorot_uniform", "he_normal", "lecun_normal", "random_normal"},
  accepts = core.is_tensor, -- a tensor is its own initial value
}
