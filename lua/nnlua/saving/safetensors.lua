-- .safetensors: weights by path; architecture and compile arguments as JSON in the metadata, the
-- optimizer's variables beside the weights.

local core = require "nnlua.core"
local assets = require "nnlua.saving.assets"
local err = require "nnlua.err"
local objects = require "nnlua.saving.objects"
local state = require "nnlua.saving.state"
local version = require "nnlua.saving.version"
local writer = require "nnlua.saving.behind"

local format = {}

-- The digits of the checksum are filled in as the file is written.
local function save(path, list, config, behind)
  local metadata = {format = "keras", [version.key] = version.text,
    [version.checksum] = "00000000", config = config}
  if not behind then return core.safetensors.save(path, list, metadata) end
  return writer.file(path, core.safetensors.block(list, metadata, behind.spare),
    behind.previous)
end

function format.save_weights(model, path, options)
  return save(path, state.weights(model), nil, options.behind)
end

-- behind: {previous=, spare=} gives a job, see src/lua/behind.h.
function format.save_model(model, path, behind)
  local config = require "nnlua.saving.config"
  local full = objects.standing_alone(config.full, model)
  return save(path, state.all(model), core.json.encode(full), behind)
end

local function read(path, options, where)
  local values, metadata = core.safetensors.load(path, options.limits)
  version.check(metadata[version.key], where)
  if metadata[version.key] and metadata[version.key] ~= "1" and not metadata[version.checksum] then
    err.raise("%s: the file is damaged: it has a format but no checksum", where)
  end
  return values, metadata
end

function format.load_weights(model, path, options)
  local values = read(path, options, "load_weights: " .. path)
  state.put(model, values, options, "load_weights: " .. path)
end

function format.load_model(path, options)
  local config, where = require "nnlua.saving.config", "load_model: " .. path
  local values, metadata = read(path, options, where)
  err.check(metadata.config, "%s holds weights alone; build the model and use load_weights", where)
  local object = core.json.decode(metadata.config, path .. ": config", options.limits)
  local model = config.build(object, options, state.bytes(values), where)
  assets.none(model, where)
  if model.built or #model.weights > 0 then state.put(model, values, {}, where) end
  return model
end

return format
