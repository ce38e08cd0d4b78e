-- nn.models: the two kinds of models, loading, and copies.

local args = require "nnlua.args"
local core = require "nnlua.core"

local models = {}

--- A model of the same layers and names with fresh weights.
---@return nn.Model
models.clone_model = args.fn("clone_model",
  "model, input_tensors=None, clone_function=None, call_function=None, recursive=False",
  function(model)
    local config = require "nnlua.saving.config"
    local objects = require "nnlua.saving.objects"
    local whole = objects.standing_alone(config.serialize_model, model)
    return config.make_model(core.json.decode(core.json.encode(whole)))
  end, {extra = true})

local lazy = {
  Model = function() return require "nnlua.model" end,
  Sequential = function() return require "nnlua.sequential" end,
  load_model = function() return require("nnlua.saving").load_model end,
  save_model = function() return require("nnlua.saving").save_model end,
  model_from_json = function() return require("nnlua.saving").model_from_json end,
}

return setmetatable(models, {__index = function(_, name)
  local find = lazy[name]
  return find and find()
end})
