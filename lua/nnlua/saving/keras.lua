-- .keras: a zip of metadata.json, config.json, model.weights.h5 and assets, as Keras writes it.
-- The date is fixed: the same model gives the same bytes.

local core = require "nnlua.core"
local assets = require "nnlua.saving.assets"
local config = require "nnlua.saving.config"
local err = require "nnlua.err"
local store = require "nnlua.saving.store"
local version = require "nnlua.saving.version"
local writer = require "nnlua.saving.behind"

local format = {}

local metadata = core.json.ordered{{"keras_version", "3.15.1"},
  {"date_saved", "1980-01-01@00:00:00"}, {version.key, version.number}}

-- writing ----------------------------------------------------------------------------------------

-- behind: {previous=, spare=} gives a job, see src/lua/behind.h. The zip's own checksums cover all
-- members.
function format.save_model(model, path, behind)
  local items = store.items(model)
  local weights = behind and core.hdf5.block(items, false, behind.spare) or core.hdf5.encode(items)
  local members = {{"metadata.json", core.json.encode(metadata, true)},
    {"config.json", core.json.encode(config.full(model), true)},
    {"model.weights.h5", weights}}
  for _, member in ipairs(assets.of(model)) do members[#members + 1] = member end
  if behind then return writer.zip(path, members, behind.previous) end
  core.behind.zip(path, members):wait()
end

function format.save_weights(model, path, options)
  return format.save_model(model, path, options.behind)
end

-- reading ----------------------------------------------------------------------------------------

local function open_store(zip, where, path, limits)
  local bytes = zip:read "model.weights.h5"
  if bytes then
    return store.from_hdf5(core.hdf5.open(path .. ": model.weights.h5", limits, bytes), where)
  end
  bytes = zip:read "model.weights.npz"
  if bytes then
    return store.from_tensors(core.zip.npz(path .. ": model.weights.npz", limits, bytes), where)
  end
  return err.raise("%s: there is no model.weights.h5 in the archive", where)
end

-- Members are looked up by name and never extracted; a name that leads outside says that somebody
-- hoped for another reader.
local function open_zip(where, path, limits)
  local zip = core.zip.open(path, limits)
  for _, member in ipairs(zip:names()) do
    local name = member[1]
    if name:find "^[/\\]" or name:find ":" or ("/" .. name .. "/"):find "[/\\]%.%.[/\\]" then
      err.raise("%s: the archive has a member '%s', whose name leads outside", where,
        (name:gsub("[^%g ]", "?")))
    end
  end
  return zip
end

local function check_version(zip, where, path, limits)
  local text = zip:read "metadata.json"
  local object = text and core.json.decode(text, path .. ": metadata.json", limits)
  if type(object) == "table" then version.check(object[version.key], where) end
end

local function read_config(zip, where, path, limits)
  local text = zip:read "config.json"
  if not text then err.raise("%s: there is no config.json in the archive", where) end
  return core.json.decode(text, path .. ": config.json", limits)
end

function format.load_model(path, options)
  local where = "load_model: " .. path
  local zip = open_zip(where, path, options.limits)
  check_version(zip, where, path, options.limits)
  local object = read_config(zip, where, path, options.limits)
  local s = open_store(zip, where, path, options.limits)
  local model = config.build(object, options, store.weight_bytes(s), where)
  assets.load(model, where, function(name) return zip:read(name) end)
  if model.built or #model.weights > 0 then
    store.load(s, model, {no_optimizer = not options.compile})
  end
  zip:close()
  return model
end

function format.load_weights(model, path, options)
  local where = "load_weights: " .. path
  local zip = open_zip(where, path, options.limits)
  check_version(zip, where, path, options.limits)
  store.load(open_store(zip, where, path, options.limits), model, options)
  zip:close()
end

return format
