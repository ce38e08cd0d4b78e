-- .safetensors: weights by path; architecture and compile arguments as JSON in the metadata, the
-- optimizer's state beside the weights.

local core = require "nnlua.core"
local err = require "nnlua.err"
local state = require "nnlua.saving.state"

local format = {}

local version = "1"

local function prefixed(list, prefix, into)
  for i, w in ipairs(list) do
    into[#into + 1] = {("%s%s"):format(prefix, w[1] or i), w[2]}
  end
  return into
end

local function numbered(list)
  local out = {}
  for i, w in ipairs(list) do out[i] = {("%d"):format(i - 1), w[2]} end
  return out
end

function format.save_weights(model, path)
  core.safetensors.save(path, prefixed(state.weights(model), "", {}),
    {format = "keras", nnlua_version = version})
end

function format.save_model(model, path)
  local config = require "nnlua.saving.config"
  local list = prefixed(state.weights(model), "", {})
  prefixed(numbered(state.optimizer(model)), "optimizer/vars/", list)
  core.safetensors.save(path, list, {format = "keras", nnlua_version = version,
    config = core.json.encode(config.full(model))})
end

function format.load_weights(model, path, options)
  local values = core.safetensors.load(path, options.limits)
  state.put_weights(model, values, options, "load_weights: " .. path)
end

function format.load_model(path, options)
  local config = require "nnlua.saving.config"
  local values, metadata = core.safetensors.load(path, options.limits)
  err.check(metadata.config, "load_model: %s holds weights alone; build the model and use "
    .. "load_weights", path)
  local object = core.json.decode(metadata.config, path)
  local model = config.with_custom(options.custom_objects, function()
    local m = config.make_model(object)
    if options.compile then config.compile(m, object.compile_config) end
    return m
  end)
  if model.built then state.put_weights(model, values, {}, "load_model: " .. path) end
  local slots = {}
  while values[("optimizer/vars/%d"):format(#slots)] do
    slots[#slots + 1] = values[("optimizer/vars/%d"):format(#slots)]
  end
  if #slots > 0 and model.optimizer then
    state.put_optimizer(model, slots, "load_model: " .. path)
  end
  return model
end

return format
