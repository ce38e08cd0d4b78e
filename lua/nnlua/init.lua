-- nnlua: Keras-style training of neural networks. Everything is loaded when it is first used.

local core = require "nnlua.core"
require "nnlua.tensor"

local nn = {}

-- name -> module that is the value, or {module, field}
local lazy = {
  layers = "layers", losses = "losses", metrics = "metrics", optimizers = "optimizers",
  activations = "activations", initializers = "initializers", regularizers = "regularizers",
  constraints = "constraints", callbacks = "callbacks", ops = "ops", random = "random",
  data = "data", utils = "utils", saving = "saving", config = "config", datasets = "datasets",
  Sequential = "sequential", Model = "model", Variable = "variable",
  models = "models", Input = {"keras_tensor", "Input"}, tensor = {"tensor", "new"},
  value_and_grad = {"autograd", "value_and_grad"}, set_random_seed = {"seed", "set_random_seed"},
  zeros = {"create", "zeros"}, ones = {"create", "ones"}, full = {"create", "full"},
  arange = {"create", "arange"}, linspace = {"create", "linspace"}, eye = {"create", "eye"},
  None = {"args", "None"}, version = {"version", "text"},
}

local function load(_, name)
  local where = lazy[name]
  if not where then return nil end
  local value
  if type(where) == "table" then
    value = require("nnlua." .. where[1])[where[2]]
  else
    value = require("nnlua." .. where)
  end
  nn[name] = value
  return value
end

nn.core = core

return setmetatable(nn, {__index = load})
