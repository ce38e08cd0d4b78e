-- .safetensors: weights by path; architecture and compile arguments as JSON in the metadata, the
-- optimizer's variables beside the weights.

local core = require "nnlua.core"
local err = require "nnlua.err"
local state = require "nnlua.saving.state"

local format = {}

local version = "1"

function format.save_weights(model, path)
  core.safetensors.save(path, state.weights(model), {format = "keras", nnlua_format = version})
end

function format.save_model(model, path)
  local config = require "nnlua.saving.config"
  core.safetensors.save(path, state.all(model), {format = "keras", nnlua_format = version,
    config = core.json.encode(config.full(model))})
end

function format.load_weights(model, path, options)
  local values = core.safetensors.load(path, options.limits)
  state.put(model, values, options, "load_weights: " .. path)
end

function format.load_model(path, options)
  local config, where = require "nnlua.saving.config", "load_model: " .. path
  local values, metadata = core.safetensors.load(path, options.limits)
  err.check(metadata.config, "%s holds weights alone; build the model and use load_weights", where)
  local object = core.json.decode(metadata.config, path .. ": config", options.limits)
  local model = config.build(object, options, state.bytes(values), where)
  if model.built or #model.weights > 0 then state.put(model, values, {}, where) end
  return model
end

return format
